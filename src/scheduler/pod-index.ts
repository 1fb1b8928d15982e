import type { Labels, Selector } from "../apimachinery/index.ts";
import { selectorMatches } from "../apimachinery/index.ts";
import type { Pod } from "../api/types/core-v1.ts";
import type { NodeInfo } from "./node-info.ts";

/** Pods of one namespace with the same labels: how many of them are on which node. */
export interface PodGroup {
  readonly labels: Labels;
  /** Pods on their way out are groups of their own: spreading does not count them. */
  readonly terminating: boolean;
  readonly nodes: Map<NodeInfo, number>;
}

const noLabels: Labels = {};

/**
 * All placed pods, grouped by namespace and labels. A selector is asked once for each group, not once for each pod,
 * so that affinity and spreading cost by the number of different pods.
 */
export class PodIndex {
  private readonly namespaces = new Map<string, Map<string, PodGroup>>();

  change(pod: Pod, { node, sign }: { readonly node: NodeInfo; readonly sign: 1 | -1 }): void {
    const namespace = pod.metadata.namespace ?? "";
    let groups = this.namespaces.get(namespace);
    if (groups === undefined) this.namespaces.set(namespace, (groups = new Map()));
    const labels = pod.metadata.labels ?? noLabels;
    const terminating = pod.metadata.deletionTimestamp !== undefined;
    const key = (terminating ? "-" : "+") + JSON.stringify(labels);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { labels, terminating, nodes: new Map() }));
    const count = (group.nodes.get(node) ?? 0) + sign;
    if (count > 0) group.nodes.set(node, count);
    else group.nodes.delete(node);
    if (group.nodes.size === 0) groups.delete(key);
    if (groups.size === 0) this.namespaces.delete(namespace);
  }

  groupsIn(namespace: string): Iterable<PodGroup> {
    return this.namespaces.get(namespace)?.values() ?? [];
  }

  /** Calls `found` for each node with pods that the selector chooses; more than once for a node with unlike pods. */
  forEachNode(
    { namespace, selector }: { readonly namespace: string; readonly selector: Selector },
    found: (node: NodeInfo, count: number) => void,
  ): void {
    for (const { labels, terminating, nodes } of this.groupsIn(namespace)) {
      if (terminating || !selectorMatches(selector, labels)) continue;
      for (const [node, count] of nodes) found(node, count);
    }
  }
}
