import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isQualifiedName } from "../../apimachinery/index.ts";
import { nanosOf } from "../common/amounts.ts";
import { immutable, invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { defineResource } from "../definition.ts";
import { ResourceQuota } from "../types/core-v1.ts";

const scopes = [
  "BestEffort",
  "CrossNamespacePodAffinity",
  "NotBestEffort",
  "NotTerminating",
  "PriorityClass",
  "Terminating",
  "VolumeAttributesClass",
];

/** The rules of quotas. */
export const resourceQuotaDefinition = defineResource<ResourceQuota>({
  resource: ResourceQuota,
  returnsDeleted: true,
  validate,
  validateUpdate: (quota, old) =>
    immutable(FieldPath.root("spec").child("scopes"), quota.spec?.scopes, old.spec?.scopes),
  prepareForStatusUpdate: (quota, old) => ({ ...quota, spec: old.spec }),
  columns: [
    nameColumn,
    column("Request", "What is asked for, of what may be", {
      value: (quota) => usage(quota, { limits: false }),
    }),
    column("Limit", "What is limited, of what may be", { value: (quota) => usage(quota, { limits: true }) }),
    ageColumn,
  ],
  tracksGeneration: false,
});

function validate(quota: ResourceQuota): readonly FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec");
  for (const [name, quantity] of Object.entries(quota.spec?.hard ?? {})) {
    const at = path.child("hard").key(name);
    errors.push(...invalidFor(at, name, isQualifiedName(name)));
    if ((nanosOf(quantity) ?? 0n) < 0n) {
      errors.push(fieldErrors.invalid(at, quantity, "must be greater than or equal to 0"));
    }
  }
  for (const scope of quota.spec?.scopes ?? []) {
    if (!scopes.includes(scope)) {
      errors.push(fieldErrors.invalid(path.child("scopes"), quota.spec.scopes, "unsupported scope"));
    }
  }
  return errors;
}

function usage({ status }: ResourceQuota, options: { limits: boolean }): string {
  return Object.keys(status?.hard ?? {})
    .sort()
    .filter((name) => name.startsWith("limits") === options.limits)
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status?.hard?.[name] ?? "0"}`)
    .join(", ");
}
