import { selectorMatches } from "../../apimachinery/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import {
  fits,
  unfit,
  type Plugin,
  type PodChange,
  type PodFilter,
  type Snapshot,
  type Verdict,
} from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { constraintsOf, isIncluded, type Constraint } from "./spread-constraints.ts";
import { prepareSpreadScore } from "./spread-score.ts";

const uneven = unfit("node(s) didn't match pod topology spread constraints", { preemptionMayHelp: true });
const unlabelled = unfit("node(s) didn't match pod topology spread constraints (missing required label)", {
  preemptionMayHelp: false,
});

/** The topology values of the nodes that count for one constraint, with the number of matching pods. */
interface Domains {
  readonly constraint: Constraint;
  readonly counts: Map<string, number>;
  readonly selfMatch: 0 | 1;
}

class SpreadFilter implements PodFilter {
  private readonly pod: Pod;
  private readonly domains: readonly Domains[];

  constructor(pod: Pod, constraints: readonly Constraint[], snapshot: Snapshot) {
    this.pod = pod;
    this.domains = constraints.map((constraint) => ({
      constraint,
      counts: new Map(),
      selfMatch: selectorMatches(constraint.selector, pod.metadata.labels) ? 1 : 0,
    }));
    for (const node of snapshot.nodes)
      this.forEachDomain(node, ({ counts }, value) => {
        if (!counts.has(value)) counts.set(value, 0);
      });
    const namespace = pod.metadata.namespace ?? "";
    for (const { constraint } of this.domains) {
      snapshot.pods.forEachNode({ namespace, selector: constraint.selector }, (node, count) =>
        this.forEachDomain(node, (domain, value) => {
          if (domain.constraint === constraint)
            domain.counts.set(value, (domain.counts.get(value) ?? 0) + count);
        }),
      );
    }
  }

  filter({ node }: NodeInfo): Verdict {
    for (const { constraint, counts, selfMatch } of this.domains) {
      const value = node?.metadata.labels?.[constraint.topologyKey];
      if (value === undefined) return unlabelled;
      const skew = (counts.get(value) ?? 0) + selfMatch - leastOf(counts, constraint.minDomains);
      if (skew > constraint.maxSkew) return uneven;
    }
    return fits;
  }

  change({ pod, node, sign }: PodChange): void {
    if (pod.metadata.namespace !== this.pod.metadata.namespace || pod.metadata.deletionTimestamp) return;
    this.forEachDomain(node, ({ constraint, counts }, value) => {
      if (selectorMatches(constraint.selector, pod.metadata.labels))
        counts.set(value, (counts.get(value) ?? 0) + sign);
    });
  }

  /** Calls `visit` for the constraints in which the node counts; it needs the labels of all of them. */
  private forEachDomain(info: NodeInfo, visit: (domain: Domains, value: string) => void): void {
    const labels = info.node?.metadata.labels ?? {};
    if (!this.domains.every(({ constraint }) => labels[constraint.topologyKey] !== undefined)) return;
    for (const domain of this.domains) {
      if (isIncluded(info, domain.constraint, this.pod))
        visit(domain, labels[domain.constraint.topologyKey] ?? "");
    }
  }
}

/** The fewest matching pods in any domain; none while there are fewer domains than wanted. */
function leastOf(counts: ReadonlyMap<string, number>, minDomains: number): number {
  if (counts.size < minDomains) return 0;
  let least = Infinity;
  for (const count of counts.values()) if (count < least) least = count;
  return least;
}

/** Pods of a kind spread over zones, nodes and other places. */
export const podTopologySpread: Plugin = {
  name: "PodTopologySpread",
  weight: 2,
  prepareFilter(pod, snapshot) {
    const constraints = constraintsOf(pod, "DoNotSchedule");
    return constraints.length === 0 ? undefined : new SpreadFilter(pod, constraints, snapshot);
  },
  prepareScore: prepareSpreadScore,
  wokenBy: ["nodeAdded", "nodeUpdated", "podAssigned", "podRemoved"],
};
