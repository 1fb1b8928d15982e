import { noSuchOverload } from "./errors.ts";
import { compareBytes, compareText } from "./text.ts";
import { compareTimestamps } from "./time.ts";
import { lookUp, sizeOfMap, entriesOf } from "./maps.ts";
import {
  Double,
  Duration,
  KeyedList,
  OpaqueValue,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
  adapt,
  elementsOf,
  isMap,
  type Value,
} from "./value.ts";

/** The number that an int, uint or double is; a bigint where a number would be inexact. */
export function numberOf(value: Value): number | bigint | undefined {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (value instanceof Double || value instanceof Uint) return value.value;
  return undefined;
}

/** CEL's `==`: values of different types differ, but numbers are compared by what they count. */
export function equal(one: Value, other: Value): boolean {
  if (one === other) return true;
  if (typeof one === "string" || typeof one === "boolean" || one === null) return false;
  if (numberOf(one) !== undefined) return numberOf(other) !== undefined && compareNumbers(one, other) === 0;
  const elements = elementsOf(one);
  if (elements) return equalLists(one, other);
  if (isMap(one)) return isMap(other) && equalMaps(one, other);
  return equalObjects(one, other);
}

/** Order of numbers; beside a double an int is as exact as a double can be. NaN has no order. */
function compareNumbers(one: Value, other: Value): number {
  let [first, second] = [numberOf(one) as number | bigint, numberOf(other) as number | bigint];
  if (one instanceof Double || other instanceof Double) [first, second] = [Number(first), Number(second)];
  if (Number.isNaN(first) || Number.isNaN(second)) return Number.NaN;
  return first < second ? -1 : Number(first > second);
}

function equalLists(one: Value, other: Value): boolean {
  const elements = elementsOf(one);
  const others = elementsOf(other);
  if (!elements || !others || elements.length !== others.length) return false;
  if (one instanceof KeyedList) return equalUnordered(one, others);
  for (let index = 0; index < elements.length; index++) {
    if (!equal(adapt(elements[index]), adapt(others[index]))) return false;
  }
  return true;
}

/** Lists that are sets or maps are equal if each element of one has its equal in the other. */
function equalUnordered({ elements, keys }: KeyedList, others: readonly Value[]): boolean {
  const byKey = new Map(others.map((other) => [keyOfElement(other, keys), other]));
  return elements.every((element) => {
    const key = keyOfElement(element, keys);
    return byKey.has(key) && equal(adapt(element), adapt(byKey.get(key)));
  });
}

/** What tells an element of a keyed list from others. */
export function keyOfElement(element: Value, keys: readonly string[] | undefined): string {
  if (!keys) return JSON.stringify(element);
  const object = element as Readonly<Record<string, unknown>>;
  return JSON.stringify(keys.map((key) => object[key] ?? null));
}

function equalMaps(one: Value, other: Value): boolean {
  if (sizeOfMap(one) !== sizeOfMap(other)) return false;
  for (const [key, value] of entriesOf(one)) {
    const found = lookUp(other, key);
    if (found === undefined || !equal(value, found)) return false;
  }
  return true;
}

function equalObjects(one: Value, other: Value): boolean {
  if (one instanceof Uint8Array) return other instanceof Uint8Array && compareBytes(one, other) === 0;
  if (one instanceof Timestamp) return other instanceof Timestamp && compareTimestamps(one, other) === 0;
  if (one instanceof Duration) return other instanceof Duration && one.nanos === other.nanos;
  if (one instanceof TypeValue) return other instanceof TypeValue && one.name === other.name;
  if (one instanceof OpaqueValue) return other instanceof OpaqueValue && one.equals(other);
  if (!(one instanceof Optional) || !(other instanceof Optional)) return false;
  if (one.value === undefined || other.value === undefined) return one.value === other.value;
  return equal(one.value, other.value);
}

/** Order of two values: negative, zero, positive; NaN if there is none. Throws where the types have no order. */
export function compare(one: Value, other: Value): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (numberOf(one) !== undefined) {
    if (numberOf(other) === undefined) throw noSuchOverload();
    return compareNumbers(one, other);
  }
  if (typeof one === "string" && typeof other === "string") return compareText(one, other);
  if (typeof one === "boolean" && typeof other === "boolean") return Number(one) - Number(other);
  if (one instanceof Timestamp && other instanceof Timestamp) return compareTimestamps(one, other);
  if (one instanceof Duration && other instanceof Duration) {
    return one.nanos < other.nanos ? -1 : Number(one.nanos > other.nanos);
  }
  if (one instanceof Uint8Array && other instanceof Uint8Array) return compareBytes(one, other);
  throw noSuchOverload();
}
