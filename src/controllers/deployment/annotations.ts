import type { Deployment, ReplicaSet } from "../../api/types/apps-v1.ts";
import {
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  revisionAnnotation,
  revisionHistoryAnnotation,
  revisionIn,
  rolloutBounds,
  wantedReplicas,
} from "./facts.ts";

type Annotations = Readonly<Record<string, string>>;

const notCopied = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
]);

/** The longest history of revisions kept on a replica set. */
const longestHistory = 2000;

/** The sizes that a replica set was last scaled for. */
export function replicasAnnotations(deployment: Deployment): Annotations {
  const wanted = wantedReplicas(deployment);
  return {
    [desiredReplicasAnnotation]: String(wanted),
    [maxReplicasAnnotation]: String(wanted + rolloutBounds(deployment).maxSurge),
  };
}

/** The annotations of the replica set of the present template, at `revision`. */
export function currentSetAnnotations(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  revision: bigint,
): Annotations {
  const annotations: Record<string, string> = { ...current?.metadata.annotations };
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!notCopied.has(name)) annotations[name] = value;
  }
  const before = annotations[revisionAnnotation];
  if (revisionIn(before) < revision) {
    annotations[revisionAnnotation] = String(revision);
    if (before) {
      annotations[revisionHistoryAnnotation] = withRevision(annotations[revisionHistoryAnnotation], before);
    }
  }
  return current ? annotations : { ...annotations, ...replicasAnnotations(deployment) };
}

function withRevision(history: string | undefined, revision: string): string {
  let revisions = history ? [...history.split(","), revision] : [revision];
  while (revisions.join(",").length > longestHistory) revisions = revisions.slice(1);
  return revisions.join(",");
}
