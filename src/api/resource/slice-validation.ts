import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Label, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { immutable, invalidFor, requiredText } from "../common/checks.ts";
import { internalValue } from "../common/internal-value.ts";
import { validateNodeSelector } from "../core/pod-spec/index.ts";
import type { CounterSet, Device, ResourcePool, ResourceSliceSpec } from "../types/resource-v1.ts";
import { validateSet } from "./collections.ts";
import { hasLists } from "./defaults.ts";
import { validateCounters, validateDevice } from "./device-validation.ts";
import { validateDriverName, validatePoolName } from "./names.ts";

const mostDevices = 128;
const mostAdvancedDevices = 64;
const mostCounterSets = 8;
const oneSelection =
  "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

/** Checks which devices a driver has where. */
export function validateSlice(spec: ResourceSliceSpec, old?: ResourceSliceSpec): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors = [
    ...validateDriverName(spec.driver ?? "", path.child("driver")),
    ...validatePool(spec.pool, path.child("pool")),
  ];
  if (old !== undefined) {
    errors.push(
      ...immutable(path.child("pool", "name"), spec.pool.name, old.pool.name),
      ...immutable(path.child("driver"), spec.driver, old.driver),
      ...immutable(path.child("nodeName"), spec.nodeName, old.nodeName),
    );
  }
  errors.push(...validateNodes(spec, path));
  if (spec.sharedCounters !== undefined && spec.devices !== undefined) {
    const why = "only one of `sharedCounters` or `devices` is allowed";
    errors.push(fieldErrors.invalid(path, "", why));
  }
  const known = new Map((old?.devices ?? []).map((device) => [device.name, device]));
  return [
    ...errors,
    ...validateSet(spec.devices, path.child("devices"), {
      most: (spec.devices ?? []).some(isAdvanced) ? mostAdvancedDevices : mostDevices,
      check: (device, at) =>
        validateDevice(device, at, {
          old: known.get(device.name),
          choosesNodes: spec.perDeviceNodeSelection === true,
        }),
      key: ({ name }) => name,
    }),
    ...validateSet(spec.sharedCounters, path.child("sharedCounters"), {
      most: mostCounterSets,
      check: validateCounterSet,
      key: ({ name }) => name,
    }),
  ];
}

/** Whether a device takes more room than others. */
const isAdvanced = (device: Device) =>
  hasLists(device) || (device.taints?.length ?? 0) > 0 || (device.consumesCounters?.length ?? 0) > 0;

function validatePool(pool: Partial<ResourcePool> | undefined, path: FieldPath): FieldError[] {
  const { name, resourceSliceCount = 0, generation = 0 } = pool ?? {};
  const errors = validatePoolName(name, path.child("name"));
  if (resourceSliceCount <= 0) {
    const why = "must be greater than zero";
    errors.push(fieldErrors.invalid(path.child("resourceSliceCount"), resourceSliceCount, why));
  }
  if (generation < 0) {
    const why = "must be greater than or equal to zero";
    errors.push(fieldErrors.invalid(path.child("generation"), generation, why));
  }
  return errors;
}

function validateNodes(spec: ResourceSliceSpec, path: FieldPath): FieldError[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec;
  const chosen: string[] = [];
  const errors: FieldError[] = [];
  if (nodeName) {
    chosen.push("`nodeName`");
    errors.push(...invalidFor(path.child("nodeName"), nodeName, isDNS1123Subdomain(nodeName)));
  } else if (nodeName === "") {
    const why = "must be either unset or set to a non-empty string";
    errors.push(fieldErrors.invalid(path.child("nodeName"), nodeName, why));
  }
  if (nodeSelector) {
    chosen.push("`nodeSelector`");
    errors.push(...validateNodeSelector(nodeSelector, path.child("nodeSelector")));
    const terms = nodeSelector.nodeSelectorTerms;
    if (terms?.length !== 1) {
      const at = path.child("nodeSelector", "nodeSelectorTerms");
      const value = internalValue(terms, "[]io.k8s.api.core.v1.NodeSelectorTerm");
      errors.push(fieldErrors.invalid(at, value, "must have exactly one node selector term"));
    }
  }
  for (const [field, value] of Object.entries({ allNodes, perDeviceNodeSelection })) {
    if (value === true) chosen.push(`\`${field}\``);
    else if (value === false) {
      errors.push(fieldErrors.invalid(path.child(field), value, "must be either unset or set to true"));
    }
  }
  if (chosen.length === 0) errors.push(fieldErrors.required(path, oneSelection));
  if (chosen.length > 1) {
    const why = `${oneSelection}, but multiple fields are set`;
    errors.push(fieldErrors.invalid(path, `{${chosen.join(", ")}}`, why));
  }
  return errors;
}

function validateCounterSet({ name, counters }: CounterSet, path: FieldPath): FieldError[] {
  return [
    ...requiredText(path.child("name"), name, isDNS1123Label),
    ...validateCounters(counters, path.child("counters")),
  ];
}
