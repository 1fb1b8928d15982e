import { selectorMatches } from "../../apimachinery/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import {
  fits,
  highestScore,
  unfit,
  type Plugin,
  type PodChange,
  type PodFilter,
  type Snapshot,
  type Verdict,
} from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { namespacesOf, termMatches, termsOf, type Term, type Terms } from "./pod-terms.ts";

const noAffinity = unfit("node(s) didn't match pod affinity rules", { preemptionMayHelp: false });
const antiAffinity = unfit("node(s) didn't match pod anti-affinity rules", { preemptionMayHelp: true });
const existingAntiAffinity = unfit("node(s) didn't satisfy existing pods anti-affinity rules", {
  preemptionMayHelp: true,
});

/** What a pod's required affinity to a matching pod counts in scoring of the latter. */
const hardAffinityWeight = 1;

/** Sums by topology key and value. */
class TopologySums {
  private readonly sums = new Map<string, Map<string, number>>();

  get empty(): boolean {
    for (const values of this.sums.values()) if (values.size > 0) return false;
    return true;
  }

  add(topologyKey: string, node: NodeInfo, amount: number): void {
    const value = node.node?.metadata.labels?.[topologyKey];
    if (value === undefined) return;
    let values = this.sums.get(topologyKey);
    if (values === undefined) this.sums.set(topologyKey, (values = new Map()));
    const sum = (values.get(value) ?? 0) + amount;
    if (sum === 0) values.delete(value);
    else values.set(value, sum);
  }

  at(topologyKey: string, node: NodeInfo): number {
    const value = node.node?.metadata.labels?.[topologyKey];
    return value === undefined ? 0 : (this.sums.get(topologyKey)?.get(value) ?? 0);
  }

  /** The sum over all topology keys. */
  total(node: NodeInfo): number {
    let total = 0;
    for (const key of this.sums.keys()) total += this.at(key, node);
    return total;
  }
}

class AffinityFilter implements PodFilter {
  private readonly pod: Pod;
  private readonly snapshot: Snapshot;
  private readonly terms: Terms;
  /** Pods that match all of the pod's affinity terms. */
  private readonly wanted = new TopologySums();
  private readonly unwanted = new TopologySums();
  /** Pods that do not want this pod near. */
  private readonly averse = new TopologySums();

  constructor(pod: Pod, snapshot: Snapshot) {
    this.pod = pod;
    this.snapshot = snapshot;
    this.terms = termsOf(pod);
    for (const node of snapshot.nodesWithRequiredAntiAffinity) {
      for (const other of node.podsWithRequiredAntiAffinity.values()) this.countAverse(other, node, 1);
    }
    const [first, ...others] = this.terms.required;
    if (first !== undefined) {
      forEachMatch([first, ...others], snapshot, (node, count) => {
        for (const { topologyKey } of this.terms.required) this.wanted.add(topologyKey, node, count);
      });
    }
    for (const term of this.terms.requiredAnti) {
      forEachMatch([term], snapshot, (node, count) => this.unwanted.add(term.topologyKey, node, count));
    }
  }

  get idle(): boolean {
    const { required, requiredAnti } = this.terms;
    return required.length === 0 && requiredAnti.length === 0 && this.averse.empty;
  }

  filter(node: NodeInfo): Verdict {
    if (!this.hasWanted(node)) return noAffinity;
    if (this.terms.requiredAnti.some(({ topologyKey }) => this.unwanted.at(topologyKey, node) > 0))
      return antiAffinity;
    return this.averse.total(node) > 0 ? existingAntiAffinity : fits;
  }

  change({ pod, node, sign }: PodChange): void {
    const { cluster } = this.snapshot;
    this.countAverse(pod, node, sign);
    const { required, requiredAnti } = this.terms;
    if (required.length > 0 && required.every((term) => termMatches(term, { pod, cluster }))) {
      for (const { topologyKey } of required) this.wanted.add(topologyKey, node, sign);
    }
    for (const term of requiredAnti) {
      if (termMatches(term, { pod, cluster })) this.unwanted.add(term.topologyKey, node, sign);
    }
  }

