import type { JsonObject, JsonValue } from "../json.ts";

/** A container that a patch has copied and may therefore change. */
export type MutableObject = Record<string, JsonValue | undefined>;

export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isList = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);

/** Sets a key, even one such as `__proto__`, as data. */
export function setKey(object: MutableObject, key: string, value: JsonValue): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else object[key] = value;
}

/** The object's own value of a key. */
export const ownValue = (object: JsonObject, key: string): JsonValue | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/** Whether two JSON values are equal, whatever the order of keys. */
export function jsonEquals(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (one === other) return true;
  if (isList(one)) {
    if (!isList(other) || one.length !== other.length) return false;
    for (let index = 0; index < one.length; index++) {
      if (!jsonEquals(one[index], other[index])) return false;
    }
    return true;
  }
  if (!isObject(one) || !isObject(other)) return false;
  let count = 0;
  for (const key in one) {
    if (one[key] === undefined) continue;
    count++;
    if (!Object.hasOwn(other, key) || !jsonEquals(one[key], other[key])) return false;
  }
  for (const key in other) if (other[key] !== undefined) count--;
  return count === 0;
}

/** A value as Go's `%v` prints it. */
export function goText(value: JsonValue): string {
  if (isList(value)) return `[${value.map(goText).join(" ")}]`;
  if (!isObject(value)) return value === null ? "<nil>" : String(value);
  const entries = Object.keys(value).sort();
  return `map[${entries.map((key) => `${key}:${goText(value[key] ?? null)}`).join(" ")}]`;
}

/** What Go's errors call the kind of a JSON value. */
export function goKind(value: JsonValue): string {
  if (value === null) return "null";
  if (isList(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** The Go type of a JSON value that was decoded without a schema, as `%T` prints it. */
export function goType(value: JsonValue): string {
  if (value === null) return "<nil>";
  if (isList(value)) return "[]interface {}";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    case "string":
      return "string";
    default:
      return "map[string]interface {}";
  }
}
