import type { Random } from "../base/index.ts";
import { labelSelectorOf, selectorMatches } from "../apimachinery/index.ts";
import type { Pod } from "../api/types/core-v1.ts";
import type { PodDisruptionBudget } from "../api/types/policy-v1.ts";
import {
  changePod,
  countReasons,
  formatReasons,
  judgeWithNominated,
  type ActiveFilter,
  type Diagnosis,
} from "./cycle.ts";
import type { Snapshot } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";

/** What comes of looking for less important pods that could make room. */
export type PreemptionPlan =
  | { readonly type: "preempt"; readonly node: NodeInfo; readonly victims: readonly Pod[] }
  /** `message` says why; a nomination of before is void when `clearsNomination`. */
  | { readonly type: "none"; readonly message: string; readonly clearsNomination: boolean };

export interface PreemptionContext {
  readonly snapshot: Snapshot;
  readonly budgets: readonly PodDisruptionBudget[];
  readonly random: Random;
}

/** A node that would take the pod without these pods. */
interface Candidate {
  readonly node: NodeInfo;
  /** The most important first. */
  readonly victims: readonly Pod[];
  readonly violations: number;
}

/** Candidates that are enough to choose among: this share of the nodes, and this many at the least. */
const candidateShare = 0.1;
const fewestCandidates = 100;

const unhelpful = "Preemption is not helpful for scheduling";
const noVictims = "No preemption victims found for incoming pod";
export const preemptionReason = "PreemptionByScheduler";

const priorityOf = ({ spec }: Pod) => spec.priority ?? 0;
/** Pods that have not started yet count as the youngest. */
const startOf = ({ status: { startTime } }: Pod) =>
  startTime === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(startTime);

/** Decides which pods must go for the pod to fit, and where; nothing is changed. */
export function planPreemption(pod: Pod, diagnosis: Diagnosis, context: PreemptionContext): PreemptionPlan {
  const ineligible = whyIneligible(pod, diagnosis, context.snapshot);
  if (ineligible !== undefined) return { type: "none", message: ineligible, clearsNomination: false };
  const nodeCount = context.snapshot.nodes.length;
  const reasons: string[] = [];
  const candidates: Candidate[] = [];
  const helpful = diagnosis.type === "refused" ? helpfulNodes(diagnosis) : [];
  const wanted = Math.min(Math.max(Math.trunc(nodeCount * candidateShare), fewestCandidates), nodeCount);
  const offset = Math.floor(context.random.next() * helpful.length);
  for (let index = 0; index < helpful.length && candidates.length < wanted; index++) {
    const node = helpful[(offset + index) % helpful.length];
    if (node === undefined || diagnosis.type !== "refused") break;
    const found = victimsOn(node, { ...context, pod, filters: diagnosis.filters });
    if (found.type === "candidate") candidates.push(found.candidate);
    else reasons.push(...found.reasons);
  }
  const best = bestOf(candidates);
  if (best !== undefined) return { type: "preempt", node: best.node, victims: best.victims };
  const counts = countReasons(reasons);
  if (helpful.length < nodeCount) counts.set(unhelpful, nodeCount - helpful.length);
  const message = `0/${nodeCount} nodes are available: ${formatReasons(counts)}.`;
  return { type: "none", message, clearsNomination: true };
}

function helpfulNodes({ refusals }: Extract<Diagnosis, { type: "refused" }>): NodeInfo[] {
  return [...refusals].flatMap(([node, { verdict }]) => (verdict.preemptionMayHelp ? [node] : []));
}

function whyIneligible(pod: Pod, diagnosis: Diagnosis, snapshot: Snapshot): string | undefined {
  if (pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const nominated = snapshot.node(pod.status.nominatedNodeName ?? "");
  if (nominated === undefined) return undefined;
  const hopeless =
    diagnosis.type === "rejected" || diagnosis.refusals.get(nominated)?.verdict.preemptionMayHelp === false;
  if (hopeless) return undefined;
  for (const other of nominated.pods) {
    if (priorityOf(other) < priorityOf(pod) && isGoingByPreemption(other))
      return "not eligible due to a terminating pod on the nominated node.";
  }
  return undefined;
}

function isGoingByPreemption({ metadata, status }: Pod): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    status.conditions?.some(
      (condition) =>
        condition.type === "DisruptionTarget" &&
        condition.status === "True" &&
        condition.reason === preemptionReason,
    ) === true
  );
}

