import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import {
  fieldErrors,
  formatQuantity,
  addQuantities,
  parseQuantity,
  valueOf,
} from "../../apimachinery/index.ts";
import { compareAmounts } from "../core/resource-names.ts";
import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  DeviceCapacity,
} from "../types/resource-v1.ts";
import { validateSet } from "./collections.ts";

const mostValues = 10;

/** Checks how much of a device one request may take; only devices that are shared have such a policy. */
export function validateCapacity(
  capacity: DeviceCapacity,
  path: FieldPath,
  options: { readonly shared: boolean },
): FieldError[] {
  const { value, requestPolicy } = capacity;
  if (requestPolicy === undefined) return [];
  const at = path.child("requestPolicy");
  if (!options.shared) return [fieldErrors.forbidden(at, "allowMultipleAllocations must be true")];
  return validatePolicy(requestPolicy, at, value);
}

function validatePolicy(policy: CapacityRequestPolicy, path: FieldPath, most: string): FieldError[] {
  const { validValues = [], validRange } = policy;
  // Upstream always writes this field: one that is absent is null.
  const fallback = policy.default ?? undefined;
  if (validValues.length > 0 && validRange) {
    const why =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    return [fieldErrors.forbidden(path, why)];
  }
  const field = validRange ? "validRange" : "validValues";
  if (validRange === undefined && validValues.length === 0) return [];
  if (fallback === undefined) {
    return [fieldErrors.required(path.child("default"), `required when ${field} is defined`)];
  }
  const amounts = { fallback, most };
  return validRange
    ? validateRange(validRange, path.child(field), amounts)
    : validateValues(validValues, path.child(field), amounts);
}

interface Amounts {
  readonly fallback: string;
  /** All that the device has. */
  readonly most: string;
}

function validateValues(values: readonly string[], path: FieldPath, amounts: Amounts): FieldError[] {
  const { fallback, most } = amounts;
  const errors = values.flatMap((value, index) =>
    index > 0 && compareAmounts(values[index - 1] ?? "", value) > 0
      ? [fieldErrors.invalid(path.index(index), value, "values must be sorted in ascending order")]
      : [],
  );
  errors.push(
    ...validateSet(values, path, {
      most: mostValues,
      check: (value, at) =>
        compareAmounts(value, most) > 0
          ? [fieldErrors.invalid(at, value, `option is larger than capacity value: ${most}`)]
          : [],
      key: (value) => String(valueOf(value)),
    }),
  );
  if (values.some((value) => compareAmounts(value, fallback) === 0)) return errors;
  const why = "default value is not valid according to the requestPolicy";
  return [...errors, fieldErrors.invalid(path, fallback, why)];
}

function validateRange(range: CapacityRequestPolicyRange, path: FieldPath, amounts: Amounts): FieldError[] {
  const { min, max, step } = range;
  const { fallback, most } = amounts;
  if (min === undefined)
    return [fieldErrors.required(path.child("min"), "required when validRange is defined")];
  const errors: FieldError[] = [];
  const refuse = (field: string, value: string, why: string) =>
    errors.push(fieldErrors.invalid(path.child(field), value, why));
  if (compareAmounts(min, most) > 0) refuse("min", min, `min is larger than capacity value: ${most}`);
  if (compareAmounts(fallback, min) < 0) refuse("default", fallback, `default is less than min: ${min}`);
  if (max !== undefined) {
    if (compareAmounts(min, max) > 0) refuse("max", min, `min is larger than max: ${max}`);
    if (compareAmounts(max, most) > 0) refuse("max", max, `max is larger than capacity value: ${most}`);
    if (compareAmounts(fallback, max) > 0) refuse("default", fallback, `default is more than max: ${max}`);
  }
  if (step === undefined) return errors;
  if (compareAmounts(step, "0") <= 0) {
    refuse("step", step, "must be greater than zero");
    return errors;
  }
  const first = formatQuantity(addQuantities(parseQuantity(min), parseQuantity(step)));
  if (compareAmounts(first, most) > 0) {
    refuse("step", step, `one step ${first} is larger than capacity value: ${most}`);
  }
  for (const value of max === undefined ? [fallback] : [fallback, max]) {
    if ((valueOf(value) - valueOf(min)) % valueOf(step) === 0) continue;
    refuse("step", value, `value is not a multiple of a given step (${step}) from (${min})`);
  }
  return errors;
}
