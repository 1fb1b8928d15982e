import { canonicalQuantity as canonical, QuantityError } from "../quantity/index.ts";
import { DecodeError } from "./decode-error.ts";

/** Most quantities that people write are canonical already; these need no arithmetic to see it. */
const shortCanonical = /^[1-9]\d{0,2}(?:[mkMGT]|[KMGT]i)?$/;

/** The canonical text of a quantity. */
export function canonicalQuantity(text: string): string {
  if (shortCanonical.test(text)) return text;
  try {
    return canonical(text);
  } catch (error) {
    if (error instanceof QuantityError) throw new DecodeError(error.message);
    throw error;
  }
}
