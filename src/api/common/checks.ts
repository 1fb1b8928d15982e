import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import { semanticallyEqual } from "./equal.ts";
import type { Problems } from "../../apimachinery/index.ts";
import { isValidPortName, isValidPortNum, isValidPercent } from "../../apimachinery/index.ts";

/** An error for each problem of a value. */
export function invalidFor(path: FieldPath, value: unknown, problems: Problems): FieldError[] {
  return problems.map((problem) => fieldErrors.invalid(path, value, problem));
}

/** A text that is absent, or that has problems. */
export function requiredText(
  path: FieldPath,
  text: string | undefined,
  check: (text: string) => Problems,
): FieldError[] {
  return text ? invalidFor(path, text, check(text)) : [fieldErrors.required(path)];
}

/** A number below zero. */
export function nonNegative(path: FieldPath, value: number | undefined): FieldError[] {
  if (value === undefined || value >= 0) return [];
  return [fieldErrors.invalid(path, value, "must be greater than or equal to 0")];
}

/** Those of an object's fields that are below zero. */
export function nonNegativeFields<T extends object>(
  path: FieldPath,
  object: T | undefined,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  return fields.flatMap((field) => nonNegative(path.child(field), object?.[field] as number | undefined));
}

/** A number outside its range. */
export function inRange(
  path: FieldPath,
  value: number | undefined,
  range: { from: number; to: number },
): FieldError[] {
  if (value === undefined || (value >= range.from && value <= range.to)) return [];
  return [fieldErrors.invalid(path, value, `must be between ${range.from} and ${range.to}, inclusive`)];
}

/** A value that is absent, or none of those supported. */
export function oneOf(
  path: FieldPath,
  value: string | undefined,
  supported: readonly string[],
): FieldError[] {
  if (value === undefined || value === "") return [fieldErrors.required(path)];
  return supported.includes(value) ? [] : [fieldErrors.notSupported(path, value, supported)];
}

/** A value that is present, and none of those supported. */
export function optionalOneOf(
  path: FieldPath,
  value: string | undefined,
  supported: readonly string[],
): FieldError[] {
  return value === undefined || supported.includes(value)
    ? []
    : [fieldErrors.notSupported(path, value, supported)];
}

/** A field that an update changes although it may not. */
export function immutable(path: FieldPath, next: unknown, old: unknown): FieldError[] {
  return semanticallyEqual(next, old) ? [] : [fieldErrors.invalid(path, next, "field is immutable")];
}

/** A port's number or name that does not fit. */
export function portNumberOrName(path: FieldPath, port: number | string | undefined): FieldError[] {
  if (port === undefined) return invalidFor(path, 0, isValidPortNum(0));
  return typeof port === "number"
    ? invalidFor(path, port, isValidPortNum(port))
    : invalidFor(path, port, isValidPortName(port));
}

/** A count that is neither a non-negative number nor a percentage. */
export function countOrPercent(path: FieldPath, value: number | string | undefined): FieldError[] {
  if (value === undefined) return [];
  return typeof value === "number"
    ? nonNegative(path, value)
    : invalidFor(path, value, isValidPercent(value));
}

/** A percentage above 100. */
export function atMostFullPercent(path: FieldPath, value: number | string | undefined): FieldError[] {
  if (typeof value !== "string" || !/^[0-9]+%$/.test(value) || Number(value.slice(0, -1)) <= 100) return [];
  return [fieldErrors.invalid(path, value, "must not be greater than 100%")];
}

/** Whether a count or percentage is nothing, as is text that is neither. */
export function isZeroCount(value: number | string | undefined): boolean {
  return typeof value === "string" ? !/^[0-9]*[1-9][0-9]*%?$/.test(value) : !value;
}
