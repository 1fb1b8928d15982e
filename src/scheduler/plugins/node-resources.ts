import { fits, highestScore, type Plugin, type Verdict } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { amountsOf, requestOf, type Amounts } from "../resources.ts";

/** What the pod asks for, without the zeros. */
type Wanted = readonly (readonly [name: string, amount: number])[];

const wantedOf = (requested: Amounts): Wanted => Object.entries(requested).filter(([, amount]) => amount > 0);

/** What the node lacks for the request, and whether removing pods could make room. */
function lacking(wanted: Wanted, node: NodeInfo): Verdict {
  const { allocatable, requested } = node;
  let reasons: string[] | undefined;
  let preemptionMayHelp = true;
  if (node.podCount + 1 > (allocatable["pods"] ?? 0)) reasons = ["Too many pods"];
  for (const [name, amount] of wanted) {
    if (amount <= (allocatable[name] ?? 0) - (requested[name] ?? 0)) continue;
    (reasons ??= []).push(`Insufficient ${name}`);
    if (amount > (allocatable[name] ?? 0)) preemptionMayHelp = false;
  }
  if (reasons === undefined) return fits;
  const [first = "", ...rest] = reasons;
  return { type: "unfit", reasons: [first, ...rest], preemptionMayHelp };
}

/** The share that would stay free, from 0 to 100. */
function freeShare(used: number, capacity: number): number {
  return used <= capacity ? Math.floor(((capacity - used) * highestScore) / capacity) : 0;
}

/** The mean share of CPU and memory that would stay free. */
function leastAllocated({ cpu = 0, memory = 0 }: Amounts, { allocatable, scored }: NodeInfo): number {
  const { cpu: cpuCapacity = 0, memory: memoryCapacity = 0 } = allocatable;
  const counted = (cpuCapacity > 0 ? 1 : 0) + (memoryCapacity > 0 ? 1 : 0);
  if (counted === 0) return 0;
  let sum = 0;
  if (cpuCapacity > 0) sum += freeShare((scored["cpu"] ?? 0) + cpu, cpuCapacity);
  if (memoryCapacity > 0) sum += freeShare((scored["memory"] ?? 0) + memory, memoryCapacity);
  return Math.floor(sum / counted);
}

/** How evenly CPU and memory would be used, from 0 to 100. */
function balance({ cpu = 0, memory = 0 }: Amounts, { allocatable, requested }: NodeInfo): number {
  const { cpu: cpuCapacity = 0, memory: memoryCapacity = 0 } = allocatable;
  if (cpuCapacity === 0 || memoryCapacity === 0) return highestScore;
  const cpuShare = Math.min(1, ((requested["cpu"] ?? 0) + cpu) / cpuCapacity);
  const memoryShare = Math.min(1, ((requested["memory"] ?? 0) + memory) / memoryCapacity);
  return Math.floor((1 - Math.abs(cpuShare - memoryShare) / 2) * highestScore);
}

/** Requests must fit into what the node has free; nodes with more left are preferred. */
export const nodeResourcesFit: Plugin = {
  name: "NodeResourcesFit",
  weight: 1,
  prepareFilter(pod) {
    const wanted = wantedOf(requestOf(pod).requested);
    return { filter: (node) => lacking(wanted, node) };
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
    if ((requested["cpu"] ?? 0) === 0 && (requested["memory"] ?? 0) === 0) return undefined;
    return { score: (nodes) => nodes.map((node) => balance(requested, node)) };
  },
};
