import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isQualifiedName } from "../../apimachinery/index.ts";
import { invalidFor, nonNegative } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { omit } from "../common/fill.ts";
import { immutableValue } from "../common/internal-value.ts";
import { validateDriverName } from "../core/pod-spec/volume-sources.ts";
import { defineResource } from "../definition.ts";
import type { CSINodeDriver } from "../types/storage-v1.ts";
import { CSINode } from "../types/storage-v1.ts";

const longestNodeId = 256;
const path = FieldPath.root("spec").child("drivers");
const type = "io.k8s.api.storage.v1.CSINodeDriver";

/** The rules of CSI nodes. */
export const csiNodeDefinition = defineResource<CSINode>({
  resource: CSINode,
  returnsDeleted: true,
  requiresVersion: true,
  repeatedMetadataChecks: ["whole", "whole"],
  repeatsChecks: true,
  validate,
  validateUpdate: validateChanges,
  columns: [
    nameColumn,
    column("Drivers", "How many drivers the node has", {
      type: "integer",
      value: ({ spec }) => (spec?.drivers ?? []).length,
    }),
    ageColumn,
  ],
});

function validate({ spec }: CSINode): FieldError[] {
  const names = new Set<string>();
  return (spec?.drivers ?? []).flatMap((driver, index) => {
    const at = path.index(index);
    const { name, nodeID, allocatable, topologyKeys } = driver;
    const errors = validateDriverName(name, at.child("name"));
    if (nodeID === "") errors.push(fieldErrors.required(at.child("nodeID")));
    if (nodeID.length > longestNodeId) {
      const why = `must be ${longestNodeId} characters or less`;
      errors.push(fieldErrors.invalid(at.child("nodeID"), nodeID, why));
    }
    errors.push(...nonNegative(at.child("allocatable", "count"), allocatable?.count));
    if (names.has(name)) errors.push(fieldErrors.duplicate(at.child("name"), name));
    names.add(name);
    return [...errors, ...validateTopologyKeys(topologyKeys ?? [], at)];
  });
}

function validateTopologyKeys(keys: readonly string[], at: FieldPath): FieldError[] {
  return keys.flatMap((key, index) => [
    ...(key === "" ? [fieldErrors.required(at)] : []),
    ...(keys.indexOf(key) < index ? [fieldErrors.duplicate(at, key)] : []),
    ...invalidFor(at, key, isQualifiedName(key)),
  ]);
}

/** How many volumes a driver's node takes may change; who the driver is may not. */
function validateChanges(node: CSINode, old: CSINode): FieldError[] {
  const identity = (driver: CSINodeDriver) => omit(driver, "allocatable");
  return (old.spec?.drivers ?? []).flatMap((before) =>
    (node.spec?.drivers ?? [])
      .filter(({ name }) => name === before.name)
      .flatMap((driver) => immutableValue(path, { next: identity(driver), old: identity(before), type })),
  );
}
