import { DecodeError, scanJson } from "../../apimachinery/index.ts";

/** A text of JSON that is kept in an object, or why Go's reader does not take it. */
export function readGoJson(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    scanJson(text);
  } catch (error) {
    if (error instanceof DecodeError) return { problem: error.message };
    throw error;
  }
  return { value: JSON.parse(text) };
}

/** What Go's reader says of a value that fits no `target`: a type, or a field of a struct with its type. */
export const misfit = (value: unknown, target: string): string =>
  `json: cannot unmarshal ${kindOf(value)} into Go ${target}`;

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}
