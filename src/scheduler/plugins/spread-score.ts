import type { Pod } from "../../api/types/core-v1.ts";
import { highestScore, type PodScorer, type Snapshot } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { constraintsOf, isIncluded, type Constraint } from "./spread-constraints.ts";

const hostname = "kubernetes.io/hostname";
const zone = "topology.kubernetes.io/zone";

/** How pods of one service or owner spread that do not say it themselves. */
const systemDefaults = [
  { topologyKey: hostname, maxSkew: 3 },
  { topologyKey: zone, maxSkew: 5 },
] as const;

function softConstraints(pod: Pod, snapshot: Snapshot): readonly Constraint[] {
  if ((pod.spec.topologySpreadConstraints?.length ?? 0) > 0) return constraintsOf(pod, "ScheduleAnyway");
  const selector = snapshot.cluster.spreadSelector(pod);
  if (selector === undefined) return [];
  return systemDefaults.map((defaults) => ({
    ...defaults,
    selector,
    minDomains: 1,
    honorsAffinity: true,
    honorsTaints: false,
  }));
}

/** A constraint with the matching pods of each place that candidates are in. */
interface Tally {
  readonly constraint: Constraint;
  readonly byNode: ReadonlyMap<NodeInfo, number>;
  readonly byValue: ReadonlyMap<string, number>;
  /** Grows with the number of places, so that a few zones do not drown many nodes. */
  readonly weight: number;
}

/** Scores nodes higher the fewer pods of the kind are in their places. */
export function prepareSpreadScore(
  pod: Pod,
  snapshot: Snapshot,
  candidates: readonly NodeInfo[],
): PodScorer | undefined {
  const constraints = softConstraints(pod, snapshot);
  if (constraints.length === 0) return undefined;
  const needsAllLabels = (pod.spec.topologySpreadConstraints?.length ?? 0) > 0;
  const hasAllLabels = (info: NodeInfo) =>
    constraints.every(({ topologyKey }) => info.node?.metadata.labels?.[topologyKey] !== undefined);
  const counts = (info: NodeInfo) => !needsAllLabels || hasAllLabels(info);
  const counted = needsAllLabels ? candidates.filter(counts) : candidates;
  const tallies = constraints.map((constraint) => tally(constraint, { pod, snapshot, counted, counts }));
  return {
    score: (nodes) => turnedRound(nodes.map((node) => (counts(node) ? sumOf(node, tallies) : undefined))),
  };
}

function tally(
  constraint: Constraint,
  context: {
    readonly pod: Pod;
    readonly snapshot: Snapshot;
    readonly counted: readonly NodeInfo[];
    readonly counts: (node: NodeInfo) => boolean;
  },
): Tally {
  const { pod, snapshot, counted, counts } = context;
  const { topologyKey, selector } = constraint;
  const byHost = topologyKey === hostname;
  const byNode = new Map<NodeInfo, number>();
  const byValue = new Map<string, number>();
  if (!byHost) {
    for (const { node } of counted) {
      const value = node?.metadata.labels?.[topologyKey];
      if (value !== undefined) byValue.set(value, 0);
    }
  }
  if (byHost || byValue.size > 0) {
    const namespace = pod.metadata.namespace ?? "";
    snapshot.pods.forEachNode({ namespace, selector }, (node, count) => {
      if (byHost) return void byNode.set(node, (byNode.get(node) ?? 0) + count);
      const before = byValue.get(node.node?.metadata.labels?.[topologyKey] ?? "");
      if (before === undefined || !counts(node) || !isIncluded(node, constraint, pod)) return;
      byValue.set(node.node?.metadata.labels?.[topologyKey] ?? "", before + count);
    });
  }
  return { constraint, byNode, byValue, weight: Math.log((byHost ? counted.length : byValue.size) + 2) };
}

function sumOf(info: NodeInfo, tallies: readonly Tally[]): number {
  let sum = 0;
  for (const { constraint, byNode, byValue, weight } of tallies) {
    const value = info.node?.metadata.labels?.[constraint.topologyKey];
    if (value === undefined) continue;
    const count = constraint.topologyKey === hostname ? (byNode.get(info) ?? 0) : (byValue.get(value) ?? 0);
    sum += count * weight + (constraint.maxSkew - 1);
  }
  return Math.round(sum);
}

/** The fewest pods score 100; nodes that do not count score 0. */
function turnedRound(sums: readonly (number | undefined)[]): number[] {
  let [lowest, highest] = [Infinity, 0];
  for (const sum of sums) {
    if (sum === undefined) continue;
    if (sum < lowest) lowest = sum;
    if (sum > highest) highest = sum;
  }
  return sums.map((sum) => {
    if (sum === undefined) return 0;
    if (highest === 0) return highestScore;
    return Math.floor((highestScore * (highest + lowest - sum)) / highest);
  });
}
