import type { Milliseconds } from "../../base/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import { isReady, podCondition, timeOf } from "../framework/index.ts";

const deletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

/** Pods in the order in which to delete them: those whose loss costs least first. */
export function rankForDeletion(
  pods: readonly Pod[],
  options: {
    /** All active pods of the same higher owner: nodes crowded with them lose theirs first. */
    readonly related: readonly Pod[];
    readonly now: Milliseconds;
  },
): readonly Pod[] {
  const onNode = new Map<string, number>();
  for (const { spec } of options.related) {
    if (spec?.nodeName) onNode.set(spec.nodeName, (onNode.get(spec.nodeName) ?? 0) + 1);
  }
  const rank = (pod: Pod) => onNode.get(pod.spec?.nodeName ?? "") ?? 0;
  const { now } = options;
  return [...pods].sort(
    (a, b) =>
      Number(Boolean(a.spec?.nodeName)) - Number(Boolean(b.spec?.nodeName)) ||
      phaseOrder(a) - phaseOrder(b) ||
      Number(isReady(a)) - Number(isReady(b)) ||
      deletionCost(a) - deletionCost(b) ||
      rank(b) - rank(a) ||
      newerFirst({ a: readySince(a), b: readySince(b), now }) ||
      restarts(b) - restarts(a) ||
      newerFirst({ a: timeOf(a.metadata.creationTimestamp), b: timeOf(b.metadata.creationTimestamp), now }) ||
      (a.metadata.uid < b.metadata.uid ? -1 : 1),
  );
}

function phaseOrder(pod: Pod): number {
  switch (pod.status?.phase) {
    case "Unknown":
      return 1;
    case "Running":
      return 2;
    default:
      return 0;
  }
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[deletionCostAnnotation];
  return text !== undefined && /^(0|-?[1-9]\d{0,9})$/.test(text) ? Number(text) : 0;
}

function readySince(pod: Pod): Milliseconds {
  return isReady(pod) ? timeOf(podCondition(pod, "Ready")?.lastTransitionTime) : 0;
}

function restarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount ?? 0));
}

/** Compares ages by powers of two, so that among pods of about one age chance decides and not a minute. */
function newerFirst({ a, b, now }: { a: Milliseconds; b: Milliseconds; now: Milliseconds }): number {
  if (a === 0 || b === 0) return Number(b === 0) - Number(a === 0) === 0 ? 0 : a === 0 ? -1 : 1;
  return magnitude(now - a) - magnitude(now - b);
}

const magnitude = (age: Milliseconds) => (age <= 0 ? -1 : Math.floor(Math.log2(age * 1_000_000)));
