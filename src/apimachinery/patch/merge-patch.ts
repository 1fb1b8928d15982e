import type { JsonObject, JsonValue } from "../json.ts";
import { isList, isObject, ownValue, setKey, type MutableObject } from "./json.ts";

/** Applies an RFC 7386 merge patch: null removes, objects merge, everything else replaces. */
export function applyMergePatch(object: JsonObject, patch: JsonObject): JsonObject {
  const result: MutableObject = { ...object };
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === undefined) continue;
    if (value === null) {
      delete result[key];
      continue;
    }
    const current = ownValue(object, key);
    setKey(
      result,
      key,
      isObject(value) && isObject(current) ? applyMergePatch(current, value) : pruneNulls(value),
    );
  }
  return result;
}

/** A value without the null fields of its objects. */
export function pruneNulls(value: JsonValue): JsonValue {
  if (isList(value)) return value.map(pruneNulls);
  if (!isObject(value)) return value;
  const result: MutableObject = {};
  for (const key of Object.keys(value)) {
    const child = value[key];
    if (child !== null && child !== undefined) setKey(result, key, pruneNulls(child));
  }
  return result;
}
