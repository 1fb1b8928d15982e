import type { FieldError, Resource } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  timestampOf,
  validateAnnotations,
  validateLabels,
} from "../../apimachinery/index.ts";
import { ageColumn, column, generalColumns, nameColumn } from "../common/columns.ts";
import { validateConditions } from "../common/conditions.ts";
import { mapField, withField } from "../common/fill.ts";
import { immutableValue } from "../common/internal-value.ts";
import { onlyStatus } from "../common/metadata.ts";
import { updateChecks } from "../common/updates.ts";
import { isExtendedResource } from "../core/resource-names.ts";
import type { RequestContext, ResourceDefinition } from "../definition.ts";
import { defineResource } from "../definition.ts";
import * as v1 from "../types/resource-v1.ts";
import * as alpha3 from "../types/resource-v1alpha3.ts";
import * as beta1 from "../types/resource-v1beta1.ts";
import * as beta2 from "../types/resource-v1beta2.ts";
import { validateClaimStatus } from "./claim-status-validation.ts";
import {
  mostConfigurations,
  validateConfiguration,
  validateDeviceClaim,
  validateSelectors,
} from "./claim-validation.ts";
import { validateList } from "./collections.ts";
import { fromFirstBeta, toFirstBeta } from "./conversion.ts";
import { timedTaint, withAmounts, withoutClosedGates, withTaintTimes } from "./defaults.ts";
import { validateDriverName, validateLabelName, validatePoolName } from "./names.ts";
import { resourcePoolStatusRequestDefinition } from "./pool-status-request.ts";
import { validateSlice } from "./slice-validation.ts";
import { validateTaint } from "./taint-validation.ts";

const mostRuleConditions = 8;
const types = "io.k8s.api.resource.v1";
const bothMetadataChecks = ["whole", "change"] as const;

/** The rules of dynamic resources, in all versions. */
export const dynamicResourceDefinitions = [
  ...[v1.DeviceClass, beta2.DeviceClass, beta1.DeviceClass].map((resource) => classDefinition(resource)),
  ...[v1.ResourceClaim, beta2.ResourceClaim, beta1.ResourceClaim].map((resource) =>
    claimDefinition(resource),
  ),
  ...[v1.ResourceClaimTemplate, beta2.ResourceClaimTemplate, beta1.ResourceClaimTemplate].map((resource) =>
    templateDefinition(resource),
  ),
  ...[v1.ResourceSlice, beta2.ResourceSlice, beta1.ResourceSlice].map((resource) =>
    sliceDefinition(resource),
  ),
  ...[beta2.DeviceTaintRule, alpha3.DeviceTaintRule].map((resource) => taintRuleDefinition(resource)),
  resourcePoolStatusRequestDefinition,
] as const;

/** A kind's objects of any version in the shape of v1, which all rules are about; and back. */
function shapesOf<T extends object>({ kind, version }: { readonly kind: string; readonly version: string }) {
  const isFirst = version === beta1.ResourceClaim.version;
  return {
    current: (object: object) => (isFirst ? fromFirstBeta(kind, object as Fields) : object) as T,
    own: (object: object) => (isFirst ? toFirstBeta(kind, object as Fields) : object),
  };
}
type Fields = Readonly<Record<string, unknown>>;

function classDefinition(resource: Resource<object>): ResourceDefinition<v1.DeviceClass> {
  return defineResource<v1.DeviceClass>({
    resource: resource as Resource<v1.DeviceClass>,
    validate: ({ spec }) => validateClass(spec),
    repeatedMetadataChecks: bothMetadataChecks,
    columns: [nameColumn, ageColumn],
    tracksGeneration: true,
  });
}

function validateClass(spec: v1.DeviceClassSpec): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const { selectors, config, extendedResourceName: name } = spec;
  const errors = [
    ...validateSelectors(selectors, path.child("selectors")),
    ...validateList(config, path.child("config"), { most: mostConfigurations, check: validateConfiguration }),
  ];
  if (name === undefined || isExtendedResource(name)) return errors;
  const why = "must be a valid extended resource name";
  return [...errors, fieldErrors.invalid(path.child("extendedResourceName"), name, why)];
}

