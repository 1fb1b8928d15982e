import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";

/** Checks that no element of a path leads up. */
export function validateNoBacksteps(value: string, path: FieldPath): FieldError[] {
  return value.includes("..") && value.split("/").includes("..")
    ? [fieldErrors.invalid(path, value, "must not contain '..'")]
    : [];
}

/** Checks a path that must stay beneath where it starts. */
export function validateLocalPath(value: string, path: FieldPath): FieldError[] {
  const errors = validateNoBacksteps(value, path);
  return value.startsWith("/")
    ? [fieldErrors.invalid(path, value, "must be a relative path"), ...errors]
    : errors;
}

/** Checks a path of a file in a volume: names that start with two dots belong to the kubelet. */
export function validateLocalNonReservedPath(value: string, path: FieldPath): FieldError[] {
  const errors = validateLocalPath(value, path);
  return value.startsWith("..") && !value.startsWith("../")
    ? [...errors, fieldErrors.invalid(path, value, "must not start with '..'")]
    : errors;
}
