import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { invalidFor, oneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { isValidLabelValue, isQualifiedName } from "../../apimachinery/index.ts";
import { mapField } from "../common/fill.ts";
import type { PrinterColumn } from "../definition.ts";
import { defineResource } from "../definition.ts";
import { Node } from "../types/core-v1.ts";
import { taintEffects } from "./pod-spec/index.ts";

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
    mapField(node, "status", (status) =>
      status.allocatable === undefined && status.capacity !== undefined
        ? { ...status, allocatable: status.capacity }
        : status,
    ),
  validate,
  validateUpdate,
  prepareForStatusUpdate: (node, old) => ({ ...node, spec: old.spec }),
  columns,
  selectableFields: { "spec.unschedulable": (node) => String(node.spec?.unschedulable ?? false) },
  keepsStatusOnCreate: true,
  tracksGeneration: false,
});

function validate(node: Node): readonly FieldError[] {
  const path = FieldPath.root("spec").child("taints");
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, taint] of (node.spec?.taints ?? []).entries()) {
    const at = path.index(index);
    errors.push(...invalidFor(at.child("key"), taint.key, isQualifiedName(taint.key ?? "")));
    const problems = isValidLabelValue(taint.value ?? "");
    if (problems.length > 0)
      errors.push(fieldErrors.invalid(at.child("value"), taint.value, problems.join(";")));
    errors.push(...oneOf(at.child("effect"), taint.effect, taintEffects));
    const key = `${taint.key}:${taint.effect}`;
    if (seen.has(key)) {
      const duplicate = fieldErrors.duplicate(at, taint);
      errors.push({ ...duplicate, detail: "taints must be unique by key and effect pair" });
    }
    seen.add(key);
  }
  return errors;
}

function validateUpdate(node: Node, old: Node): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [];
  const before = old.spec?.podCIDRs ?? [];
  if (before.length > 0 && !semanticallyEqual(before, node.spec?.podCIDRs)) {
    errors.push(
      fieldErrors.forbidden(
        path.child("podCIDRs"),
        'node updates may not change podCIDR except from "" to valid',
      ),
    );
  }
  if (old.spec?.providerID && node.spec?.providerID !== old.spec.providerID) {
    const why = 'node updates may not change providerID except from "" to valid';
    errors.push(fieldErrors.forbidden(path.child("providerID"), why));
  }
  return errors;
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
