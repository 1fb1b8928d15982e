import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { nanosOf } from "../common/amounts.ts";
import { immutable, invalidFor } from "../common/checks.ts";
import { column, nameColumn } from "../common/columns.ts";
import { nodeLabelWarning, nodeTermWarnings } from "../common/node-labels.ts";
import { validateLabelSelector } from "../common/selectors.ts";
import { defineResource } from "../definition.ts";
import { CSIStorageCapacity } from "../types/storage-v1.ts";

/** The rules of records of storage capacity. */
export const csiStorageCapacityDefinition = defineResource<CSIStorageCapacity>({
  resource: CSIStorageCapacity,
  requiresVersion: true,
  repeatedMetadataChecks: ["whole", "change"],
  validate,
  validateUpdate: (record, old) => [
    ...immutable(FieldPath.root("nodeTopology"), record.nodeTopology, old.nodeTopology),
    ...immutable(FieldPath.root("storageClassName"), record.storageClassName, old.storageClassName),
  ],
  warnings,
  columns: [
    nameColumn,
    column("StorageClassName", "Class of the storage", { value: (record) => record.storageClassName ?? "" }),
    column("Capacity", "How much room there is", { value: (record) => record.capacity ?? "<unset>" }),
  ],
});

function validate(record: CSIStorageCapacity): FieldError[] {
  const { nodeTopology, storageClassName, capacity } = record;
  const errors = validateLabelSelector(nodeTopology, FieldPath.root("nodeTopology"));
  const problems = isDNS1123Subdomain(storageClassName);
  errors.push(...invalidFor(FieldPath.root("storageClassName"), storageClassName, problems));
  if (capacity !== undefined && (nanosOf(capacity) ?? 0n) < 0n) {
    const why = "must be greater than or equal to 0";
    errors.push(fieldErrors.invalid(FieldPath.root("capacity"), capacity, why));
  }
  return errors;
}

function warnings({ nodeTopology }: CSIStorageCapacity): string[] {
  return [
    ...nodeTermWarnings(nodeTopology, FieldPath.root("nodeTopology"), { checkValues: false }),
    ...Object.keys(nodeTopology?.matchLabels ?? {}).flatMap((key) => {
      const warning = nodeLabelWarning(key);
      return warning === undefined ? [] : [`nodeTopology.matchLabels.${key}: ${warning}`];
    }),
  ];
}