type Trial =
  | { readonly type: "candidate"; readonly candidate: Candidate }
  | { readonly type: "none"; readonly reasons: readonly string[] };

/** Takes all less important pods off a copy of the node and puts back those that may stay, the most important first. */
function victimsOn(
  node: NodeInfo,
  context: PreemptionContext & { readonly pod: Pod; readonly filters: readonly ActiveFilter[] },
): Trial {
  const { pod, filters, budgets } = context;
  const lesser = [...node.pods].filter((other) => priorityOf(other) < priorityOf(pod)).sort(byImportance);
  if (lesser.length === 0) return { type: "none", reasons: [noVictims] };
  const trial = node.clone();
  for (const other of lesser) changePod({ pod: other, node: trial, sign: -1 }, filters);
  const removed = new Set(lesser);
  try {
    const refusal = judgeWithNominated(trial, context);
    if (refusal !== undefined) return { type: "none", reasons: refusal.verdict.reasons };
    const { violating, others } = byBudgets(lesser, budgets);
    let violations = 0;
    for (const other of [...violating, ...others]) {
      changePod({ pod: other, node: trial, sign: 1 }, filters);
      removed.delete(other);
      if (judgeWithNominated(trial, context) === undefined) continue;
      changePod({ pod: other, node: trial, sign: -1 }, filters);
      removed.add(other);
      if (violating.includes(other)) violations++;
    }
    return { type: "candidate", candidate: { node, victims: [...removed].sort(byImportance), violations } };
  } finally {
    for (const other of removed) changePod({ pod: other, node: trial, sign: 1 }, filters);
  }
}

/** Higher priority first; among equals, those that run longer. */
function byImportance(one: Pod, other: Pod): number {
  return priorityOf(other) - priorityOf(one) || startOf(one) - startOf(other);
}

/** Parts the pods into those whose removal breaks a budget, given the removals before, and the others. */
function byBudgets(
  pods: readonly Pod[],
  budgets: readonly PodDisruptionBudget[],
): { violating: readonly Pod[]; others: readonly Pod[] } {
  const counters = budgets.map((budget) => ({
    budget,
    selector: labelSelectorOf(budget.spec.selector),
    allowed: budget.status.disruptionsAllowed ?? 0,
  }));
  const violating: Pod[] = [];
  const others: Pod[] = [];
  for (const pod of pods) {
    let violates = false;
    const { namespace, name, labels = {} } = pod.metadata;
    for (const counter of counters) {
      const { budget, selector } = counter;
      const applies =
        budget.metadata.namespace === namespace &&
        Object.keys(labels).length > 0 &&
        selector.requirements.length > 0 &&
        selectorMatches(selector, labels);
      if (!applies || budget.status.disruptedPods?.[name] !== undefined) continue;
      counter.allowed--;
      if (counter.allowed < 0) violates = true;
    }
    (violates ? violating : others).push(pod);
  }
  return { violating, others };
}

/** Makes any negative priority count as one more victim would. */
const aboveAnyPriority = 2 ** 31;

/** Criteria in their order; the lowest wins each. */
const criteria: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims: [first] }) => (first === undefined ? -Infinity : priorityOf(first)),
  ({ victims }) => victims.reduce((sum, victim) => sum + priorityOf(victim) + aboveAnyPriority, 0),
  ({ victims }) => victims.length,
  // The latest start wins, of those that run longest among the most important victims.
  ({ victims }) => {
    const [first] = victims;
    return first === undefined ? 0 : -startOf(first);
  },
];

function bestOf(candidates: readonly Candidate[]): Candidate | undefined {
  let left = candidates;
  for (const criterion of criteria) {
    if (left.length <= 1) break;
    const values = left.map(criterion);
    const lowest = Math.min(...values);
    left = left.filter((_candidate, index) => values[index] === lowest);
  }
  return left[0];
}
