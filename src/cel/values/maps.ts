import { EvaluationError } from "./errors.ts";
import { formatDouble } from "./text.ts";
import { CelMap, Double, Uint, adapt, intOf, isObject, type MapKey, type Value } from "./value.ts";

/** The key under which a map finds a value; nothing if no map can hold it. */
export function mapKeyOf(value: Value): MapKey | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
    case "bigint":
      return value;
    default:
      if (value instanceof Uint) return intOf(value.value);
      if (value instanceof Double && Number.isInteger(value.value)) return intOf(BigInt(value.value));
      return undefined;
  }
}

/** The value of a key, or nothing. */
export function lookUp(map: Value, key: Value): Value | undefined {
  if (map instanceof CelMap) {
    const mapKey = mapKeyOf(key);
    return mapKey === undefined ? undefined : map.entries.get(mapKey)?.[1];
  }
  return typeof key === "string" && isObject(map) && Object.hasOwn(map, key) ? adapt(map[key]) : undefined;
}

/** Numbers of entries of objects, which are counted once. */
const sizes = new WeakMap<object, number>();

/** Number of entries. */
export function sizeOfMap(map: Value): number {
  if (map instanceof CelMap) return map.entries.size;
  const object = map as object;
  let size = sizes.get(object);
  if (size === undefined) sizes.set(object, (size = Object.keys(object).length));
  return size;
}

/** Keys and values. */
export function* entriesOf(map: Value): Iterable<readonly [Value, Value]> {
  if (map instanceof CelMap) yield* map.entries.values();
  else
    for (const key of Object.keys(map as object)) yield [key, adapt((map as Record<string, unknown>)[key])];
}

/** A map of entries; keys must be strings, bools, ints or uints, and differ. */
export function mapOf(entries: Iterable<readonly [Value, Value]>): CelMap {
  const map = new Map<MapKey, readonly [Value, Value]>();
  for (const [key, value] of entries) {
    const mapKey = key instanceof Double ? undefined : mapKeyOf(key);
    if (mapKey === undefined) throw new EvaluationError("unsupported key type");
    if (map.has(mapKey)) throw new EvaluationError(`Failed with repeated key: ${shownKey(key)}`);
    map.set(mapKey, [key, value]);
  }
  return new CelMap(map);
}

/** A key as messages show it. */
export function shownKey(key: Value): string {
  if (key instanceof Uint) return String(key.value);
  if (key instanceof Double) return formatDouble(key.value);
  return typeof key === "object" ? JSON.stringify(key) : String(key);
}
