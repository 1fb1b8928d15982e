import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isQualifiedName } from "../../apimachinery/index.ts";
import { nanosOf } from "../common/amounts.ts";
import { invalidFor } from "../common/checks.ts";

const containerResources = new Set(["cpu", "memory", "ephemeral-storage"]);
const countedResources = [
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
];
const integerResources = new Set(countedResources);
const quotaResources = new Set([
  ...containerResources,
  ...["cpu", "memory", "ephemeral-storage"].flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  "requests.storage",
  ...countedResources,
]);
const hugePagesPrefix = "hugepages-";
const quotaPrefix = "requests.";

/** Whether the name stands for pages of memory of one size. */
export const isHugePages = (name: string): boolean => name.startsWith(hugePagesPrefix);

/** Whether the name belongs to Kubernetes: without a prefix, or with one of its own. */
export const isNativeResource = (name: string): boolean =>
  !name.includes("/") || name.includes("kubernetes.io/");

/** Whether the name is one that a vendor may use for devices of nodes. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith(quotaPrefix)) return false;
  return isQualifiedName(`${quotaPrefix}${name}`).length === 0;
}

/** Whether more of the resource may be promised than there is. */
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePages(name);

/** Whether quotas know the resource by this name. */
export const isQuotaResource = (name: string): boolean =>
  quotaResources.has(name) || isHugePages(name) || name.startsWith(`${quotaPrefix}${hugePagesPrefix}`);

/** Checks a resource's name. */
export function validateResourceName(name: string, path: FieldPath): FieldError[] {
  const errors = invalidFor(path, name, isQualifiedName(name));
  if (errors.length > 0 || name.includes("/") || isQuotaResource(name) || name === "storage") return errors;
  return [fieldErrors.invalid(path, name, "must be a standard resource type or fully qualified")];
}

/** Checks the name of a resource that containers ask for. */
export function validateContainerResourceName(name: string, path: FieldPath): FieldError[] {
  if (containerResources.has(name)) return [];
  const errors = validateResourceName(name, path);
  if (!name.includes("/")) {
    return isHugePages(name)
      ? errors
      : [...errors, fieldErrors.invalid(path, name, "must be a standard resource for containers")];
  }
  return isNativeResource(name) || isExtendedResource(name)
    ? errors
    : [...errors, fieldErrors.invalid(path, name, "doesn't follow extended resource name standard")];
}

/** Checks that an amount is not negative, and whole where the resource is counted. */
export function validateAmount(path: FieldPath, amount: { name: string; quantity: string }): FieldError[] {
  const { name, quantity } = amount;
  const errors: FieldError[] = [];
  if (quantity.startsWith("-") && compareAmounts(quantity, "0") < 0) {
    errors.push(fieldErrors.invalid(path, quantity, "must be greater than or equal to 0"));
  }
  if (containerResources.has(name)) return errors;
  if ((integerResources.has(name) || isExtendedResource(name)) && !isWhole(quantity)) {
    errors.push(fieldErrors.invalid(path, quantity, "must be an integer"));
  }
  return errors;
}

/** Amounts as nearly all are: few digits and a suffix. Of the same suffix, they compare like their numbers. */
const plainAmount = /^([0-9]{1,15})([A-Za-z]*)$/;
const wholeAmount = /^[0-9]{1,15}(?:k|[MGTPE]|[KMGTPE]i)?$/;

/** Less than zero, zero or more, as the first amount is less than the second, the same or more. */
export function compareAmounts(first: string, second: string): number {
  if (first === second) return 0;
  const [one, other] = [plainAmount.exec(first), plainAmount.exec(second)];
  if (one !== null && other !== null && one[2] === other[2]) return Number(one[1]) - Number(other[1]);
  const difference = (nanosOf(first) ?? 0n) - (nanosOf(second) ?? 0n);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Checks that an amount is not negative once it is rounded to whole units. */
export function validateWhole(quantity: string, path: FieldPath): FieldError[] {
  const whole = wholeUnits(quantity);
  return whole < 0n ? [fieldErrors.invalid(path, Number(whole), "must be a valid resource quantity")] : [];
}

/** An amount in whole units, rounded away from zero. */
function wholeUnits(quantity: string): bigint {
  const nanos = nanosOf(quantity) ?? 0n;
  const unit = 10n ** 9n;
  const whole = nanos / unit;
  if (nanos % unit === 0n) return whole;
  return nanos < 0n ? whole - 1n : whole + 1n;
}

/** Whether an amount is a whole number of thousandths that make whole units. */
export function isWhole(quantity: string): boolean {
  if (wholeAmount.test(quantity)) return true;
  const nanos = nanosOf(quantity) ?? 0n;
  const thousandth = 10n ** 6n;
  // Thousandths are rounded away from zero before they are looked at.
  const rounded = nanos % thousandth === 0n ? 0n : nanos < 0n ? -1n : 1n;
  return (nanos / thousandth + rounded) % 1000n === 0n;
}
