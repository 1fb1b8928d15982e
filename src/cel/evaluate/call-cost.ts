import { codePointLength } from "../syntax/issues.ts";
import { sizeOfMap, entriesOf } from "../values/maps.ts";
import { OpaqueValue, adapt, elementsOf, isMap, type Value } from "../values/value.ts";

/** What a call costs, given its arguments (the target first), or its result as well. */
export type CallCost =
  | number
  | ((args: readonly Value[]) => number)
  | {
      readonly ofResult: (result: Value) => number;
      /** What it will cost at least; absent: nobody knows before. */
      readonly atLeast?: (args: readonly Value[]) => number;
    };

/** What calls cost that the language itself does not price; nothing where it does. */
export type CallPricing = (functionName: string, overloadId: string) => CallCost | undefined;

/** Part of a cost unit per character or byte that is looked at. */
export const textFactor = 0.1;
/** Cost units per character of a regular expression. */
export const patternFactor = 0.25;

/** The size of a value as costs know it. */
export function costSize(value: Value | undefined): number {
  if (typeof value === "string") return codePointLength(value);
  if (typeof value !== "object" || value === null) return 1;
  if (value instanceof Uint8Array) return value.length;
  const elements = elementsOf(value);
  if (elements) return elements.length;
  if (isMap(value)) return sizeOfMap(value);
  return value instanceof OpaqueValue ? value.costSize : 1;
}

/** The size of the smaller of two values; of a text that is much longer than the other nobody counts the characters. */
export function smallerSize(one: Value | undefined, other: Value | undefined): number {
  if (typeof one !== "string" || typeof other !== "string") return Math.min(costSize(one), costSize(other));
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  const size = codePointLength(short);
  return long.length >= 2 * size ? size : Math.min(size, codePointLength(long));
}

/** The cost of looking at all that a value holds. */
export function traversalCost(value: Value): number {
  if (typeof value === "string") return Math.trunc(new TextEncoder().encode(value).length * textFactor);
  if (value instanceof Uint8Array) return Math.trunc(value.length * textFactor);
  const elements = elementsOf(value);
  if (elements) return elements.reduce<number>((total, element) => total + traversalCost(adapt(element)), 0);
  if (!isMap(value)) return 1;
  let total = 0;
  for (const [key, entry] of entriesOf(value)) total += traversalCost(key) + traversalCost(entry);
  return total;
}

/** The cost of looking at one argument once, or `factor` times. */
export const traversalOf =
  (index: number, factor = 1): CallCost =>
  (args) =>
    Math.ceil(costSize(args[index]) * factor * textFactor);

/** The cost of matching the first argument against the pattern that is the second. */
export const matchCost: CallCost = ([text, pattern]) =>
  Math.ceil((1 + costSize(text)) * textFactor) * Math.ceil(costSize(pattern) * patternFactor);

const smallest: CallCost = ([one, other]) => Math.ceil(smallerSize(one, other) * textFactor);
const sum: CallCost = ([one, other]) => Math.ceil((costSize(one) + costSize(other)) * textFactor);

const standard: Readonly<Record<string, CallCost>> = {
  starts_with_string: traversalOf(0),
  ends_with_string: traversalOf(0),
  string_to_bytes: traversalOf(0),
  bytes_to_string: traversalOf(0),
  in_list: (args) => costSize(args[1]),
  ...Object.fromEntries(
    ["less", "less_equals", "greater", "greater_equals"].flatMap((word) => [
      [`${word}_string`, smallest],
      [`${word}_bytes`, smallest],
    ]),
  ),
  equals: smallest,
  not_equals: smallest,
  add_string: sum,
  add_bytes: sum,
  matches_string: matchCost,
  contains_string: ([text, part]) =>
    Math.ceil(costSize(text) * textFactor) * Math.ceil(costSize(part) * textFactor),
};

/** What a call of a function costs; all but these cost one unit. */
export function priceOf(
  functionName: string,
  overloadId: string,
  pricing: CallPricing | undefined,
): CallCost {
  return (
    pricing?.(functionName, overloadId) ??
    (Object.hasOwn(standard, overloadId) ? standard[overloadId] : 1) ??
    1
  );
}
