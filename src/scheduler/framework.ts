import type { Node, Pod } from "../api/types/core-v1.ts";
import type { NodeInfo } from "./node-info.ts";

/** Whether a pod may run on a node, from one plugin's view. */
export type Verdict =
  | { readonly type: "fits" }
  | {
      readonly type: "unfit";
      readonly reasons: readonly [string, ...string[]];
      /** Whether removing pods from the node could change the verdict. */
      readonly preemptionMayHelp: boolean;
    };

export const fits: Verdict = { type: "fits" };

export function unfit(reason: string, options: { readonly preemptionMayHelp: boolean }): Verdict {
  return { type: "unfit", reasons: [reason], preemptionMayHelp: options.preemptionMayHelp };
}

/** The cluster as one scheduling cycle sees it; does not change during the cycle. */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
}

/** What a plugin has found out about one pod, for its own use on each node. */
export interface PodFilter {
  filter(node: NodeInfo): Verdict;
}

export interface PodScorer {
  /** A score for each node that fits; higher is better, any range. */
  score(nodes: readonly NodeInfo[]): readonly number[];
}

/** A cluster event that may make an unschedulable pod schedulable. */
export type ClusterEvent =
  | { readonly type: "nodeAdded"; readonly node: Node }
  | { readonly type: "nodeUpdated"; readonly node: Node; readonly old: Node }
  | { readonly type: "podRemoved"; readonly pod: Pod }
  | { readonly type: "podAssigned"; readonly pod: Pod };

/**
 * One rule of scheduling. A plugin answers undefined from `prepareFilter` or `prepareScore` when it has nothing
 * to say about the pod, so that it costs nothing per node.
 */
export interface Plugin {
  readonly name: string;
  prepareFilter?(pod: Pod, snapshot: Snapshot): PodFilter | undefined;
  prepareScore?(pod: Pod, snapshot: Snapshot): PodScorer | undefined;
  /** Share of this plugin's score, which is scaled to 0 … 100 first. */
  readonly weight?: number;
  /** Whether a pod that this plugin turned down is worth another try after the event. */
  worthRetrying?(pod: Pod, event: ClusterEvent): boolean;
}

export const highestScore = 100;

/** Scales scores linearly so that the highest is 100; turned round when `reverse`. */
export function normalized(scores: readonly number[], options: { readonly reverse: boolean }): number[] {
  const highest = Math.max(0, ...scores);
  if (highest === 0) return scores.map(() => (options.reverse ? highestScore : 0));
  return scores.map((score) => {
    const scaled = Math.floor((score * highestScore) / highest);
    return options.reverse ? highestScore - scaled : scaled;
  });
}