function claimDefinition(resource: Resource<object>): ResourceDefinition<v1.ResourceClaim> {
  const { current } = shapesOf<v1.ResourceClaim>(resource);
  const path = FieldPath.root("spec");
  const type = `${types}.ResourceClaimSpec`;
  return defineResource<v1.ResourceClaim>({
    resource: resource as Resource<v1.ResourceClaim>,
    defaults: (claim) => withAmounts(claim, ["spec", "devices"]),
    validateCreate: (claim) => validateDeviceClaim(current(claim).spec.devices, path.child("devices")),
    validateUpdate: updateChecks<v1.ResourceClaim>({
      other: (claim, old) =>
        immutableValue(path, { next: current(claim).spec, old: current(old).spec, type }),
      status: (claim, old) => validateClaimStatus(current(claim), current(old)),
    }),
    repeatedMetadataChecks: bothMetadataChecks,
    prepareForStatusUpdate: (claim, old) => withoutFreedDevices(onlyStatus(claim, old), old),
    columns: [
      nameColumn,
      column("State", "Whether the claim has devices and users", { value: stateText }),
      ageColumn,
    ],
    tracksGeneration: false,
  });
}

/** A claim whose status says nothing of devices that it had and has no more. */
function withoutFreedDevices(claim: v1.ResourceClaim, old: v1.ResourceClaim): v1.ResourceClaim {
  const idsOf = ({ status }: v1.ResourceClaim) =>
    new Set((status?.allocation?.devices?.results ?? []).map(idOf));
  const [before, after] = [idsOf(old), idsOf(claim)];
  return mapField(claim, "status", (status) => {
    const devices = status.devices?.filter((device) => !before.has(idOf(device)) || after.has(idOf(device)));
    if (devices === undefined || devices.length === status.devices?.length) return status;
    return withField(status, "devices", devices.length === 0 ? undefined : devices);
  });
}

const idOf = ({ driver, pool, device }: { driver: string; pool: string; device: string }) =>
  JSON.stringify([driver, pool, device]);

function stateText(claim: v1.ResourceClaim): string {
  const states: string[] = [];
  if (claim.metadata.deletionTimestamp !== undefined) states.push("deleted");
  if (claim.status?.allocation === undefined) {
    if (states.length === 0) states.push("pending");
  } else {
    states.push("allocated");
    if ((claim.status.reservedFor ?? []).length > 0) states.push("reserved");
  }
  return states.join(",");
}

function templateDefinition(resource: Resource<object>): ResourceDefinition<v1.ResourceClaimTemplate> {
  const { current } = shapesOf<v1.ResourceClaimTemplate>(resource);
  const path = FieldPath.root("spec");
  const type = `${types}.ResourceClaimTemplateSpec`;
  return defineResource<v1.ResourceClaimTemplate>({
    resource: resource as Resource<v1.ResourceClaimTemplate>,
    defaults: (template) => withAmounts(template, ["spec", "spec", "devices"]),
    validateCreate: (template) => validateTemplate(current(template).spec, path),
    validateUpdate: (template, old) =>
      immutableValue(path, { next: current(template).spec, old: current(old).spec, type }),
    columns: [nameColumn, ageColumn],
    tracksGeneration: false,
  });
}

function validateTemplate(spec: v1.ResourceClaimTemplateSpec, path: FieldPath): readonly FieldError[] {
  const { annotations = {}, labels = {} } = spec.metadata ?? {};
  const at = path.child("metadata");
  return [
    ...validateAnnotations(annotations, at.child("annotations")),
    ...validateLabels(labels, at.child("labels")),
    ...validateDeviceClaim(spec.spec?.devices, path.child("spec", "devices")),
  ];
}

