import type { Labels, Selector } from "../apimachinery/index.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from "../api/types/core-v1.ts";
import type { StorageClass } from "../api/types/storage-v1.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodIndex } from "./pod-index.ts";

/** Whether a pod may run on a node, from one plugin's view. */
export type Verdict =
  | { readonly type: "fits" }
  | {
      readonly type: "unfit";
      readonly reasons: readonly [string, ...string[]];
      /** Whether removing pods from the node could change the verdict. */
      readonly preemptionMayHelp: boolean;
    };

export type Unfit = Extract<Verdict, { type: "unfit" }>;

export const fits: Verdict = { type: "fits" };

export function unfit(reason: string, options: { readonly preemptionMayHelp: boolean }): Unfit {
  return { type: "unfit", reasons: [reason], preemptionMayHelp: options.preemptionMayHelp };
}

/** What else of the cluster's objects plugins ask about. */
export interface ClusterView {
  /** Undefined when there is no such namespace. */
  namespaceLabels(namespace: string): Labels | undefined;
  namespacesMatching(selector: Selector): readonly string[];
  /** Chooses the pods that serve the same purpose, by the pod's services and its owner; undefined without any. */
  spreadSelector(pod: Pod): Selector | undefined;
  claim(key: { readonly namespace: string; readonly name: string }): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumes(): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
}

/** The cluster as one scheduling cycle sees it; does not change during the cycle. */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  /** Nodes with pods that have affinity or anti-affinity to pods. */
  readonly nodesWithAffinity: Iterable<NodeInfo>;
  /** Nodes with pods that require anti-affinity to pods. */
  readonly nodesWithRequiredAntiAffinity: Iterable<NodeInfo>;
  /** Placed pods by namespace and labels. */
  readonly pods: PodIndex;
  /** On how many nodes the image is present. */
  nodesWithImage(image: string): number;
  /** Whether any node has a taint that only discourages. */
  readonly hasSoftTaints: boolean;
  /** Pods that preempted others for room on the node and wait for it, if any. */
  nominatedOn(node: string): Iterable<Pod> | undefined;
  readonly cluster: ClusterView;
}

/** What a plugin has found out about one pod, for its own use on each node. */
export interface PodFilter {
  filter(node: NodeInfo): Verdict;
  /** Names of the only nodes that can fit; absent: any can. */
  readonly onlyNodes?: ReadonlySet<string>;
  /** Counts `pod` as added to (1) or removed from (-1) the node in a trial; the opposite change undoes it. */
  change?(change: PodChange): void;
}

export interface PodChange {
  readonly pod: Pod;
  readonly node: NodeInfo;
  readonly sign: 1 | -1;
}

/** A pod that no node can take, whatever the nodes are like. */
export interface Rejection {
  readonly type: "rejected";
  readonly reason: string;
}

export interface PodScorer {
  /** A score from 0 to 100 for each node that fits; higher is better. */
  score(nodes: readonly NodeInfo[]): readonly number[];
}

/** A cluster event that may make an unschedulable pod schedulable. */
export type ClusterEvent =
  | { readonly type: "nodeAdded"; readonly node: Node }
  | { readonly type: "nodeUpdated"; readonly node: Node; readonly old: Node }
  | { readonly type: "podRemoved"; readonly pod: Pod }
  | { readonly type: "podAssigned"; readonly pod: Pod }
  | { readonly type: "volumesChanged" };

/**
 * One rule of scheduling. A plugin answers undefined from `prepareFilter` or `prepareScore` when it has nothing
 * to say about the pod, so that it costs nothing per node.
 */
export interface Plugin {
  readonly name: string;
  prepareFilter?(pod: Pod, snapshot: Snapshot): PodFilter | Rejection | undefined;
  /** `candidates` are the nodes that fit and will be scored. */
  prepareScore?(pod: Pod, snapshot: Snapshot, candidates: readonly NodeInfo[]): PodScorer | undefined;
  /** Share of this plugin's score in the sum. */
  readonly weight?: number;
  /** Events after which a pod that this plugin turned down may be worth another try. */
  readonly wokenBy: readonly ClusterEvent["type"][];
  /** Whether it is after this very event; absent: always. */
  worthRetrying?(pod: Pod, event: ClusterEvent): boolean;
}

export const highestScore = 100;

/** Scales scores linearly so that the highest is 100; turned round when `reverse`. */
export function normalized(scores: readonly number[], options: { readonly reverse: boolean }): number[] {
  let highest = 0;
  for (const score of scores) if (score > highest) highest = score;
  if (highest === 0) return scores.map(() => (options.reverse ? highestScore : 0));
  return scores.map((score) => {
    const scaled = Math.floor((score * highestScore) / highest);
    return options.reverse ? highestScore - scaled : scaled;
  });
}
