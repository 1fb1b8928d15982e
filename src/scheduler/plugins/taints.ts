import { tolerates } from "../../api/index.ts";
import type { Pod, Taint } from "../../api/types/core-v1.ts";
import { fits, normalized, unfit, type Plugin } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";

const none: readonly Taint[] = [];

function intolerable(pod: Pod, node: Pick<NodeInfo, "node">, effects: readonly string[]): readonly Taint[] {
  const taints = node.node?.spec.taints;
  if (taints === undefined || taints.length === 0) return none;
  const tolerations = pod.spec.tolerations ?? [];
  return taints.filter(
    (taint) => effects.includes(taint.effect) && !tolerations.some((one) => tolerates(one, taint)),
  );
}

/** Whether nothing about the node's taints keeps the pod off. */
export function isTolerated(pod: Pod, node: Pick<NodeInfo, "node">): boolean {
  return intolerable(pod, node, hardEffects).length === 0;
}

const hardEffects = ["NoSchedule", "NoExecute"];
const softEffects = ["PreferNoSchedule"];
const untolerated = unfit("node(s) had untolerated taint(s)", { preemptionMayHelp: false });
const unschedulableTaint: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
const cordoned = unfit("node(s) were unschedulable", { preemptionMayHelp: false });

/** Keeps pods off cordoned nodes. */
export const nodeUnschedulable: Plugin = {
  name: "NodeUnschedulable",
  prepareFilter(pod) {
    if (pod.spec.tolerations?.some((one) => tolerates(one, unschedulableTaint))) return undefined;
    return { filter: ({ node }) => (node?.spec.unschedulable === true ? cordoned : fits) };
  },
  wokenBy: ["nodeAdded", "nodeUpdated"],
  worthRetrying: (_pod, event) => "node" in event && event.node.spec.unschedulable !== true,
};

/** Keeps pods off nodes whose taints they do not tolerate, and prefers nodes with fewer soft ones. */
export const taintToleration: Plugin = {
  name: "TaintToleration",
  weight: 3,
  prepareFilter: (pod) => ({ filter: (node) => (isTolerated(pod, node) ? fits : untolerated) }),
  prepareScore: (pod, { hasSoftTaints }) => {
    if (!hasSoftTaints) return undefined;
    return {
      score: (candidates) =>
        normalized(
          candidates.map((node) => intolerable(pod, node, softEffects).length),
          { reverse: true },
        ),
    };
  },
  wokenBy: ["nodeAdded", "nodeUpdated"],
  worthRetrying: (pod, event) => "node" in event && isTolerated(pod, event),
};
