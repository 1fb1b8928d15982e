import type { Milliseconds } from "../../base/index.ts";
import type { LabelSelector } from "../../apimachinery/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/types/policy-v1.ts";
import { isReady, scaledValue, timeOf } from "../framework/index.ts";

/** An evicted pod that is still there after this long counts as not evicted. */
const deletionTimeout: Milliseconds = 120_000;

/** What a pod belongs to, and how many pods that is to have. */
export type PodScale =
  | { readonly type: "controller"; readonly uid: string; readonly scale: number }
  | { readonly type: "unmanaged" }
  | { readonly type: "unknown"; readonly why: string };

export interface BudgetPlan {
  readonly status: PodDisruptionBudgetStatus;
  /** Pods whose eviction was noted and that are still there. */
  readonly notDeleted: readonly Pod[];
  readonly unmanaged: readonly Pod[];
  readonly wakeIn: Milliseconds | undefined;
}

export type BudgetVerdict =
  | ({ readonly type: "counted" } & BudgetPlan)
  | { readonly type: "failed"; readonly why: string };

/** The status of a budget over the pods that it selects. */
export function planBudget(
  budget: PodDisruptionBudget,
  state: {
    readonly pods: readonly Pod[];
    readonly scaleOf: (pod: Pod) => PodScale;
    readonly now: Milliseconds;
    readonly timestamp: string;
  },
): BudgetVerdict {
  const { pods, now, timestamp } = state;
  const expected = expectedPods(budget, state);
  if (expected.type === "failed") return expected;
  const { count, desired: desiredHealthy, unmanaged } = expected;
  const disruptions = disruptedPods(budget, pods, now);
  const currentHealthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      disruptions.kept[pod.metadata.name] === undefined &&
      isReady(pod),
  ).length;
  const disruptionsAllowed = count > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const observedGeneration = budget.metadata.generation ?? 0;
  const { disruptedPods: _, ...old } = budget.status ?? {};
  const status: PodDisruptionBudgetStatus = {
    ...old,
    observedGeneration,
    currentHealthy,
    desiredHealthy,
    expectedPods: count,
    disruptionsAllowed,
    ...(Object.keys(disruptions.kept).length > 0 ? { disruptedPods: disruptions.kept } : {}),
    conditions: conditionsAfter(budget, {
      status: disruptionsAllowed > 0 ? "True" : "False",
      reason: disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods",
      message: "",
      timestamp,
    }),
  };
  return {
    type: "counted",
    status,
    notDeleted: disruptions.notDeleted,
    unmanaged,
    wakeIn: disruptions.wakeIn,
  };
}

/** The status of a budget that cannot be counted: no eviction is safe. */
export function failedStatus(
  budget: PodDisruptionBudget,
  { why, timestamp }: { readonly why: string; readonly timestamp: string },
): PodDisruptionBudgetStatus {
  return {
    ...budget.status,
    disruptionsAllowed: 0,
    conditions: conditionsAfter(budget, {
      status: "False",
      reason: "SyncFailed",
      message: why,
      timestamp,
      observedGeneration: budget.status?.observedGeneration ?? 0,
    }),
  };
}

type Expected =
  | {
      readonly type: "known";
      readonly count: number;
      readonly desired: number;
      readonly unmanaged: readonly Pod[];
    }
  | { readonly type: "failed"; readonly why: string };

function expectedPods(
  budget: PodDisruptionBudget,
  { pods, scaleOf }: { readonly pods: readonly Pod[]; readonly scaleOf: (pod: Pod) => PodScale },
): Expected {
  const { minAvailable, maxUnavailable } = budget.spec;
  if (maxUnavailable === undefined && minAvailable === undefined)
    return { type: "known", count: 0, desired: 0, unmanaged: [] };
  if (maxUnavailable === undefined && typeof minAvailable === "number") {
    return { type: "known", count: pods.length, desired: minAvailable, unmanaged: [] };
  }
  const scales = new Map<string, number>();
  const unmanaged: Pod[] = [];
  for (const pod of pods) {
    const scale = scaleOf(pod);
    if (scale.type === "unknown") return { type: "failed", why: scale.why };
    if (scale.type === "unmanaged") unmanaged.push(pod);
    else scales.set(scale.uid, scale.scale);
  }
  const count = [...scales.values()].reduce((sum, scale) => sum + scale, 0);
  const share = (value: number | string | undefined) => scaledValue(value, { total: count, round: "up" });
  const desired =
    maxUnavailable === undefined ? share(minAvailable) : Math.max(0, count - share(maxUnavailable));
  return { type: "known", count, desired, unmanaged };
}

/** Of the evictions noted in the status those whose pods may still go. */
function disruptedPods(budget: PodDisruptionBudget, pods: readonly Pod[], now: Milliseconds) {
  const kept: Record<string, string> = {};
  const notDeleted: Pod[] = [];
  const waits: Milliseconds[] = [];
  for (const pod of pods) {
    const noted = budget.status?.disruptedPods?.[pod.metadata.name];
    if (noted === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const wait = timeOf(noted) + deletionTimeout - now;
    if (wait < 0) {
      notDeleted.push(pod);
    } else {
      kept[pod.metadata.name] = noted;
      waits.push(wait + 1);
    }
  }
  return { kept, notDeleted, wakeIn: waits.length > 0 ? Math.min(...waits) : undefined };
}

function conditionsAfter(
  budget: PodDisruptionBudget,
  next: {
    readonly status: "True" | "False";
    readonly reason: string;
    readonly message: string;
    readonly timestamp: string;
    readonly observedGeneration?: number;
  },
) {
  const { timestamp, observedGeneration = budget.metadata.generation ?? 0, ...rest } = next;
  const all = budget.status?.conditions ?? [];
  const current = all.find(({ type }) => type === "DisruptionAllowed");
  const lastTransitionTime = current?.status === next.status ? current.lastTransitionTime : timestamp;
  const condition = { type: "DisruptionAllowed", observedGeneration, lastTransitionTime, ...rest };
  return current === undefined
    ? [...all, condition]
    : all.map((entry) => (entry === current ? condition : entry));
}

/** When a pod's condition DisruptionTarget is to be taken back because it was not deleted; undefined if it has none. */
export function staleDisruptionAt(pod: Pod): Milliseconds | undefined {
  const condition = pod.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
  const phase = pod.status?.phase;
  if (condition?.status !== "True" || pod.metadata.deletionTimestamp !== undefined) return undefined;
  if (phase === "Succeeded" || phase === "Failed") return undefined;
  return timeOf(condition.lastTransitionTime) + deletionTimeout;
}

/** A selector as upstream's events show it. */
export function selectorText(selector: LabelSelector | undefined): string {
  if (selector === undefined) return "nil";
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const labels = Object.keys(matchLabels)
    .sort()
    .map((name) => `${name}: ${matchLabels[name]},`)
    .join("");
  const expressions = matchExpressions
    .map(
      ({ key, operator, values = [] }) =>
        `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
    )
    .join("");
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`;
}
