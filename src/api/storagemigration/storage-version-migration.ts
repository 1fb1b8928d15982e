import type { FieldError, GroupResource } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isDNS1035Label,
  isDNS1123Subdomain,
  nilList,
} from "../../apimachinery/index.ts";
import { invalidJoined } from "../common/checks.ts";
import { column, nameColumn } from "../common/columns.ts";
import { validateConditions } from "../common/conditions.ts";
import { immutableValue } from "../common/internal-value.ts";
import { onlyStatus } from "../common/metadata.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import type { StorageVersionMigrationStatus } from "../types/storagemigration-v1beta1.ts";
import { StorageVersionMigration } from "../types/storagemigration-v1beta1.ts";

const specPath = FieldPath.root("spec");
const specType = "io.k8s.api.storagemigration.v1beta1.StorageVersionMigrationSpec";

/** The rules of requests to write all objects of a resource again, in the version now stored. */
export const storageVersionMigrationDefinition = defineResource<StorageVersionMigration>({
  resource: StorageVersionMigration,
  requiresVersion: true,
  repeatedMetadataChecks: ["whole", "change"],
  validate: ({ spec }) => validateResource(spec?.resource, specPath.child("resource")),
  validateUpdate: updateChecks<StorageVersionMigration>({
    other: ({ spec }, old) => immutableValue(specPath, { next: spec, old: old.spec, type: specType }),
    status: ({ status }, old) => validateStatus(status ?? {}, old.status ?? {}),
  }),
  prepareForStatusUpdate: onlyStatus,
  columns: [
    // Upstream does not mark this name as one.
    { ...nameColumn, format: "" },
    column("Resource", "The resource whose objects are written again", {
      value: ({ spec }) => resourceText(spec?.resource),
    }),
  ],
  tracksGeneration: false,
});

const resourceText = ({ group, resource }: Partial<GroupResource> = {}) =>
  group ? `${resource ?? ""}.${group}` : (resource ?? "");

function validateResource({ group, resource }: Partial<GroupResource> = {}, path: FieldPath): FieldError[] {
  const at = path.child("resource");
  return [
    ...(resource
      ? invalidJoined(at, resource, isDNS1035Label(resource))
      : [fieldErrors.required(at, "resource is required to be set")]),
    ...(group ? invalidJoined(path.child("group"), group, isDNS1123Subdomain(group)) : []),
  ];
}

function validateStatus(
  status: StorageVersionMigrationStatus,
  old: StorageVersionMigrationStatus,
): readonly FieldError[] {
  const path = FieldPath.root("status");
  const at = path.child("resourceVersion");
  const { resourceVersion = "", conditions } = status;
  const errors: FieldError[] = [];
  if (!/^[1-9][0-9]*$/.test(resourceVersion)) {
    const why = `resource version is not well formed: ${resourceVersion}`;
    errors.push(fieldErrors.invalid(at, resourceVersion, why));
  }
  errors.push(...validateConditions(conditions, path.child("conditions")));
  if (old.resourceVersion && old.resourceVersion !== resourceVersion) {
    errors.push(fieldErrors.invalid(at, resourceVersion, "field is immutable"));
  }
  const problems = progressProblems(status, old);
  const shown = conditions ?? nilList;
  return [
    ...errors,
    ...problems.map((problem) => fieldErrors.invalid(path.child("conditions"), shown, problem)),
  ];
}

/** What the conditions say that cannot be, or no longer. */
function progressProblems(
  status: StorageVersionMigrationStatus,
  old: StorageVersionMigrationStatus,
): readonly string[] {
  const succeeded = isTrue(status, "Succeeded");
  const failed = isTrue(status, "Failed");
  const running = isTrue(status, "Running");
  const rows: readonly (readonly [boolean, string])[] = [
    [succeeded && failed, "Both success and failed conditions cannot be true at the same time"],
    [succeeded && running, "Running condition cannot be true when success condition is true"],
    [failed && running, "Running condition cannot be true when failed condition is true"],
    [isTrue(old, "Succeeded") && !succeeded, "Success condition cannot be set to false once it is true"],
    [isTrue(old, "Failed") && !failed, "Failed condition cannot be set to false once it is true"],
  ];
  return rows.flatMap(([wrong, problem]) => (wrong ? [problem] : []));
}

const isTrue = ({ conditions = [] }: StorageVersionMigrationStatus, type: string) =>
  conditions.find((condition) => condition.type === type)?.status === "True";
