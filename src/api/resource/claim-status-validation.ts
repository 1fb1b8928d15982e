import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, formatIP, parseCIDR } from "../../apimachinery/index.ts";
import { oneOf } from "../common/checks.ts";
import { validateConditions } from "../common/conditions.ts";
import { immutableValue } from "../common/internal-value.ts";
import { validateNodeSelector } from "../core/pod-spec/index.ts";
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimConsumerReference,
} from "../types/resource-v1.ts";
import { validateBindingConditions } from "./binding-conditions.ts";
import {
  mostConfigurations,
  requestNames,
  validateConfiguration,
  validateObject,
  validateRequestReference,
  validateRequestReferences,
} from "./claim-validation.ts";
import { validateList, validateSet } from "./collections.ts";
import { validateDriverName, validateLabelName, validatePoolName, validateUid } from "./names.ts";
import { validateToleration } from "./taint-validation.ts";

const mostConsumers = 256;
const mostResults = 32;
const mostConditions = 8;
const longestData = 10 * 1024;
const longestInterface = 256;
const longestHardwareAddress = 128;
const mostAddresses = 16;

interface DeviceId {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
  readonly shareID?: string;
}

const keyOf = ({ driver, pool, device, shareID = "" }: DeviceId) =>
  JSON.stringify([driver, pool, device, shareID]);
const shownId = ({ driver, pool, device, shareID = "" }: DeviceId) => ({
  Driver: driver,
  Pool: pool,
  Device: device,
  ShareID: shareID,
});

/** Checks a change of a claim's status: an allocation is final, and whoever uses the claim needs one. */
export function validateClaimStatus(claim: ResourceClaim, old: ResourceClaim): readonly FieldError[] {
  const path = FieldPath.root("status");
  const { allocation, reservedFor = [], devices } = claim.status ?? {};
  const before = old.status ?? {};
  const allocated = new Set((allocation?.devices?.results ?? []).map(keyOf));
  const errors = [
    ...validateSet(reservedFor, path.child("reservedFor"), {
      most: mostConsumers,
      check: validateConsumer,
      key: ({ uid }) => uid,
    }),
    ...validateSet(devices, path.child("devices"), {
      check: (device, at) => validateDeviceStatus(device, at, allocated),
      key: keyOf,
      shown: shownId,
    }),
  ];
  const at = path.child("reservedFor");
  if (reservedFor.length > 0 && allocation === undefined) {
    errors.push(fieldErrors.forbidden(at, "may not be specified when `allocated` is not set"));
  } else if (claim.metadata.deletionTimestamp !== undefined) {
    const known = new Set((before.reservedFor ?? []).map((consumer) => JSON.stringify(consumer)));
    if (reservedFor.some((consumer) => !known.has(JSON.stringify(consumer)))) {
      const why = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
      errors.push(fieldErrors.forbidden(at, why));
    }
  }
  if (allocation === undefined) return errors;
  const allocationPath = path.child("allocation");
  if (before.allocation === undefined) {
    const names = requestNames(claim.spec.devices?.requests);
    return [...errors, ...validateAllocation(allocation, allocationPath, names)];
  }
  const type = "io.k8s.api.resource.v1.AllocationResult";
  return [...errors, ...immutableValue(allocationPath, { next: allocation, old: before.allocation, type })];
}

function validateConsumer(consumer: ResourceClaimConsumerReference, path: FieldPath): FieldError[] {
  return (["resource", "name", "uid"] as const)
    .filter((field) => !consumer[field])
    .map((field) => fieldErrors.required(path.child(field)));
}

function validateDeviceStatus(
  device: AllocatedDeviceStatus,
  path: FieldPath,
  allocated: ReadonlySet<string>,
): FieldError[] {
  const { conditions, data, networkData } = device;
  const errors = validateDeviceId(device, path);
  if (device.shareID !== undefined) errors.push(...validateUid(device.shareID, path.child("shareID")));
  if (!allocated.has(keyOf(device))) {
    const why = "must be an allocated device in the claim";
    errors.push(fieldErrors.invalid(path, shownId(device), why));
  }
  const at = path.child("conditions");
  const count = conditions?.length ?? 0;
  if (count > mostConditions) errors.push(fieldErrors.tooMany(at, count, mostConditions));
  return [
    ...errors,
    ...validateConditions(conditions, at),
    ...(data === undefined ? [] : validateObject(data, path.child("data"), longestData)),
    ...(networkData === undefined ? [] : validateNetworkData(networkData, path.child("networkData"))),
  ];
}

function validateDeviceId(device: DeviceId, path: FieldPath): FieldError[] {
  return [
    ...validateDriverName(device.driver ?? "", path.child("driver")),
    ...validatePoolName(device.pool, path.child("pool")),
    ...validateLabelName(device.device, path.child("device")),
  ];
}

function validateNetworkData(data: NetworkDeviceData, path: FieldPath): FieldError[] {
  const { interfaceName = "", hardwareAddress = "", ips } = data;
  const errors: FieldError[] = [];
  if (interfaceName.length > longestInterface) {
    errors.push(fieldErrors.tooLong(path.child("interfaceName"), longestInterface));
  }
  if (hardwareAddress.length > longestHardwareAddress) {
    errors.push(fieldErrors.tooLong(path.child("hardwareAddress"), longestHardwareAddress));
  }
  return [
    ...errors,
    ...validateSet(ips, path.child("ips"), {
      most: mostAddresses,
      check: validateInterfaceAddress,
      key: (address) => address,
    }),
  ];
}

function validateInterfaceAddress(text: string, path: FieldPath): FieldError[] {
  const parsed = parseCIDR(text);
  if (parsed === undefined) {
    const why = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)";
    return [fieldErrors.invalid(path, text, why)];
  }
  const canonical = `${formatIP(parsed.address)}/${parsed.prefixLength}`;
  if (text === canonical) return [];
  return [fieldErrors.invalid(path, text, `must be in canonical form (${JSON.stringify(canonical)})`)];
}

function validateAllocation(
  allocation: AllocationResult,
  path: FieldPath,
  names: ReadonlySet<string>,
): FieldError[] {
  const { devices, nodeSelector } = allocation;
  const at = path.child("devices");
  return [
    ...validateList(devices?.results, at.child("results"), {
      most: mostResults,
      check: (result, inner) => validateResult(result, inner, names),
    }),
    ...validateList(devices?.config, at.child("config"), {
      // Those of the class and those of the claim.
      most: 2 * mostConfigurations,
      check: (config, inner) => [
        ...oneOf(inner.child("source"), config.source, ["FromClaim", "FromClass"]),
        ...validateRequestReferences(config.requests, inner.child("requests"), names),
        ...validateConfiguration(config, inner),
      ],
    }),
    ...(nodeSelector === undefined ? [] : validateNodeSelector(nodeSelector, path.child("nodeSelector"))),
  ];
}

function validateResult(
  result: DeviceRequestAllocationResult,
  path: FieldPath,
  names: ReadonlySet<string>,
): FieldError[] {
  return [
    ...validateRequestReference(result.request ?? "", path.child("request"), names),
    ...validateDeviceId(result, path),
    ...validateBindingConditions(result, path),
    ...validateList(result.tolerations, path.child("tolerations"), { check: validateToleration }),
    ...(result.shareID === undefined ? [] : validateUid(result.shareID, path.child("shareID"))),
  ];
}
