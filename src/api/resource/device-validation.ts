import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import {
  fieldErrors,
  isDNS1123Label,
  isDNS1123Subdomain,
  parseSemanticVersion,
} from "../../apimachinery/index.ts";
import { invalidFor, requiredText } from "../common/checks.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { internalValue } from "../common/internal-value.ts";
import { validateNodeSelector } from "../core/pod-spec/index.ts";
import type { CounterSet, Device, DeviceAttribute, DeviceCounterConsumption } from "../types/resource-v1.ts";
import { validateBindingConditions } from "./binding-conditions.ts";
import { validateCapacity } from "./capacity-validation.ts";
import { validateList, validateMap, validateSet } from "./collections.ts";
import { longestQualifiedName, validateLabelName, validateQualifiedName } from "./names.ts";
import { validateTaint } from "./taint-validation.ts";

const mostAttributesAndCapacities = 32;
const mostAttributeValues = 48;
const mostTaints = 16;
const mostConsumptions = 2;
const longestAttribute = 64;
const mostCounters = 32;
const longestCounterName = 63;

/** Checks a device; what it had before is not looked at again. */
export function validateDevice(
  device: Device,
  path: FieldPath,
  context: { readonly old: Device | undefined; readonly choosesNodes: boolean },
): FieldError[] {
  const { old } = context;
  const isNew = (field: "capacity" | "taints") =>
    old === undefined || !semanticallyEqual(old[field], device[field]);
  const shared = device.allowMultipleAllocations === true;
  return [
    ...validateLabelName(device.name, path.child("name")),
    ...validateSizes(device, path),
    ...validateMap(device.attributes, path.child("attributes"), {
      longestKey: longestQualifiedName,
      checkKey: validateQualifiedName,
      check: validateAttribute,
    }),
    ...(isNew("capacity")
      ? validateMap(device.capacity, path.child("capacity"), {
          longestKey: longestQualifiedName,
          checkKey: validateQualifiedName,
          check: (capacity, at) => validateCapacity(capacity, at, { shared }),
        })
      : []),
    ...(isNew("taints")
      ? validateList(device.taints, path.child("taints"), { most: mostTaints, check: validateTaint })
      : []),
    ...validateSet(device.consumesCounters, path.child("consumesCounters"), {
      most: mostConsumptions,
      check: validateConsumption,
      key: ({ counterSet }) => counterSet,
    }),
    ...validateNodes(device, path, context),
    ...validateBindingConditions(device, path),
  ];
}

function validateSizes({ attributes = {}, capacity = {} }: Device, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (count: number, what: string, most: number) => {
    if (count <= most) return;
    errors.push(fieldErrors.invalid(path, count, `the total number of ${what} must not exceed ${most}`));
  };
  const names = Object.keys(attributes).length + Object.keys(capacity).length;
  refuse(names, "attributes and capacities", mostAttributesAndCapacities);
  let values = 0;
  for (const { ints = [], bools = [], strings = [], versions = [] } of Object.values(attributes)) {
    values += Math.max(ints.length + bools.length + strings.length + versions.length, 1);
  }
  refuse(values, "attribute values", mostAttributeValues);
  return errors;
}

const singleFields = ["bool", "int", "string", "version"] as const;
const listFields = ["bools", "ints", "strings", "versions"] as const;

function validateAttribute(attribute: DeviceAttribute, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of singleFields) {
    errors.push(...validateText(field, attribute[field], path.child(field)));
  }
  for (const field of listFields) {
    const list = attribute[field];
    if (list === undefined) continue;
    const at = path.child(field);
    if (list.length === 0) errors.push(fieldErrors.invalid(at, list, "must not be empty if specified"));
    for (const [index, value] of list.entries()) {
      errors.push(...validateText(field.slice(0, -1), value, at.index(index)));
    }
  }
  const given = [...singleFields, ...listFields].filter((field) => attribute[field] !== undefined);
  if (given.length === 1) return errors;
  const type = "io.k8s.api.resource.v1.DeviceAttribute";
  const value = given.length === 0 ? "" : internalValue(attribute, type);
  return [...errors, fieldErrors.invalid(path, value, "exactly one value must be specified")];
}

function validateText(field: string, value: unknown, path: FieldPath): FieldError[] {
  if (typeof value !== "string") return [];
  const errors: FieldError[] = [];
  if (field === "version" && parseSemanticVersion(value) === undefined) {
    const why = "must be a string compatible with semver.org spec 2.0.0";
    errors.push(fieldErrors.invalid(path, value, why));
  }
  return value.length > longestAttribute ? [...errors, fieldErrors.tooLong(path, longestAttribute)] : errors;
}

function validateConsumption(consumption: DeviceCounterConsumption, path: FieldPath): FieldError[] {
  const { counterSet, counters } = consumption;
  return [
    ...requiredText(path.child("counterSet"), counterSet, isDNS1123Label),
    ...validateCounters(counters, path.child("counters")),
  ];
}

/** Checks the counters that a set has, or that a device takes of one: there must be some. */
export function validateCounters(
  counters: CounterSet["counters"] | undefined,
  path: FieldPath,
): FieldError[] {
  if (Object.keys(counters ?? {}).length === 0) return [fieldErrors.required(path)];
  return validateMap(counters, path, {
    most: mostCounters,
    longestKey: longestCounterName,
    checkKey: validateLabelName,
  });
}

const whenChosen = "when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";

function validateNodes(
  device: Device,
  path: FieldPath,
  { choosesNodes }: { readonly choosesNodes: boolean },
): FieldError[] {
  const { nodeName, nodeSelector, allNodes } = device;
  if (!choosesNodes) {
    if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return [];
    const why =
      "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
    return [fieldErrors.invalid(path, undefined, why)];
  }
  const chosen: string[] = [];
  const errors: FieldError[] = [];
  if (nodeName) {
    chosen.push("`nodeName`");
    errors.push(...invalidFor(path.child("nodeName"), nodeName, isDNS1123Subdomain(nodeName)));
  } else if (nodeName === "") {
    errors.push(fieldErrors.invalid(path.child("nodeName"), nodeName, "must not be empty"));
  }
  if (nodeSelector) {
    chosen.push("`nodeSelector`");
    errors.push(...validateNodeSelector(nodeSelector, path.child("nodeSelector")));
  }
  if (allNodes === true) chosen.push("`allNodes`");
  else if (allNodes === false) {
    const why = "must be either unset or set to true";
    errors.push(fieldErrors.invalid(path.child("allNodes"), allNodes, why));
  }
  const why = `exactly one of \`nodeName\`, \`nodeSelector\`, or \`allNodes\` is required ${whenChosen}`;
  if (chosen.length === 0) errors.push(fieldErrors.required(path, why));
  if (chosen.length > 1) errors.push(fieldErrors.invalid(path, `{${chosen.join(", ")}}`, why));
  return errors;
}
