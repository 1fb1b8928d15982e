import { Node } from "../../api/types/core-v1.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { objectAs } from "./request.ts";

const notReady = "node.kubernetes.io/not-ready";

/** Keeps pods off new nodes until the node controller has seen them ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  operations: ["CREATE"],
  resources: [Node],
  admit(request) {
    const node = objectAs(request, Node);
    if (!node) return request.object;
    const taints = node.spec?.taints ?? [];
    if (taints.some((taint) => taint.key === notReady && taint.effect === "NoSchedule")) {
      return request.object;
    }
    return {
      ...node,
      spec: { ...node.spec, taints: [...taints, { key: notReady, effect: "NoSchedule" as const }] },
    };
  },
};