function sliceDefinition(resource: Resource<object>): ResourceDefinition<v1.ResourceSlice> {
  const { current, own } = shapesOf<v1.ResourceSlice>(resource);
  const prepare = (slice: v1.ResourceSlice, old: v1.ResourceSlice | undefined, { now }: RequestContext) =>
    own(
      mapField(current(slice), "spec", (spec) =>
        mapField(spec, "devices", (devices) =>
          withoutClosedGates(withTaintTimes(devices, now), old && current(old).spec.devices),
        ),
      ),
    ) as v1.ResourceSlice;
  return defineResource<v1.ResourceSlice>({
    resource: resource as Resource<v1.ResourceSlice>,
    prepareForCreate: (slice, context) => prepare(slice, undefined, context),
    prepareForUpdate: prepare,
    validateCreate: (slice) => validateSlice(current(slice).spec),
    validateUpdate: (slice, old) => validateSlice(current(slice).spec, current(old).spec),
    warnings: ({ spec }) => driverWarnings(spec.driver ?? ""),
    columns: [
      nameColumn,
      column("Node", "The node that has the devices", { value: ({ spec }) => nodeText(spec) }),
      column("Driver", "The driver of the devices", { value: ({ spec }) => spec.driver ?? "" }),
      column("Pool", "The pool that the devices are part of", {
        value: ({ spec }) => spec.pool?.name ?? "",
      }),
      ageColumn,
    ],
    selectableFields: {
      "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
      "spec.driver": ({ spec }) => spec.driver ?? "",
    },
    tracksGeneration: true,
  });
}

function driverWarnings(driver: string): readonly string[] {
  if (driver === driver.toLowerCase()) return [];
  const what = `${JSON.stringify(driver)} contains uppercase characters`;
  return [`spec.driver: driver names should be lowercase; ${what}`];
}

function nodeText(spec: v1.ResourceSliceSpec): string {
  if (spec.nodeName) return spec.nodeName;
  if (spec.allNodes === true) return "<all>";
  return spec.nodeSelector === undefined ? "<unset>" : "<selector>";
}

function taintRuleDefinition(resource: Resource<object>): ResourceDefinition<beta2.DeviceTaintRule> {
  const timed = (rule: beta2.DeviceTaintRule, now: number) =>
    mapField(rule, "spec", (spec) => mapField(spec, "taint", (taint) => timedTaint(taint, now)));
  return defineResource<beta2.DeviceTaintRule>({
    resource: resource as Resource<beta2.DeviceTaintRule>,
    prepareForCreate: (rule, { now }) => timed(rule, now),
    prepareForUpdate: (rule, old, { now }) => restamped(timed(rule, now), old, now),
    validateCreate: ({ spec }) => validateTaintRule(spec),
    validateUpdate: updateChecks<beta2.DeviceTaintRule>({
      other: ({ spec }, old) => validateTaintRule(spec, old.spec),
      status: ({ status }) => validateRuleStatus(status),
    }),
    prepareForStatusUpdate: onlyStatus,
    columns: generalColumns,
    tracksGeneration: true,
  });
}

/** A rule whose effect is another is in force since now, unless the client says since when. */
function restamped(
  rule: beta2.DeviceTaintRule,
  old: beta2.DeviceTaintRule,
  now: number,
): beta2.DeviceTaintRule {
  const [next, before] = [rule.spec.taint, old.spec.taint];
  if (next?.effect === before?.effect || next?.timeAdded !== before?.timeAdded) return rule;
  return { ...rule, spec: { ...rule.spec, taint: { ...next, timeAdded: timestampOf(now) } } };
}

function validateTaintRule(
  spec: beta2.DeviceTaintRuleSpec,
  old?: beta2.DeviceTaintRuleSpec,
): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const { driver, pool, device } = spec.deviceSelector ?? {};
  const at = path.child("deviceSelector");
  return [
    ...(driver === undefined ? [] : validateDriverName(driver, at.child("driver"))),
    ...(pool === undefined ? [] : validatePoolName(pool, at.child("pool"))),
    ...(device === undefined ? [] : validateLabelName(device, at.child("device"))),
    ...validateTaint(spec.taint, path.child("taint"), old?.taint),
  ];
}

function validateRuleStatus(status: beta2.DeviceTaintRuleStatus | undefined): readonly FieldError[] {
  const path = FieldPath.root("status").child("conditions");
  const { conditions = [] } = status ?? {};
  const errors = validateConditions(conditions, path);
  return conditions.length > mostRuleConditions
    ? [...errors, fieldErrors.tooMany(path, conditions.length, mostRuleConditions)]
    : errors;
}
