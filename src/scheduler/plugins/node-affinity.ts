import { matchesNodeAffinity, matchesNodeTerm } from "../../api/index.ts";
import type { Node, NodeSelectorTerm } from "../../api/types/core-v1.ts";
import { fits, normalized, unfit, type Plugin } from "../framework.ts";

const mismatch = unfit("node(s) didn't match Pod's node affinity/selector", { preemptionMayHelp: false });

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
      filter: ({ node }) => (node !== undefined && matchesNodeAffinity(pod.spec, node) ? fits : mismatch),
      ...(onlyNodes === undefined ? {} : { onlyNodes }),
    };
  },
  prepareScore(pod) {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (preferred.length === 0) return undefined;
    const weightOf = (node: Node | undefined) =>
      preferred.reduce(
        (sum, { weight, preference }) =>
          node !== undefined && matchesNodeTerm(preference, node) ? sum + weight : sum,
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
  worthRetrying: (pod, event) => "node" in event && matchesNodeAffinity(pod.spec, event.node),
};
