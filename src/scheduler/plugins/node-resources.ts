import { fits, highestScore, type Plugin, type Verdict } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { amountsOf, requestOf, type Amounts } from "../resources.ts";

/** Resources that count in scoring, all alike. */
const scoredResources = ["cpu", "memory"] as const;

/** What the node lacks for the request, and whether removing pods could make room. */
function lacking(requested: Amounts, node: NodeInfo): Verdict {
  const { allocatable } = node;
  const reasons: string[] = [];
  let preemptionMayHelp = true;
  if (node.podCount + 1 > (allocatable.pods ?? 0)) reasons.push("Too many pods");
  for (const name in requested) {
    const wanted = requested[name] ?? 0;
    if (wanted === 0 || wanted <= (allocatable[name] ?? 0) - (node.requested[name] ?? 0)) continue;
    reasons.push(`Insufficient ${name}`);
    if (wanted > (allocatable[name] ?? 0)) preemptionMayHelp = false;
  }
  const [first, ...rest] = reasons;
  return first === undefined ? fits : { type: "unfit", reasons: [first, ...rest], preemptionMayHelp };
}

/** The mean share of the scored resources that would stay free, from 0 to 100. */
function leastAllocated(request: Amounts, node: NodeInfo): number {
  let sum = 0;
  let counted = 0;
  for (const name of scoredResources) {
    const capacity = node.allocatable[name] ?? 0;
    if (capacity === 0) continue;
    const used = (node.scored[name] ?? 0) + (request[name] ?? 0);
    counted++;
    if (used <= capacity) sum += Math.floor(((capacity - used) * highestScore) / capacity);
  }
  return counted === 0 ? 0 : Math.floor(sum / counted);
}

/** How evenly CPU and memory would be used, from 0 to 100. */
function balance(request: Amounts, node: NodeInfo): number {
  const shares = scoredResources
    .filter((name) => (node.allocatable[name] ?? 0) > 0)
    .map((name) =>
      Math.min(1, ((node.requested[name] ?? 0) + (request[name] ?? 0)) / (node.allocatable[name] ?? 1)),
    );
  const [one = 0, other = one] = shares;
  return Math.floor((1 - Math.abs(one - other) / 2) * highestScore);
}

/** Requests must fit into what the node has free; nodes with more left are preferred. */
export const nodeResourcesFit: Plugin = {
  name: "NodeResourcesFit",
  weight: 1,
  prepareFilter(pod) {
    const { requested } = requestOf(pod);
    return { filter: (node) => lacking(requested, node) };
  },
  prepareScore(pod) {
    const { scored } = requestOf(pod);
    return { score: (nodes) => nodes.map((node) => leastAllocated(scored, node)) };
  },
  wokenBy: ["nodeAdded", "nodeUpdated", "podRemoved"],
  worthRetrying(pod, event) {
    if (!("node" in event)) return true;
    const { requested } = requestOf(pod);
    const allocatable = amountsOf(event.node.status.allocatable);
    return Object.keys(requested).every((name) => (requested[name] ?? 0) <= (allocatable[name] ?? 0));
  },
};

/** Prefers nodes whose CPU and memory are used in equal shares. */
export const nodeResourcesBalanced: Plugin = {
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  wokenBy: [],
  prepareScore(pod) {
    const { requested } = requestOf(pod);
    if (scoredResources.every((name) => (requested[name] ?? 0) === 0)) return undefined;
    return { score: (nodes) => nodes.map((node) => balance(requested, node)) };
  },
};