  private countAverse(other: Pod, node: NodeInfo, sign: 1 | -1): void {
    const { cluster } = this.snapshot;
    for (const term of termsOf(other).requiredAnti) {
      if (termMatches(term, { pod: this.pod, cluster })) this.averse.add(term.topologyKey, node, sign);
    }
  }

  private hasWanted(node: NodeInfo): boolean {
    const { required } = this.terms;
    if (required.length === 0) return true;
    const labels = node.node?.metadata.labels ?? {};
    if (required.some(({ topologyKey }) => labels[topologyKey] === undefined)) return false;
    if (required.every(({ topologyKey }) => this.wanted.at(topologyKey, node) > 0)) return true;
    // The first pod of a group that wants to be together has nobody to join.
    const { pod, snapshot } = this;
    return (
      this.wanted.empty && required.every((term) => termMatches(term, { pod, cluster: snapshot.cluster }))
    );
  }
}

/** Calls `found` for the nodes with placed pods that all terms mean. */
function forEachMatch(
  [first, ...others]: readonly [Term, ...Term[]],
  { pods, cluster }: Snapshot,
  found: (node: NodeInfo, count: number) => void,
): void {
  const further = others.map((term) => ({ term, namespaces: namespacesOf(term, cluster) }));
  for (const namespace of namespacesOf(first, cluster)) {
    if (!further.every(({ namespaces }) => namespaces.has(namespace))) continue;
    for (const { labels, nodes } of pods.groupsIn(namespace)) {
      if (!selectorMatches(first.selector, labels)) continue;
      if (!others.every(({ selector }) => selectorMatches(selector, labels))) continue;
      for (const [node, count] of nodes) found(node, count);
    }
  }
}

/** What draws the pod to places and away from them: its own wishes and those of pods already there. */
function preferences(pod: Pod, snapshot: Snapshot): TopologySums {
  const { cluster } = snapshot;
  const sums = new TopologySums();
  const { preferred, preferredAnti } = termsOf(pod);
  const own = [
    { terms: preferred, sign: 1 },
    { terms: preferredAnti, sign: -1 },
  ];
  for (const { terms, sign } of own) {
    for (const term of terms) {
      forEachMatch([term], snapshot, (node, count) =>
        sums.add(term.topologyKey, node, sign * term.weight * count),
      );
    }
  }
  for (const node of snapshot.nodesWithAffinity) {
    for (const other of node.podsWithAffinity.values()) {
      const terms = termsOf(other);
      const theirs = [
        { terms: terms.required, weight: hardAffinityWeight },
        { terms: terms.preferred, weight: 1 },
        { terms: terms.preferredAnti, weight: -1 },
      ];
      for (const { terms: some, weight } of theirs) {
        for (const term of some) {
          if (termMatches(term, { pod, cluster })) sums.add(term.topologyKey, node, weight * term.weight);
        }
      }
    }
  }
  return sums;
}

const isEmpty = (iterable: Iterable<unknown>) => iterable[Symbol.iterator]().next().done === true;

/** Pods that want to be near other pods or far from them. */
export const interPodAffinity: Plugin = {
  name: "InterPodAffinity",
  weight: 2,
  prepareFilter(pod, snapshot) {
    if (pod.spec.affinity === undefined && isEmpty(snapshot.nodesWithRequiredAntiAffinity)) return undefined;
    const filter = new AffinityFilter(pod, snapshot);
    return filter.idle ? undefined : filter;
  },
  prepareScore(pod, snapshot) {
    if (pod.spec.affinity === undefined && isEmpty(snapshot.nodesWithAffinity)) return undefined;
    const sums = preferences(pod, snapshot);
    if (sums.empty) return undefined;
    return {
      score(nodes) {
        const scores = nodes.map((node) => sums.total(node));
        const lowest = Math.min(...scores);
        const range = Math.max(...scores) - lowest;
        return scores.map((score) =>
          range === 0 ? 0 : Math.floor((highestScore * (score - lowest)) / range),
        );
      },
    };
  },
  wokenBy: ["nodeAdded", "nodeUpdated", "podAssigned", "podRemoved"],
};
