import type { Random } from "../base/index.ts";
import type { Pod } from "../api/types/core-v1.ts";
import { fits, type Plugin, type PodFilter, type Snapshot, type Unfit } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";

/** What one try to place a pod comes to. */
export type Placement =
  | { readonly type: "placed"; readonly node: NodeInfo; readonly looked: number }
  | { readonly type: "unplaced"; readonly diagnosis: Diagnosis; readonly looked: number };

/** Why a pod found no node. */
export type Diagnosis =
  /** A plugin says that no node can do. */
  | { readonly type: "rejected"; readonly plugin: string; readonly reason: string }
  | {
      readonly type: "refused";
      /** Why each node that was looked at was turned down, and by which plugin. */
      readonly refusals: ReadonlyMap<NodeInfo, Refusal>;
      /** Nodes left out beforehand, and the plugins that did it. */
      readonly excluded: { readonly count: number; readonly plugins: readonly string[] };
      readonly filters: readonly ActiveFilter[];
    };

export interface Refusal {
  readonly plugin: string;
  readonly verdict: Unfit;
}

/** A plugin's filter for the pod at hand. */
export interface ActiveFilter {
  readonly plugin: string;
  readonly filter: PodFilter;
}

export interface PlaceOptions {
  readonly snapshot: Snapshot;
  readonly plugins: readonly Plugin[];
  readonly random: Random;
  /** Where in the list of nodes to begin. */
  readonly start: number;
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

/** Chooses a node for the pod: filter, score, the best; among equals by chance. */
export function place(pod: Pod, options: PlaceOptions): Placement {
  const { snapshot, plugins } = options;
  const prepared = prepareFilters(pod, { snapshot, plugins });
  if (prepared.type === "rejected") return { type: "unplaced", diagnosis: prepared, looked: 0 };
  const { filters, nodes, excluded } = prepared;
  const nominated = nominatedNode(pod, prepared, snapshot);
  if (nominated !== undefined) return { type: "placed", node: nominated, looked: 0 };
  const wanted = enoughNodes(nodes.length);
  const candidates: NodeInfo[] = [];
  const refusals = new Map<NodeInfo, Refusal>();
  const context = { pod, filters, snapshot };
  let looked = 0;
  for (; looked < nodes.length && candidates.length < wanted; looked++) {
    const node = nodes[(options.start + looked) % nodes.length];
    if (node === undefined) break;
    const refusal = judgeWithNominated(node, context);
    if (refusal === undefined) candidates.push(node);
    else refusals.set(node, refusal);
  }
  const node = best(candidates, { ...options, pod });
  if (node !== undefined) return { type: "placed", node, looked };
  return { type: "unplaced", diagnosis: { type: "refused", refusals, excluded, filters }, looked };
}

interface PreparedFilters {
  readonly type: "filters";
  readonly filters: readonly ActiveFilter[];
  readonly nodes: readonly NodeInfo[];
  readonly excluded: { readonly count: number; readonly plugins: readonly string[] };
}

function prepareFilters(
  pod: Pod,
  { snapshot, plugins }: { snapshot: Snapshot; plugins: readonly Plugin[] },
): PreparedFilters | Extract<Diagnosis, { type: "rejected" }> {
  const filters: ActiveFilter[] = [];
  const excluding: string[] = [];
  let only: ReadonlySet<string> | undefined;
  for (const plugin of plugins) {
    const filter = plugin.prepareFilter?.(pod, snapshot);
    if (filter === undefined) continue;
    if ("reason" in filter) return { type: "rejected", plugin: plugin.name, reason: filter.reason };
    filters.push({ plugin: plugin.name, filter });
    const { onlyNodes } = filter;
    if (onlyNodes === undefined) continue;
    excluding.push(plugin.name);
    const before: ReadonlySet<string> | undefined = only;
    only = before === undefined ? onlyNodes : new Set([...onlyNodes].filter((name) => before.has(name)));
  }
  const nodes = only === undefined ? snapshot.nodes : [...only].flatMap((name) => snapshot.node(name) ?? []);
  const excluded = { count: snapshot.nodes.length - nodes.length, plugins: excluding };
  return { type: "filters", filters, nodes, excluded };
}

/** The node that the pod waits for after it preempted others, once it fits there. */
function nominatedNode(
  pod: Pod,
  { filters, nodes }: PreparedFilters,
  snapshot: Snapshot,
): NodeInfo | undefined {
  const node = snapshot.node(pod.status.nominatedNodeName ?? "");
  if (node === undefined || (nodes !== snapshot.nodes && !nodes.includes(node))) return undefined;
  return judgeWithNominated(node, { pod, filters, snapshot }) === undefined ? node : undefined;
}

/** Why the node does not take the pod as it stands; undefined when it does. */
export function judge(node: NodeInfo, filters: readonly ActiveFilter[]): Refusal | undefined {
  for (const { plugin, filter } of filters) {
    const verdict = filter.filter(node);
    if (verdict !== fits && verdict.type === "unfit") return { plugin, verdict };
  }
  return undefined;
}

/** Judges also with the pods added that wait for this node and are as important: both ways must fit. */
export function judgeWithNominated(
  node: NodeInfo,
  context: {
    readonly pod: Pod;
    readonly filters: readonly ActiveFilter[];
    readonly snapshot: Snapshot;
  },
): Refusal | undefined {
  const { pod, filters, snapshot } = context;
  const waiting = snapshot.nominatedOn(node.name);
  if (waiting === undefined) return judge(node, filters);
  let crowded: NodeInfo | undefined;
  const added: Pod[] = [];
  for (const other of waiting) {
    const before = (other.spec.priority ?? 0) >= (pod.spec.priority ?? 0);
    if (!before || other.metadata.uid === pod.metadata.uid) continue;
    crowded ??= node.clone();
    changePod({ pod: other, node: crowded, sign: 1 }, filters);
    added.push(other);
  }
  if (crowded !== undefined) {
    const refusal = judge(crowded, filters);
    for (const other of added) changePod({ pod: other, node: crowded, sign: -1 }, filters);
    if (refusal !== undefined) return refusal;
  }
  return judge(node, filters);
}

/** Adds a pod to a clone of a node, or takes it off, as the filters see it. */
export function changePod(
  { pod, node, sign }: { readonly pod: Pod; readonly node: NodeInfo; readonly sign: 1 | -1 },
  filters: readonly ActiveFilter[],
): void {
  if (sign === 1) node.add(pod);
  else node.remove(pod);
  for (const { filter } of filters) filter.change?.({ pod, node, sign });
}

function best(
  candidates: readonly NodeInfo[],
  { pod, snapshot, plugins, random }: PlaceOptions & { readonly pod: Pod },
): NodeInfo | undefined {
  if (candidates.length <= 1) return candidates[0];
  const totals = new Float64Array(candidates.length);
  for (const plugin of plugins) {
    const scores = plugin.prepareScore?.(pod, snapshot, candidates)?.score(candidates);
    if (scores === undefined) continue;
    const { weight = 1 } = plugin;
    for (let index = 0; index < totals.length; index++)
      totals[index] = (totals[index] ?? 0) + (scores[index] ?? 0) * weight;
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

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.`, and what preemption had to say. */
export function unplacedMessage(
  diagnosis: Diagnosis,
  { nodeCount, preemption }: { readonly nodeCount: number; readonly preemption?: string | undefined },
): string {
  if (nodeCount === 0) return "no nodes available to schedule pods";
  const why = diagnosis.type === "rejected" ? `${diagnosis.reason}.` : `${reasonsOf(diagnosis)}.`;
  const message = `0/${nodeCount} nodes are available: ${why}`;
  // Upstream's dynamic resources are asked first for room, and say this when they have none to give.
  return preemption === undefined
    ? message
    : `${message} no new claims to deallocate, preemption: ${preemption}`;
}

function reasonsOf({ refusals, excluded }: Extract<Diagnosis, { type: "refused" }>): string {
  const reasons = [...refusals.values()].flatMap(({ verdict }) => verdict.reasons);
  const counts = countReasons(reasons);
  if (excluded.count > 0)
    counts.set(`node(s) didn't satisfy plugin(s) [${excluded.plugins.join(" ")}]`, excluded.count);
  return formatReasons(counts);
}

export function countReasons(reasons: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}

export function formatReasons(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
