import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod } from "../../api/types/core-v1.ts";
import { fits, normalized, unfit, type Plugin } from "../framework.ts";

const mismatch = unfit("node(s) didn't match Pod's node affinity/selector", { preemptionMayHelp: false });

/** Whether the label or field `value` (undefined: absent) meets the requirement. */
function meets({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return isInteger(value) && isInteger(values[0]) && BigInt(value) > BigInt(values[0]);
    case "Lt":
      return isInteger(value) && isInteger(values[0]) && BigInt(value) < BigInt(values[0]);
    default:
      return false;
  }
}

const isInteger = (text: string | undefined): text is string => text !== undefined && /^-?\d+$/.test(text);

/** A term holds when all its requirements do; one without any matches nothing. */
export function matchesTerm(
  node: Node,
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    matchExpressions.every((requirement) => meets(requirement, labels[requirement.key])) &&
    matchFields.every(
      (requirement) => requirement.key === "metadata.name" && meets(requirement, node.metadata.name),
    )
  );
}

/** Whether the pod's nodeSelector and required node affinity allow the node. */
export function matchesNodeAffinity(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const selector = Object.entries(pod.spec.nodeSelector ?? {});
  if (!selector.every(([key, value]) => labels[key] === value)) return false;
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(node, term));
}

/** The nodes that the terms name, as those of DaemonSets' pods do; undefined when a term names none. */
function namedNodes(terms: readonly NodeSelectorTerm[]): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const { matchFields = [] } of terms) {
    const named = matchFields.filter(({ key, operator }) => key === "metadata.name" && operator === "In");
    const [first, ...others] = named;
    if (first === undefined) return undefined;
    for (const name of first.values ?? []) {
      if (others.every(({ values }) => values?.includes(name))) names.add(name);
    }
  }
  return names;
}

/** Node selectors and node affinity, required and preferred. */
export const nodeAffinity: Plugin = {
  name: "NodeAffinity",
  weight: 2,
  prepareFilter(pod) {
    const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (pod.spec.nodeSelector === undefined && required === undefined) return undefined;
    const onlyNodes = required && namedNodes(required.nodeSelectorTerms);
    if (onlyNodes?.size === 0) return { type: "rejected", reason: "pod affinity terms conflict" };
    return {
      filter: ({ node }) => (node !== undefined && matchesNodeAffinity(pod, node) ? fits : mismatch),
      ...(onlyNodes === undefined ? {} : { onlyNodes }),
    };
  },
  prepareScore(pod) {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (preferred.length === 0) return undefined;
    const weightOf = (node: Node | undefined) =>
      preferred.reduce(
        (sum, { weight, preference }) =>
          node !== undefined && matchesTerm(node, preference) ? sum + weight : sum,
        0,
      );
    return {
      score: (nodes) =>
        normalized(
          nodes.map(({ node }) => weightOf(node)),
          { reverse: false },
        ),
    };
  },
  wokenBy: ["nodeAdded", "nodeUpdated"],
  worthRetrying: (pod, event) => "node" in event && matchesNodeAffinity(pod, event.node),
};
