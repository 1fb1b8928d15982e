import type { FieldError } from "../../apimachinery/index.ts";
import { byteLength, FieldPath, fieldErrors, isQualifiedName } from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";
import { semanticallyEqual } from "../common/equal.ts";

const mostParameters = 512;
const longestParameters = 256 * 1024;

/** Checks who makes volumes, in the field of that name. */
export function validateProvisioner(field: string, provisioner: string | undefined): FieldError[] {
  const path = FieldPath.root(field);
  if (!provisioner) return [fieldErrors.required(path)];
  const name = provisioner.toLowerCase();
  return invalidFor(path, name, isQualifiedName(name));
}

/** Checks what is passed on to those who make volumes. */
export function validateParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  options: { readonly required: boolean },
): FieldError[] {
  const path = FieldPath.root("parameters");
  const entries = Object.entries(parameters ?? {});
  if (entries.length > mostParameters) return [fieldErrors.tooLong(path, mostParameters)];
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of entries) {
    if (key === "") errors.push(fieldErrors.invalid(path, key, "field can not be empty."));
    size += byteLength(key) + byteLength(value);
  }
  if (size > longestParameters) errors.push(fieldErrors.tooLong(path, longestParameters));
  if (options.required && entries.length === 0) {
    errors.push(fieldErrors.required(path, "must contain at least one key/value pair"));
  }
  return errors;
}

/** An error where a field of the object changes although it may not. */
export function forbidChange(field: string, next: unknown, old: unknown): FieldError[] {
  return semanticallyEqual(next, old)
    ? []
    : [fieldErrors.forbidden(FieldPath.root(field), `updates to ${field} are forbidden.`)];
}
