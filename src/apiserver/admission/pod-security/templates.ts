import { DaemonSet, Deployment, ReplicaSet, StatefulSet } from "../../../api/types/apps-v1.ts";
import { CronJob, Job } from "../../../api/types/batch-v1.ts";
import { PodTemplate, ReplicationController } from "../../../api/types/core-v1.ts";
import type { KubernetesObject, Resource } from "../../../apimachinery/index.ts";
import type { JudgedPod } from "./checks.ts";

type Named = Pick<Resource, "group" | "plural">;
type ReadTemplate = (object: object) => JudgedPod | undefined;

const ofSpec: ReadTemplate = (object) =>
  (object as { readonly spec?: { readonly template?: JudgedPod } }).spec?.template;

/** Kinds that make pods, and where they keep the pod's template. */
const workloads: readonly (readonly [Named, ReadTemplate])[] = [
  [ReplicationController, ofSpec],
  [PodTemplate, (object) => (object as PodTemplate).template],
  [ReplicaSet, ofSpec],
  [Deployment, ofSpec],
  [StatefulSet, ofSpec],
  [DaemonSet, ofSpec],
  [Job, ofSpec],
  [CronJob, (object) => ofSpec((object as Partial<CronJob>).spec?.jobTemplate ?? {})],
];

export const templateResources: readonly Named[] = workloads.map(([resource]) => resource);

/** The template of the pods that a workload makes; undefined when it has none. */
export function templateOf(resource: Named, object: KubernetesObject): JudgedPod | undefined {
  const found = workloads.find(
    ([{ group, plural }]) => group === resource.group && plural === resource.plural,
  );
  const template = found?.[1](object);
  return template?.spec ? template : undefined;
}
