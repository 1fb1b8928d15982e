import type { Selector } from "../../apimachinery/index.ts";
import { matchesNodeAffinity } from "../../api/index.ts";
import type { Pod, TopologySpreadConstraint } from "../../api/types/core-v1.ts";
import type { NodeInfo } from "../node-info.ts";
import { withLabelsOf } from "./pod-terms.ts";
import { isTolerated } from "./taints.ts";

/** A constraint with its selector and with the defaults filled in. */
export interface Constraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly selector: Selector;
  readonly minDomains: number;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

/** The pod's own constraints of one kind. */
export function constraintsOf(
  { metadata: { labels = {} }, spec }: Pod,
  whenUnsatisfiable: TopologySpreadConstraint["whenUnsatisfiable"],
): Constraint[] {
  if (spec.topologySpreadConstraints === undefined) return [];
  return spec.topologySpreadConstraints
    .filter((constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable)
    .map(({ matchLabelKeys, ...constraint }) => ({
      maxSkew: constraint.maxSkew,
      topologyKey: constraint.topologyKey,
      selector: withLabelsOf(constraint.labelSelector, { keys: matchLabelKeys ?? [], labels }),
      minDomains: constraint.minDomains ?? 1,
      honorsAffinity: constraint.nodeAffinityPolicy !== "Ignore",
      honorsTaints: constraint.nodeTaintsPolicy === "Honor",
    }));
}

/** Whether the pods on the node count for the constraint. */
export function isIncluded(node: NodeInfo, { honorsAffinity, honorsTaints }: Constraint, pod: Pod): boolean {
  if (node.node === undefined) return false;
  if (honorsAffinity && !matchesNodeAffinity(pod.spec, node.node)) return false;
  return !honorsTaints || isTolerated(pod, node);
}
