import { parseQuantity, QuantityError } from "../../apimachinery/index.ts";

/** A quantity's text in billionths, for comparing and adding; undefined when it is no quantity. */
export function nanosOf(quantity: string | number): bigint | undefined {
  try {
    return parseQuantity(quantity).nanos;
  } catch (error) {
    if (error instanceof QuantityError) return undefined;
    throw error;
  }
}
