import { FieldPath, fieldErrorMessage, fieldErrors, type FieldError } from "../field-error.ts";
import { isQualifiedName, isValidLabelValue } from "../names/index.ts";

export type Operator = "in" | "notin" | "=" | "==" | "!=" | "exists" | "!" | "gt" | "lt";

/** One condition of a selector; `values` are sorted where the text form sorts them. */
export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** A selector that cannot be read; its message is upstream's. */
export class SelectorError extends Error {
  override readonly name = "SelectorError";
}

const integer = /^[-+]?[0-9]+$/;
const largest = 2n ** 63n;

/** The number that Go's ParseInt reads from the text. */
export function int64(text: string): bigint | undefined {
  if (!integer.test(text) || text.length > 64) return undefined;
  const number = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return number < largest && number >= -largest ? number : undefined;
}

/** Checks a requirement; throws `SelectorError` in upstream's words. */
export function checkedRequirement(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement;
  const errors: FieldError[] = [];
  const keyProblems = isQualifiedName(key);
  if (keyProblems.length > 0) {
    errors.push(fieldErrors.invalid(FieldPath.root("key"), key, keyProblems.join("; ")));
  }
  const path = FieldPath.root("values");
  const countProblem = valueCountProblem(operator, values.length);
  if (countProblem !== undefined) errors.push(fieldErrors.invalid(path, values, countProblem));
  if (operator === "gt" || operator === "lt") {
    for (const [index, value] of values.entries()) {
      if (int64(value) !== undefined) continue;
      const detail = "for 'Gt', 'Lt' operators, the value must be an integer";
      errors.push(fieldErrors.invalid(path.index(index), value, detail));
    }
  }
  for (const [index, value] of values.entries()) {
    const problems = isValidLabelValue(value);
    if (problems.length > 0) {
      errors.push(fieldErrors.invalid(path.index(index).key(key), value, problems.join("; ")));
    }
  }
  if (errors.length > 0) throw new SelectorError(aggregate(errors));
  return requirement;
}

function valueCountProblem(operator: Operator, count: number): string | undefined {
  switch (operator) {
    case "in":
    case "notin":
      return count === 0 ? "for 'in', 'notin' operators, values set can't be empty" : undefined;
    case "=":
    case "==":
    case "!=":
      return count === 1 ? undefined : "exact-match compatibility requires one single value";
    case "exists":
    case "!":
      return count === 0 ? undefined : "values set must be empty for exists and does not exist";
    case "gt":
    case "lt":
      return count === 1 ? undefined : "for 'Gt', 'Lt' operators, exactly one value is required";
  }
}

/** `field: message` of each error; several in brackets. */
export function aggregate(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map((error) => `${error.field || "<nil>"}: ${fieldErrorMessage(error)}`))];
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}

/** Whether labels meet a requirement. */
export function meets(requirement: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const { key, operator, values } = requirement;
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "in":
    case "=":
    case "==":
      return value !== undefined && values.includes(value);
    case "notin":
    case "!=":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "gt":
    case "lt": {
      const [left, right] = [int64(value ?? ""), int64(values[0] ?? "")];
      if (left === undefined || right === undefined) return false;
      return operator === "gt" ? left > right : left < right;
    }
  }
}

/** The text form of a requirement. */
export function requirementText({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${[...values].sort().join(",")})`;
    case "gt":
      return `${key}>${values[0]}`;
    case "lt":
      return `${key}<${values[0]}`;
    case "=":
    case "==":
    case "!=":
      return `${key}${operator}${values[0]}`;
  }
}
