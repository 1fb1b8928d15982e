import { fits, unfit, type Plugin } from "../framework.ts";
import { hostPorts } from "../node-info.ts";

const taken = unfit("node(s) didn't have free ports for the requested pod ports", {
  preemptionMayHelp: true,
});

/** Two pods of one node cannot have the same port of the host. */
export const nodePorts: Plugin = {
  name: "NodePorts",
  prepareFilter(pod) {
    const wanted = hostPorts(pod);
    if (wanted.length === 0) return undefined;
    return { filter: (node) => (node.hasPortConflict(wanted) ? taken : fits) };
  },
  wokenBy: ["podRemoved", "nodeAdded"],
  worthRetrying: (_pod, event) => event.type !== "podRemoved" || hostPorts(event.pod).length > 0,
};
