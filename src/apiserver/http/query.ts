import { ApiError } from "../../apimachinery/index.ts";

const largestInt64 = 2n ** 63n - 1n;

/** A query parameter as a whole number, read as Go reads it; undefined when it is not given. */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  const isNumber = /^[+-]?\d+$/.test(value);
  const magnitude = isNumber ? BigInt(value.replace(/^[+-]/, "")) : 0n;
  const limit = value.startsWith("-") ? largestInt64 + 1n : largestInt64;
  if (isNumber && magnitude <= limit) return Number(value);
  const why = isNumber ? "value out of range" : "invalid syntax";
  throw ApiError.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: ${why}`);
}

/** A query parameter that is on unless it says no; undefined when it is not given. */
export function flagOf(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name);
  return value === null ? undefined : value !== "0" && value.toLowerCase() !== "false";
}
