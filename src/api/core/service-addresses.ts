import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, ipFamilyOf, isValidIP, nilList } from "../../apimachinery/index.ts";
import { invalidFor, optionalOneOf } from "../common/checks.ts";
import type { Service, ServiceSpec } from "../types/core-v1.ts";
import { needsHealthPort } from "./service-update.ts";

const families = ["IPv4", "IPv6"];
const familyPolicies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const path = FieldPath.root("spec");
const addressesPath = path.child("clusterIPs");
const familiesPath = path.child("ipFamilies");
const policyPath = path.child("ipFamilyPolicy");

/** Whether the service asks for no address of its own. */
export const isHeadless = (spec: ServiceSpec): boolean =>
  spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === "None";

/** Checks addresses and their families, of a service that may have some. */
export function validateServiceAddresses(spec: ServiceSpec): FieldError[] {
  const { clusterIP, clusterIPs: addresses = [] } = spec;
  const errors: FieldError[] = [];
  if (clusterIP) {
    if (addresses.length === 0) errors.push(fieldErrors.required(addressesPath));
    else if (addresses[0] !== clusterIP) {
      errors.push(fieldErrors.invalid(addressesPath, addresses, "first value must match `clusterIP`"));
    }
  } else if (addresses.length > 0) {
    const why = "must be empty when `clusterIP` is not specified";
    errors.push(fieldErrors.invalid(addressesPath, addresses, why));
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    const at = familiesPath.index(index);
    errors.push(...optionalOneOf(at, family, families));
    if (spec.ipFamilies?.indexOf(family) !== index) errors.push(fieldErrors.duplicate(at, family));
  }
  errors.push(...optionalOneOf(policyPath, spec.ipFamilyPolicy, familyPolicies));
  const wrong = validateEach(addresses);
  errors.push(...wrong);
  if (addresses.length > 2) {
    errors.push(fieldErrors.invalid(addressesPath, addresses, "may only hold up to 2 values"));
  }
  return wrong.length > 0 ? errors : [...errors, ...validateFamilies(spec)];
}

function validateEach(addresses: readonly string[]): FieldError[] {
  return addresses.flatMap((address, index) => {
    if (index > 0 || address !== "None") {
      return invalidFor(addressesPath.index(index), address, isValidIP(address));
    }
    return addresses.length > 1
      ? [fieldErrors.invalid(addressesPath, addresses, "'None' must be the first and only value")]
      : [];
  });
}

function validateFamilies(spec: ServiceSpec): FieldError[] {
  const addresses = spec.clusterIPs ?? [];
  const errors: FieldError[] = [];
  if (addresses.length > 1 && new Set(addresses.map(ipFamilyOf)).size < 2) {
    const why = "may specify no more than one IP for each IP family";
    errors.push(fieldErrors.invalid(addressesPath, addresses, why));
  }
  if (isHeadless(spec)) return errors;
  for (const [index, address] of addresses.entries()) {
    const family = spec.ipFamilies?.[index];
    if (family === undefined || !families.includes(family) || ipFamilyOf(address) === family) continue;
    const why = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
    errors.push(fieldErrors.invalid(addressesPath.index(index), address, why));
  }
  return errors;
}

/** Checks what an update may not change: addresses and families once given, classes of balancers, health ports. */
export function validateServiceUpdate(service: Service, old: Service): readonly FieldError[] {
  const [spec, before] = [service.spec, old.spec];
  const errors: FieldError[] = [];
  if (spec.type !== "ExternalName" && before.type !== "ExternalName") {
    const [headless, wasHeadless] = [isHeadless(spec), isHeadless(before)];
    if (!headless || !wasHeadless) errors.push(...validateAddressChange(spec, before));
    if (!headless && !wasHeadless) errors.push(...validateFamilyChange(spec, before));
  }
  if (
    spec.type === "LoadBalancer" &&
    before.type === "LoadBalancer" &&
    spec.loadBalancerClass !== before.loadBalancerClass
  ) {
    const at = path.child("loadBalancerClass");
    errors.push(fieldErrors.invalid(at, spec.loadBalancerClass ?? null, "may not change once set"));
  }
  if (
    needsHealthPort(spec) &&
    needsHealthPort(before) &&
    (spec.healthCheckNodePort ?? 0) !== (before.healthCheckNodePort ?? 0)
  ) {
    errors.push(fieldErrors.forbidden(path.child("healthCheckNodePort"), "field is immutable"));
  }
  return errors;
}

function validateAddressChange(spec: ServiceSpec, before: ServiceSpec): FieldError[] {
  const [next, old] = [spec.clusterIPs ?? [], before.clusterIPs ?? []];
  const shown = spec.clusterIPs ?? nilList;
  const changed = (index: number) =>
    fieldErrors.invalid(addressesPath.index(index), shown, "may not change once set");
  if (old.length === next.length) {
    return old.flatMap((address, index) => (address === next[index] ? [] : [changed(index)]));
  }
  if (next.length === 0) {
    return [fieldErrors.invalid(addressesPath.index(0), shown, "primary clusterIP can not be unset")];
  }
  const errors = old.length > 0 && old[0] !== next[0] ? [changed(0)] : [];
  return old.length > next.length && next.length === 1 && spec.ipFamilyPolicy !== "SingleStack"
    ? [...errors, mustBeSingle(spec, "clusterIP")]
    : errors;
}

function validateFamilyChange(spec: ServiceSpec, before: ServiceSpec): FieldError[] {
  const [next, old] = [spec.ipFamilies ?? [], before.ipFamilies ?? []];
  const at = familiesPath.index(0);
  const why = "may not change once set";
  if (old.length === next.length) {
    return old.flatMap((family, index) =>
      family === next[index] ? [] : [fieldErrors.invalid(at, spec.ipFamilies ?? nilList, why)],
    );
  }
  const errors: FieldError[] = [];
  const released = old.length > next.length;
  if (released && !spec.clusterIPs?.length) {
    errors.push(fieldErrors.invalid(at, spec.ipFamilies ?? nilList, "primary ipFamily can not be unset"));
  }
  if (old.length > 0 && next.length > 0 && old[0] !== next[0]) {
    errors.push(fieldErrors.invalid(at, spec.clusterIPs ?? nilList, why));
  }
  return released && next.length === 1 && spec.ipFamilyPolicy !== "SingleStack"
    ? [...errors, mustBeSingle(spec, "ipFamily")]
    : errors;
}

const mustBeSingle = (spec: ServiceSpec, what: string) =>
  fieldErrors.invalid(
    policyPath,
    spec.ipFamilyPolicy ?? null,
    `must be set to 'SingleStack' when releasing the secondary ${what}`,
  );
