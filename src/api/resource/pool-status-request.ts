import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { invalidFor, requiredText } from "../common/checks.ts";
import { generalColumns } from "../common/columns.ts";
import { validateConditions } from "../common/conditions.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { immutableValue } from "../common/internal-value.ts";
import { onlyStatus } from "../common/metadata.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import type { PoolStatus, ResourcePoolStatusRequestStatus } from "../types/resource-v1alpha3.ts";
import { ResourcePoolStatusRequest } from "../types/resource-v1alpha3.ts";
import { validateList } from "./collections.ts";
import { validatePoolName } from "./names.ts";

const mostPools = 1000;
const mostConditions = 10;
const longestProblem = 256;
const limits = { least: 1, most: 1000 };
const type = "io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestStatus";

/** The rules of questions for the state of pools of devices: asked once, answered once. */
export const resourcePoolStatusRequestDefinition = defineResource<ResourcePoolStatusRequest>({
  resource: ResourcePoolStatusRequest,
  requiresVersion: true,
  validateCreate: ({ spec }) => validateSpec(spec),
  validateUpdate: updateChecks<ResourcePoolStatusRequest>({
    other: ({ spec }, old) =>
      semanticallyEqual(spec, old.spec)
        ? []
        : [fieldErrors.invalid(FieldPath.root("spec"), undefined, "field is immutable")],
    status: ({ status }, old) => validateStatus(status, old.status),
  }),
  prepareForStatusUpdate: onlyStatus,
  columns: generalColumns,
  tracksGeneration: false,
});

function validateSpec(spec: Partial<ResourcePoolStatusRequest["spec"]> | undefined): FieldError[] {
  const path = FieldPath.root("spec");
  const { driver, poolName, limit } = spec ?? {};
  return [
    ...validateDriver(driver, path.child("driver")),
    ...(poolName === undefined ? [] : validatePoolName(poolName, path.child("poolName"))),
    ...atLeast(limit, path.child("limit"), limits.least),
    ...((limit ?? 0) > limits.most
      ? [fieldErrors.invalid(path.child("limit"), limit, `must be less than or equal to ${limits.most}`)]
      : []),
  ];
}

const validateDriver = (driver: string | undefined, path: FieldPath) =>
  requiredText(path, driver, (text) => isDNS1123Subdomain(text.toLowerCase()));

function atLeast(value: number | undefined, path: FieldPath, least: number): FieldError[] {
  if (value === undefined || value >= least) return [];
  return [fieldErrors.invalid(path, value, `must be greater than or equal to ${least}`)];
}

function validateStatus(
  status: ResourcePoolStatusRequestStatus | undefined,
  old: ResourcePoolStatusRequestStatus | undefined,
): readonly FieldError[] {
  const path = FieldPath.root("status");
  if (old !== undefined) return immutableValue(path, { next: status, old, type: `*${type}` });
  if (status === undefined) return [];
  const { poolCount, pools, conditions } = status;
  const at = path.child("conditions");
  const count = conditions?.length ?? 0;
  return [
    ...validateConditions(conditions, at),
    ...(poolCount === undefined ? [fieldErrors.required(path.child("poolCount"))] : []),
    ...atLeast(poolCount, path.child("poolCount"), 0),
    ...validateList(pools, path.child("pools"), { most: mostPools, check: validatePool }),
    ...(count > mostConditions ? [fieldErrors.tooMany(at, count, mostConditions)] : []),
  ];
}

const counts = ["totalDevices", "allocatedDevices", "availableDevices", "unavailableDevices"] as const;

function validatePool(pool: PoolStatus, path: FieldPath): FieldError[] {
  const { driver, poolName, nodeName, validationError = "" } = pool;
  return [
    ...validateDriver(driver, path.child("driver")),
    ...validatePoolName(poolName, path.child("poolName")),
    ...atLeast(pool.generation, path.child("generation"), 0),
    ...atLeast(pool.resourceSliceCount, path.child("resourceSliceCount"), 1),
    ...counts.flatMap((field) => atLeast(pool[field], path.child(field), 0)),
    ...(nodeName === undefined
      ? []
      : invalidFor(path.child("nodeName"), nodeName, isDNS1123Subdomain(nodeName))),
    ...(validationError.length > longestProblem
      ? [fieldErrors.tooLong(path.child("validationError"), longestProblem)]
      : []),
  ];
}
