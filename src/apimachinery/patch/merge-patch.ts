import type { JsonObject, JsonValue } from "../json.ts";
import { isList, isObject, ownValue, setKey, type MutableObject } from "./json.ts";

/**
 * Applies an RFC 7386 merge patch: null removes, objects merge, everything else replaces. What does not change keeps
 * its identity.
 */
export function applyMergePatch(object: JsonObject, patch: JsonObject): JsonObject {
  let result: MutableObject | undefined;
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === undefined) continue;
    const current = ownValue(object, key);
    if (value === null) {
      if (current !== undefined) delete (result ??= { ...object })[key];
      continue;
    }
    const merged = isObject(value) && isObject(current) ? applyMergePatch(current, value) : pruneNulls(value);
    if (merged !== current) setKey((result ??= { ...object }), key, merged);
  }
  return result ?? object;
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
