import type { FieldError, FieldPath, Problems } from "../../apimachinery/index.ts";
import {
  fieldErrors,
  isDNS1035Label,
  isValidPercent,
  isValidPortName,
  isValidPortNum,
} from "../../apimachinery/index.ts";
import { semanticallyEqual } from "./equal.ts";

/** An error for each problem of a value. */
export function invalidFor(path: FieldPath, value: unknown, problems: Problems): FieldError[] {
  return problems.map((problem) => fieldErrors.invalid(path, value, problem));
}

/** One error for all problems of a value. */
export function invalidJoined(path: FieldPath, value: unknown, problems: Problems): FieldError[] {
  return problems.length === 0 ? [] : [fieldErrors.invalid(path, value, problems.join(","))];
}

/** What is wrong with a kind: in lower case it must be a label. */
export function mixedCaseProblems(kind: string): Problems {
  const problems = isDNS1035Label(kind.toLowerCase());
  if (problems.length === 0) return problems;
  return [`may have mixed case, but should otherwise match: ${problems.join(",")}`];
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

/** A wildcard that is not alone in its list. */
export function loneWildcard(path: FieldPath, list: readonly string[], noun: string): FieldError[] {
  if (list.length < 2 || !list.includes("*")) return [];
  return [fieldErrors.invalid(path, list, `if '*' is present, must not specify other ${noun}`)];
}

/** A list that has no elements, or a wildcard besides others. */
export function requiredList(
  path: FieldPath,
  list: readonly string[] | undefined,
  words: { readonly missing?: string; readonly noun: string },
): FieldError[] {
  return list?.length ? loneWildcard(path, list, words.noun) : [fieldErrors.required(path, words.missing)];
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
