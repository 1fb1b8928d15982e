import { fits, unfit, type Plugin } from "../framework.ts";

const mismatch = unfit("node(s) didn't match the requested node name", { preemptionMayHelp: false });

/** A pod that names its node fits there only. */
export const nodeName: Plugin = {
  name: "NodeName",
  prepareFilter({ spec }) {
    if (spec.nodeName === undefined || spec.nodeName === "") return undefined;
    return { filter: (node) => (node.name === spec.nodeName ? fits : mismatch) };
  },
  wokenBy: ["nodeAdded"],
  worthRetrying: ({ spec }, event) =>
    event.type === "nodeAdded" && event.node.metadata.name === spec.nodeName,
};
