import type { Random } from "../base/index.ts";
import type { Pod } from "../api/types/core-v1.ts";
import { fits, type Plugin, type PodFilter, type Snapshot, type Verdict } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";

/** What one try to place a pod comes to. */
export type Placement =
  | { readonly type: "placed"; readonly node: NodeInfo }
  | {
      readonly type: "unplaced";
      /** Why each node was turned down, and by which plugin. */
      readonly refusals: ReadonlyMap<NodeInfo, Refusal>;
    };

export interface Refusal {
  readonly plugin: string;
  readonly verdict: Extract<Verdict, { type: "unfit" }>;
}

/** Below this many nodes all are looked at. */
const fewNodes = 100;
/** The share of nodes looked for falls with their number, to this at the least. */
const smallestPercentage = 5;

/** How many fitting nodes are enough to choose among, as upstream's adaptive sampling has it. */
export function enoughNodes(count: number): number {
  if (count < fewNodes) return count;
  const percentage = Math.max(smallestPercentage, Math.trunc(50 - count / 125));
  return Math.max(fewNodes, Math.trunc((count * percentage) / 100));
}

interface ActiveFilter {
  readonly plugin: string;
  readonly filter: PodFilter;
}

function filtersFor(pod: Pod, snapshot: Snapshot, plugins: readonly Plugin[]): ActiveFilter[] {
  return plugins.flatMap((plugin) => {
    const filter = plugin.prepareFilter?.(pod, snapshot);
    return filter === undefined ? [] : [{ plugin: plugin.name, filter }];
  });
}

function judge(node: NodeInfo, filters: readonly ActiveFilter[]): Refusal | undefined {
  for (const { plugin, filter } of filters) {
    const verdict = filter.filter(node);
    if (verdict !== fits && verdict.type === "unfit") return { plugin, verdict };
  }
  return undefined;
}

/** Whether all plugins let the pod onto the node as it stands. */
export function fitsOn(
  node: NodeInfo,
  options: { pod: Pod; snapshot: Snapshot; plugins: readonly Plugin[] },
): boolean {
  return judge(node, filtersFor(options.pod, options.snapshot, options.plugins)) === undefined;
}

/** Chooses a node for the pod: filter, score, the best; among equals by chance. `start` is where in the list to begin. */
export function place(
  pod: Pod,
  options: {
    readonly snapshot: Snapshot;
    readonly plugins: readonly Plugin[];
    readonly random: Random;
    readonly start: number;
  },
): Placement & { readonly looked: number } {
  const { snapshot, plugins, random, start } = options;
  const { nodes } = snapshot;
  const filters = filtersFor(pod, snapshot, plugins);
  const wanted = enoughNodes(nodes.length);
  const candidates: NodeInfo[] = [];
  const refusals = new Map<NodeInfo, Refusal>();
  let looked = 0;
  for (; looked < nodes.length && candidates.length < wanted; looked++) {
    const node = nodes[(start + looked) % nodes.length];
    if (node === undefined) break;
    const refusal = judge(node, filters);
    if (refusal === undefined) candidates.push(node);
    else refusals.set(node, refusal);
  }
  const node = best(candidates, { pod, snapshot, plugins, random });
  return node === undefined ? { type: "unplaced", refusals, looked } : { type: "placed", node, looked };
}

function best(
  candidates: readonly NodeInfo[],
  {
    pod,
    snapshot,
    plugins,
    random,
  }: { pod: Pod; snapshot: Snapshot; plugins: readonly Plugin[]; random: Random },
): NodeInfo | undefined {
  if (candidates.length <= 1) return candidates[0];
  const totals = Array.from(candidates, () => 0);
  for (const plugin of plugins) {
    const scores = plugin.prepareScore?.(pod, snapshot)?.score(candidates);
    scores?.forEach((score, index) => (totals[index] = (totals[index] ?? 0) + score * (plugin.weight ?? 1)));
  }
  let winner = 0;
  let equals = 1;
  for (let index = 1; index < totals.length; index++) {
    const difference = (totals[index] ?? 0) - (totals[winner] ?? 0);
    if (difference > 0) {
      winner = index;
      equals = 1;
    } else if (difference === 0 && random.next() < 1 / ++equals) winner = index;
  }
  return candidates[winner];
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` */
export function unplacedMessage(refusals: ReadonlyMap<NodeInfo, Refusal>, nodeCount: number): string {
  if (nodeCount === 0) return "no nodes available to schedule pods";
  const counts = new Map<string, number>();
  for (const { verdict } of refusals.values()) {
    for (const reason of verdict.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodeCount} nodes are available: ${parts.join(", ")}.`;
}
