import type { Deployment, ReplicaSet } from "../../api/types/apps-v1.ts";
import {
  byAge,
  desiredReplicasAnnotation,
  isRollingUpdate,
  maxReplicasAnnotation,
  rolloutBounds,
  sizeOf,
  sum,
  wantedReplicas,
} from "./facts.ts";

/** A size to give to a replica set. */
export interface Resize {
  readonly set: ReplicaSet;
  readonly size: number;
}

/** What a deployment has: the replica set of its template, if made, and older ones. */
export interface Sets {
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
}

const allOf = ({ current, old }: Sets): readonly ReplicaSet[] => (current ? [...old, current] : old);

/** The size that the replica set of the present template may have now. */
export function currentSize(deployment: Deployment, sets: Sets): number {
  const wanted = wantedReplicas(deployment);
  if (!isRollingUpdate(deployment)) return wanted;
  const size = sets.current ? sizeOf(sets.current) : 0;
  const most = wanted + rolloutBounds(deployment).maxSurge;
  const pods = sum(allOf(sets), sizeOf);
  if (pods >= most) return size;
  return size + Math.min(most - pods, wanted - size);
}

/** A rolling update's next step: grow the new one if there is room, else shrink the old as far as availability allows. */
export function planRollingUpdate(
  deployment: Deployment,
  sets: Sets & { current: ReplicaSet },
): readonly Resize[] {
  const { current } = sets;
  const wanted = wantedReplicas(deployment);
  const size = sizeOf(current) > wanted ? wanted : currentSize(deployment, sets);
  if (size !== sizeOf(current)) return [{ set: current, size }];
  return planShrinkingOld(deployment, sets);
}

function planShrinkingOld(deployment: Deployment, sets: Sets & { current: ReplicaSet }): readonly Resize[] {
  const old = [...sets.old].filter((set) => sizeOf(set) > 0).sort(byAge);
  if (old.length === 0) return [];
  const leastAvailable = wantedReplicas(deployment) - rolloutBounds(deployment).maxUnavailable;
  const newUnavailable = sizeOf(sets.current) - (sets.current.status?.availableReplicas ?? 0);
  const most = sum(allOf(sets), sizeOf) - leastAvailable - newUnavailable;
  if (most <= 0) return [];
  const sizes = new Map(old.map((set) => [set, sizeOf(set)]));
  let unhealthy = most;
  for (const set of old) {
    const idle = sizeOf(set) - (set.status?.availableReplicas ?? 0);
    const less = Math.max(0, Math.min(unhealthy, idle));
    sizes.set(set, sizeOf(set) - less);
    unhealthy -= less;
  }
  let spare = sum(allOf(sets), ({ status }) => status?.availableReplicas) - leastAvailable;
  for (const set of old) {
    const size = sizes.get(set) ?? 0;
    const less = Math.max(0, Math.min(size, spare));
    sizes.set(set, size - less);
    spare -= less;
  }
  return [...sizes].filter(([set, size]) => size !== sizeOf(set)).map(([set, size]) => ({ set, size }));
}

/** Whether the deployment's size changed since its replica sets were last given theirs. */
export function isScalingEvent(deployment: Deployment, sets: Sets): boolean {
  return allOf(sets).some((set) => {
    const desired = set.metadata.annotations?.[desiredReplicasAnnotation];
    return sizeOf(set) > 0 && desired !== undefined && Number(desired) !== wantedReplicas(deployment);
  });
}

/** Sizes for a changed deployment size: in proportion when a rollout is under way. */
export function planScaling(deployment: Deployment, sets: Sets): readonly Resize[] {
  const wanted = wantedReplicas(deployment);
  const only = activeOrLatest(sets);
  if (only) return sizeOf(only) === wanted ? [] : [{ set: only, size: wanted }];
  if (isSaturated(deployment, sets.current)) {
    return sets.old.filter((set) => sizeOf(set) > 0).map((set) => ({ set, size: 0 }));
  }
  return isRollingUpdate(deployment) ? planProportional(deployment, sets) : [];
}

function planProportional(deployment: Deployment, sets: Sets): readonly Resize[] {
  const wanted = wantedReplicas(deployment);
  const most = wanted > 0 ? wanted + rolloutBounds(deployment).maxSurge : 0;
  const active = allOf(sets).filter((set) => sizeOf(set) > 0);
  const toAdd = most - sum(active, sizeOf);
  const newerFirst = toAdd > 0;
  const sorted = [...active].sort(
    (a, b) => sizeOf(b) - sizeOf(a) || (newerFirst ? byAge(b, a) : byAge(a, b)),
  );
  let added = 0;
  const resizes = sorted.map((set) => {
    const share = proportion(deployment, set, { toAdd, added });
    added += share;
    return { set, size: sizeOf(set) + share };
  });
  const [first, ...rest] = resizes;
  if (!first) return [];
  return [{ ...first, size: Math.max(0, first.size + (toAdd - added)) }, ...rest];
}

function proportion(
  deployment: Deployment,
  set: ReplicaSet,
  { toAdd, added }: { toAdd: number; added: number },
): number {
  if (toAdd === 0 || toAdd === added) return 0;
  const fraction = fractionOf(deployment, set);
  const allowed = toAdd - added;
  return toAdd > 0 ? Math.min(fraction, allowed) : Math.max(fraction, allowed);
}

function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  const wanted = wantedReplicas(deployment);
  if (wanted === 0) return -sizeOf(set);
  const noted = Number(set.metadata.annotations?.[maxReplicasAnnotation]);
  const before = noted > 0 ? noted : (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((sizeOf(set) * (wanted + rolloutBounds(deployment).maxSurge)) / before) - sizeOf(set);
}

/** The one replica set with pods; the newest if none has; undefined if several have. */
function activeOrLatest({ current, old }: Sets): ReplicaSet | undefined {
  const active = allOf({ current, old }).filter((set) => sizeOf(set) > 0);
  if (active.length > 1) return undefined;
  return active[0] ?? current ?? [...old].sort(byAge).at(-1);
}

function isSaturated(deployment: Deployment, current: ReplicaSet | undefined): boolean {
  if (!current) return false;
  const wanted = wantedReplicas(deployment);
  return (
    sizeOf(current) === wanted &&
    Number(current.metadata.annotations?.[desiredReplicasAnnotation]) === wanted &&
    (current.status?.availableReplicas ?? 0) === wanted
  );
}

/** Old replica sets beyond the history limit that no longer do anything, oldest revision first. */
export function planCleanup(
  deployment: Deployment,
  sets: { readonly old: readonly ReplicaSet[]; readonly revisionOf: (set: ReplicaSet) => bigint },
): readonly ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit;
  if (limit === undefined) return [];
  const alive = sets.old.filter((set) => set.metadata.deletionTimestamp === undefined);
  const surplus = alive.length - limit;
  if (surplus <= 0) return [];
  const oldest = [...alive].sort((a, b) => Number(sets.revisionOf(a) - sets.revisionOf(b))).slice(0, surplus);
  return oldest.filter(
    ({ metadata, spec, status }) =>
      (status?.replicas ?? 0) === 0 &&
      (spec.replicas ?? 1) === 0 &&
      (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0),
  );
}
