import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import { ResourceQuota } from "../types/core-v1.ts";
import {
  quotaWarnings,
  validateQuota,
  validateQuotaStatus,
  validateQuotaUpdate,
} from "./quota-validation.ts";

/** The rules of quotas. */
export const resourceQuotaDefinition = defineResource<ResourceQuota>({
  resource: ResourceQuota,
  returnsDeleted: true,
  validate: validateQuota,
  validateUpdate: updateChecks<ResourceQuota>({ other: validateQuotaUpdate, status: validateQuotaStatus }),
  warnings: (quota, old) => (old === undefined ? quotaWarnings(quota) : []),
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

function usage({ status }: ResourceQuota, options: { limits: boolean }): string {
  return Object.keys(status?.hard ?? {})
    .sort()
    .filter((name) => name.startsWith("limits") === options.limits)
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status?.hard?.[name] ?? "0"}`)
    .join(", ");
}
