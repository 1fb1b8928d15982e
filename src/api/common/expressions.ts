import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";

/**
 * Checks an expression of CEL, as far as that needs no compiler: every expression in an object comes through here,
 * which is where its syntax, types and cost would be looked at.
 */
export function validateExpression(
  expression: string | undefined,
  path: FieldPath,
  missing = "",
): FieldError[] {
  return (expression ?? "").trim() === "" ? [fieldErrors.required(path, missing)] : [];
}

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const reserved = new Set(
  (
    "true false null in as break const continue else for function if import let loop package namespace return " +
    "var void while"
  ).split(" "),
);

/** Whether expressions can name something so. */
export const isExpressionName = (name: string): boolean => identifier.test(name) && !reserved.has(name);

/** Whether a text goes over several lines. */
export const hasLineBreaks = (text: string): boolean => /[\n\r]/.test(text);
