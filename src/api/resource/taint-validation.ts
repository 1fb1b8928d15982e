import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isValidLabelValue, validateLabelName } from "../../apimachinery/index.ts";
import { invalidFor, oneOf, optionalOneOf } from "../common/checks.ts";
import type { DeviceTaint, DeviceToleration } from "../types/resource-v1.ts";

const effects = ["NoExecute", "NoSchedule", "None"];

/** Checks a taint of a device; an effect that it had before is not looked at again. */
export function validateTaint(
  taint: Partial<DeviceTaint> | undefined,
  path: FieldPath,
  old?: Partial<DeviceTaint>,
): FieldError[] {
  const { key = "", value = "", effect } = taint ?? {};
  return [
    ...validateLabelName(key, path.child("key")),
    ...(value === "" ? [] : invalidFor(path.child("value"), value, isValidLabelValue(value))),
    ...(old !== undefined && old.effect === effect ? [] : oneOf(path.child("effect"), effect, effects)),
  ];
}

/** Checks which taints a request for devices puts up with. */
export function validateToleration(toleration: DeviceToleration, path: FieldPath): FieldError[] {
  const { key = "", operator, value = "", effect } = toleration;
  const at = path.child("value");
  const errors = key === "" ? [] : [...validateLabelName(key, path.child("key"))];
  switch (operator) {
    case "Exists":
      if (value !== "") errors.push(fieldErrors.invalid(at, value, "must be empty for operator `Exists`"));
      break;
    case "Equal":
      errors.push(...invalidFor(at, value, isValidLabelValue(value)));
      break;
    default:
      errors.push(...oneOf(path.child("operator"), operator, ["Equal", "Exists"]));
  }
  return effect ? [...errors, ...optionalOneOf(path.child("effect"), effect, effects)] : errors;
}
