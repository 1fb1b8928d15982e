import { noSuchOverload } from "./errors.ts";
import { Optional, elementsOf, type Value } from "./value.ts";

/** The argument as text, else the function has no such overload. */
export function text(value: Value): string {
  if (typeof value !== "string") throw noSuchOverload();
  return value;
}

export function bool(value: Value): boolean {
  if (typeof value !== "boolean") throw noSuchOverload();
  return value;
}

/** An int; those beyond what numbers hold are cut to the greatest number, for counts and indices. */
export function count(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value !== "bigint") throw noSuchOverload();
  return value > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
}

export function int(value: Value): bigint {
  if (typeof value !== "number" && typeof value !== "bigint") throw noSuchOverload();
  return BigInt(value);
}

export function list(value: Value): readonly Value[] {
  const elements = elementsOf(value);
  if (!elements) throw noSuchOverload();
  return elements;
}

export function optional(value: Value): Optional {
  if (!(value instanceof Optional)) throw noSuchOverload();
  return value;
}
