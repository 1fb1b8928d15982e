import { DecodeError } from "./decode-error.ts";

const quantity = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/;

/** The text of a quantity, once it is known to be one. */
export function canonicalQuantity(text: string): string {
  if (quantity.test(text)) return text;
  throw new DecodeError(
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  );
}
