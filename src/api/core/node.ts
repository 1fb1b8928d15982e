import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { mapField, omit, withField } from "../common/fill.ts";
import type { PrinterColumn } from "../definition.ts";
import { defineResource } from "../definition.ts";
import type { NodeSpec } from "../types/core-v1.ts";
import { Node } from "../types/core-v1.ts";
import { nodeWarnings, validateNode, validateNodeUpdate } from "./node-validation.ts";

const roleLabelPrefix = "node-role.kubernetes.io/";
const roleLabel = "kubernetes.io/role";

const columns: readonly PrinterColumn<Node>[] = [
  nameColumn,
  column("Status", "Whether the node is ready and takes pods", { value: statusText }),
  column("Roles", "The node's roles", { value: (node) => rolesOf(node).join(",") || "<none>" }),
  ageColumn,
  column("Version", "Version of the node's kubelet", {
    value: (node) => node.status?.nodeInfo?.kubeletVersion ?? "",
  }),
  column("Internal-IP", "The node's address inside the cluster's network", {
    wide: true,
    value: (node) => addressOf(node, "InternalIP"),
  }),
  column("External-IP", "The node's address from outside", {
    wide: true,
    value: (node) => addressOf(node, "ExternalIP"),
  }),
  column("OS-Image", "The node's operating system", {
    wide: true,
    value: (node) => node.status?.nodeInfo?.osImage || "<unknown>",
  }),
  column("Kernel-Version", "The node's kernel", {
    wide: true,
    value: (node) => node.status?.nodeInfo?.kernelVersion || "<unknown>",
  }),
  column("Container-Runtime", "The runtime that runs the node's containers", {
    wide: true,
    value: (node) => node.status?.nodeInfo?.containerRuntimeVersion || "<unknown>",
  }),
];

/** The rules of nodes. A node's status may be given when it is created. */
export const nodeDefinition = defineResource<Node>({
  resource: Node,
  repeatedMetadataChecks: ["whole", "change"],
  defaults: (node) =>
    mapField(mapField(node, "spec", withRanges), "status", (status) =>
      status.allocatable === undefined && status.capacity !== undefined
        ? { ...status, allocatable: status.capacity }
        : status,
    ),
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  warnings: nodeWarnings,
  prepareForCreate: (node) =>
    mapField(
      mapField(node, "spec", (spec) => omit(spec, "configSource")),
      "status",
      (status) => omit(status, "config"),
    ),
  prepareForUpdate: (node, old) =>
    old.spec?.configSource ? node : mapField(node, "spec", (spec) => omit(spec, "configSource")),
  prepareForStatusUpdate: (node, old) => {
    const next: Node = { ...node, spec: old.spec };
    return old.status?.config ? next : mapField(next, "status", (status) => omit(status, "config"));
  },
  columns,
  selectableFields: { "spec.unschedulable": (node) => String(node.spec?.unschedulable ?? false) },
  keepsStatusOnCreate: true,
  tracksGeneration: false,
});

/** Keeps the one range of older clients and the list of ranges in step; of two that differ, the one counts. */
function withRanges(spec: NodeSpec): NodeSpec {
  const { podCIDR, podCIDRs } = spec;
  const [first] = podCIDRs ?? [];
  if ((podCIDR ?? "") === (first ?? "")) return spec;
  return podCIDR ? { ...spec, podCIDRs: [podCIDR] } : withField(spec, "podCIDR", first);
}

function statusText(node: Node): string {
  const ready = (node.status?.conditions ?? []).find((condition) => condition.type === "Ready");
  const text = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return node.spec?.unschedulable === true ? `${text},SchedulingDisabled` : text;
}

function rolesOf(node: Node): readonly string[] {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(roleLabelPrefix) && key.length > roleLabelPrefix.length) {
      roles.add(key.slice(roleLabelPrefix.length));
    } else if (key === roleLabel && value !== "") roles.add(value);
  }
  return [...roles].sort();
}

function addressOf(node: Node, type: string): string {
  return (node.status?.addresses ?? []).find((address) => address.type === type)?.address ?? "<none>";
}
