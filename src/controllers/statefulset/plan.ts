import type { Milliseconds } from "../../base/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import type { ControllerRevision, StatefulSet, StatefulSetStatus } from "../../api/types/apps-v1.ts";
import { availableAt, isReady, revisionHashLabel } from "../framework/index.ts";

export type StatefulAction =
  | { readonly type: "create"; readonly ordinal: number; readonly revision: ControllerRevision }
  | { readonly type: "delete"; readonly pod: Pod; readonly why: "condemned" | "update" | "failed" };

export interface StatefulPlan {
  readonly actions: readonly StatefulAction[];
  readonly wakeIn?: Milliseconds;
}

/** A set as it is observed. */
export interface StatefulState {
  readonly pods: readonly Pod[];
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  readonly now: Milliseconds;
}

/** The ordinal in a pod's name, if it is of the set's form. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const text = pod.metadata.name.startsWith(`${set.metadata.name}-`)
    ? pod.metadata.name.slice(set.metadata.name.length + 1)
    : "";
  return /^(0|[1-9]\d*)$/.test(text) ? Number(text) : undefined;
}

export const revisionNameOf = (pod: Pod): string | undefined => pod.metadata.labels?.[revisionHashLabel];

/** What to do next: in order, one pod at a time, unless pods may be managed in parallel. */
export function planStatefulSet(set: StatefulSet, state: StatefulState): StatefulPlan {
  const { pods, now } = state;
  const at = (pod: Pod) => availableAt(pod, set.spec.minReadySeconds ?? 0);
  const available = (pod: Pod) => (at(pod) ?? Infinity) <= now;
  const healthy = (pod: Pod) => isRunningReady(pod) && pod.metadata.deletionTimestamp === undefined;
  const actions = planActions(set, { ...state, usable: (pod) => healthy(pod) && available(pod) });
  const waits = pods.map((pod) => (at(pod) ?? 0) - now).filter((delay) => delay > 0);
  return {
    actions,
    ...(waits.length > 0 ? { wakeIn: Math.min(...waits) } : {}),
  };
}

const isRunningReady = (pod: Pod) => pod.status?.phase === "Running" && isReady(pod);

function planActions(
  set: StatefulSet,
  state: {
    readonly pods: readonly Pod[];
    readonly current: ControllerRevision;
    readonly update: ControllerRevision;
    readonly usable: (pod: Pod) => boolean;
  },
): readonly StatefulAction[] {
  const { pods, usable } = state;
  const first = set.spec.ordinals?.start ?? 0;
  const end = first + (set.spec.replicas ?? 1);
  const parallel = set.spec.podManagementPolicy === "Parallel";
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod) ?? -1, pod]));
  const actions: StatefulAction[] = [];
  let blocked = false;
  for (let ordinal = first; ordinal < end; ordinal++) {
    if (blocked && !parallel) break;
    const pod = byOrdinal.get(ordinal);
    if (pod === undefined) {
      actions.push({ type: "create", ordinal, revision: revisionFor(set, ordinal, state) });
      blocked = true;
    } else if (pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded") {
      if (pod.metadata.deletionTimestamp === undefined) actions.push({ type: "delete", pod, why: "failed" });
      blocked = true;
    } else if (!usable(pod)) {
      blocked = true;
    }
  }
  if (blocked && !parallel) return actions;
  const condemned = [...byOrdinal]
    .filter(([ordinal]) => ordinal >= 0 && (ordinal < first || ordinal >= end))
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod);
  const firstUnusable = condemned.findLast((pod) => !usable(pod));
  for (const pod of condemned) {
    const terminating = pod.metadata.deletionTimestamp !== undefined;
    // A set that scales down halts while a pod below the next one to go is unwell.
    if (!parallel && !terminating && !usable(pod) && pod !== firstUnusable) return actions;
    if (!terminating) actions.push({ type: "delete", pod, why: "condemned" });
    if (!parallel) return actions;
  }
  return [...actions, ...planUpdate(set, { ...state, byOrdinal, first, end })];
}

/** From the highest ordinal down, as many at a time as may be missing; waits for each to become usable. */
function planUpdate(
  set: StatefulSet,
  state: {
    readonly update: ControllerRevision;
    readonly byOrdinal: ReadonlyMap<number, Pod>;
    readonly first: number;
    readonly end: number;
    readonly usable: (pod: Pod) => boolean;
  },
): readonly StatefulAction[] {
  if (set.spec.updateStrategy?.type === "OnDelete") return [];
  const partition = Math.max(set.spec.updateStrategy?.rollingUpdate?.partition ?? 0, state.first);
  for (let ordinal = state.end - 1; ordinal >= partition; ordinal--) {
    const pod = state.byOrdinal.get(ordinal);
    if (pod === undefined) return [];
    if (revisionNameOf(pod) !== state.update.metadata.name && pod.metadata.deletionTimestamp === undefined) {
      return [{ type: "delete", pod, why: "update" }];
    }
    if (!state.usable(pod)) return [];
  }
  return [];
}

/** Pods below the partition stay at the current revision, others come at the new one. */
function revisionFor(
  set: StatefulSet,
  ordinal: number,
  { current, update }: { current: ControllerRevision; update: ControllerRevision },
): ControllerRevision {
  if (set.spec.updateStrategy?.type === "OnDelete") return update;
  const first = set.spec.ordinals?.start ?? 0;
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition;
  const kept = partition === undefined ? first + (set.status?.currentReplicas ?? 0) : first + partition;
  return ordinal < kept ? current : update;
}

/** The state once actions were taken: new pods are there, deleted ones on their way. */
export function stateAfter(
  state: StatefulState,
  done: { readonly created: readonly Pod[]; readonly deleted: readonly Pod[] },
): StatefulState {
  const deletionTimestamp = new Date(state.now).toISOString();
  const gone = new Set(done.deleted.map(({ metadata }) => metadata.uid));
  const kept = state.pods.map((pod) =>
    gone.has(pod.metadata.uid) ? { ...pod, metadata: { ...pod.metadata, deletionTimestamp } } : pod,
  );
  return { ...state, pods: [...kept, ...done.created] };
}

/** What the set's status should say of the state. */
export function planStatus(set: StatefulSet, state: StatefulState): StatefulSetStatus {
  const { pods, current, update, now } = state;
  const isAvailable = (pod: Pod) =>
    isRunningReady(pod) && (availableAt(pod, set.spec.minReadySeconds ?? 0) ?? Infinity) <= now;
  const alive = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const of = (revision: ControllerRevision) =>
    alive.filter((pod) => revisionNameOf(pod) === revision.metadata.name).length;
  const counts = {
    replicas: pods.length,
    readyReplicas: pods.filter((pod) => isRunningReady(pod)).length,
    availableReplicas: pods.filter(isAvailable).length,
  };
  const { collisionCount, conditions } = set.status ?? {};
  const rolled =
    set.spec.updateStrategy?.type !== "OnDelete" &&
    of(update) === (set.spec.replicas ?? 1) &&
    counts.readyReplicas === (set.spec.replicas ?? 1) &&
    pods.length === alive.length;
  const shown = rolled ? update : current;
  return {
    observedGeneration: set.metadata.generation ?? 0,
    ...counts,
    currentReplicas: of(shown),
    updatedReplicas: of(update),
    currentRevision: shown.metadata.name,
    updateRevision: update.metadata.name,
    collisionCount: collisionCount ?? 0,
    ...(conditions ? { conditions } : {}),
  };
}
