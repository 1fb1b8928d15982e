import type { Deployment, ReplicaSet } from "../../api/types/apps-v1.ts";
import { equalJson, scaledValue, timeOf } from "../framework/index.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
export const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";
export const templateHashLabel = "pod-template-hash";

/** A progress deadline of this many seconds means none. */
const noDeadline = 2 ** 31 - 1;

export const wantedReplicas = (deployment: Deployment): number => deployment.spec.replicas ?? 1;
export const sizeOf = (set: ReplicaSet): number => set.spec.replicas ?? 1;
export const isRollingUpdate = (deployment: Deployment): boolean =>
  (deployment.spec.strategy?.type ?? "RollingUpdate") === "RollingUpdate";

export function hasProgressDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== noDeadline;
}

/** How many pods a rollout may have too many, and too few. */
export function rolloutBounds(deployment: Deployment): { maxSurge: number; maxUnavailable: number } {
  const total = wantedReplicas(deployment);
  if (!isRollingUpdate(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge, maxUnavailable } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, { total, round: "up" });
  const unavailable = scaledValue(maxUnavailable, { total, round: "down" });
  // Both zero would never move: then one may be missing.
  const atLeast = surge === 0 && unavailable === 0 ? 1 : unavailable;
  return { maxSurge: surge, maxUnavailable: Math.min(atLeast, total) };
}

export function sum(sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number | undefined): number {
  return sets.reduce((total, set) => total + (count(set) ?? 0), 0);
}

/** 64 bits wide: they may come from elsewhere, and be larger than a double holds. */
export function revisionOf(object: { readonly metadata: { readonly annotations?: object } }): bigint {
  const annotations = object.metadata.annotations as Readonly<Record<string, string>> | undefined;
  return revisionIn(annotations?.[revisionAnnotation]);
}

/** A revision as annotations write it; zero for what is none. */
export const revisionIn = (text: string | undefined): bigint =>
  /^\d{1,19}$/.test(text ?? "") ? BigInt(text ?? "0") : 0n;

/** The revision of the template that comes after those of older replica sets. */
export function nextRevision(old: readonly ReplicaSet[]): bigint {
  return old.map((set) => revisionOf(set)).reduce((most, one) => (one > most ? one : most), 0n) + 1n;
}

/** Oldest first; of one second by name. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  return (
    timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp) ||
    (a.metadata.name < b.metadata.name ? -1 : 1)
  );
}

/** The replica set that has the deployment's template, and the others. */
export function splitSets(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
): { readonly current: ReplicaSet | undefined; readonly old: readonly ReplicaSet[] } {
  const sorted = [...sets].sort(byAge);
  const current = sorted.find((set) => sameTemplate(deployment, set));
  return { current, old: sorted.filter((set) => set !== current) };
}

/** Whether templates are equal but for the hash label. */
export function sameTemplate(deployment: Deployment, set: ReplicaSet): boolean {
  return equalJson(withoutHash(deployment.spec.template), withoutHash(set.spec.template));
}

function withoutHash(template: Deployment["spec"]["template"]): object {
  const { metadata, ...rest } = template;
  const {
    creationTimestamp: _,
    labels = {},
    annotations = {},
    ...others
  } = metadata ?? ({} as Partial<NonNullable<typeof metadata>>);
  const { [templateHashLabel]: __, ...kept } = labels;
  return { ...rest, metadata: { ...others, labels: kept, annotations } };
}
