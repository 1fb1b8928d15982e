import type { Milliseconds } from "../../base/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import type { ReplicaSetCondition, ReplicaSetStatus } from "../../api/types/apps-v1.ts";
import {
  availableAt,
  isActive,
  isAvailable,
  isReady,
  isTerminating,
  matchesLabels,
  withCondition,
  withoutCondition,
} from "../framework/index.ts";
import { rankForDeletion } from "./ranking.ts";

/** The most pods that one reconciliation creates or deletes. */
export const burstReplicas = 500;

export type ReplicaPlan =
  | { readonly type: "keep" }
  | { readonly type: "create"; readonly count: number }
  | { readonly type: "delete"; readonly pods: readonly Pod[] };

/** How to come from the pods there are to the number wanted. */
export function planReplicas(
  wanted: number,
  observed: {
    readonly pods: readonly Pod[];
    readonly related: () => readonly Pod[];
    readonly now: Milliseconds;
  },
): ReplicaPlan {
  const active = observed.pods.filter((pod) => isActive(pod));
  const missing = wanted - active.length;
  if (missing > 0) return { type: "create", count: Math.min(missing, burstReplicas) };
  if (missing === 0) return { type: "keep" };
  const surplus = Math.min(-missing, burstReplicas);
  if (surplus >= active.length) return { type: "delete", pods: active };
  const ranked = rankForDeletion(active, { related: observed.related(), now: observed.now });
  return { type: "delete", pods: ranked.slice(0, surplus) };
}

/** A failure to create or delete, as the condition tells it. */
export interface ReplicaFailure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}

export interface ReplicaIntent {
  readonly generation: number;
  readonly minReadySeconds: number;
  readonly templateLabels: Readonly<Record<string, string>>;
}

/** The status that tells of the pods there are. */
export function planStatus(
  intent: ReplicaIntent,
  old: ReplicaSetStatus | undefined,
  observed: {
    readonly pods: readonly Pod[];
    readonly failure: ReplicaFailure | undefined;
    readonly now: Milliseconds;
    readonly timestamp: string;
  },
): ReplicaSetStatus {
  const { pods, failure, now } = observed;
  const { minReadySeconds, templateLabels } = intent;
  const active = pods.filter((pod) => isActive(pod));
  const count = (test: (pod: Pod) => boolean) => active.filter(test).length;
  const conditions = conditionsAfter(old?.conditions, { failure, timestamp: observed.timestamp });
  return {
    replicas: active.length,
    fullyLabeledReplicas: count((pod) => matchesLabels(templateLabels, pod.metadata.labels)),
    readyReplicas: count((pod) => isReady(pod)),
    availableReplicas: count((pod) => isAvailable(pod, { minReadySeconds, now })),
    terminatingReplicas: pods.filter((pod) => isTerminating(pod)).length,
    observedGeneration: intent.generation,
    ...(conditions.length > 0 ? { conditions } : {}),
  };
}

function conditionsAfter(
  conditions: readonly ReplicaSetCondition[] | undefined,
  { failure, timestamp }: { failure: ReplicaFailure | undefined; timestamp: string },
): readonly ReplicaSetCondition[] {
  const type = "ReplicaFailure";
  if (failure === undefined) return withoutCondition(conditions, type);
  return withCondition(conditions, { type, status: "True", ...failure, lastTransitionTime: timestamp });
}

/** How long until the next ready pod becomes available. */
export function nextAvailability(
  pods: readonly Pod[],
  options: { readonly minReadySeconds: number; readonly now: Milliseconds },
): Milliseconds | undefined {
  let next: Milliseconds | undefined;
  for (const pod of pods) {
    const at = isActive(pod) ? availableAt(pod, options.minReadySeconds) : undefined;
    if (at === undefined || at <= options.now) continue;
    next = Math.min(next ?? Infinity, at - options.now);
  }
  return next;
}
