import type { JsonObject, JsonValue } from "../json.ts";
import { jsonEquals } from "../patch/index.ts";
import type { ListType, StructType, Type } from "../schema/types.ts";
import { isEmptySet, isMember, nodeAt, type FieldSet } from "./field-set.ts";
import { isJsonObject, listElement, shapeOf, valueTypeOf } from "./layout.ts";

type MutableObject = Record<string, JsonValue | undefined>;

/** The live object with an applied configuration laid over it. */
export function mergeApplied(
  live: JsonObject,
  applied: JsonObject,
  type: StructType | undefined,
): JsonObject {
  return type === undefined
    ? mergeMap(live, applied, () => undefined)
    : mergeMap(live, applied, (key) => type.field(key)?.type);
}

function mergeValue(live: JsonValue | undefined, applied: JsonValue, type: Type | undefined): JsonValue {
  const shape = shapeOf(type);
  if (live === undefined) return applied;
  if (shape === "leaf") return jsonEquals(live, applied) ? live : applied;
  if (shape === "list") {
    // A list that is applied as null or empty takes nothing away from a live one.
    const list = Array.isArray(applied) ? (applied as readonly JsonValue[]) : [];
    if (!Array.isArray(live)) return applied;
    if (live.length === 0 && list.length === 0) return jsonEquals(live, applied) ? live : applied;
    return mergeList(live, list, type as ListType);
  }
  if (!isJsonObject(live) || (applied !== null && !isJsonObject(applied))) return applied;
  const fields = applied ?? {};
  if (Object.keys(live).length === 0 && Object.keys(fields).length === 0) {
    return jsonEquals(live, applied) ? live : applied;
  }
  if (shape === "struct") return mergeMap(live, fields, (key) => (type as StructType).field(key)?.type);
  const valueType = valueTypeOf(type);
  return mergeMap(live, fields, () => valueType);
}

/** The very live object when it has all that is applied: then nothing has to be compared below it. */
function mergeMap(
  live: JsonObject,
  applied: JsonObject,
  typeOf: (key: string) => Type | undefined,
): JsonObject {
  let result: MutableObject | undefined;
  for (const key in applied) {
    const value = applied[key];
    if (value === undefined) continue;
    const current = Object.hasOwn(live, key) ? live[key] : undefined;
    const merged = mergeValue(current, value, typeOf(key));
    if (merged !== current) (result ??= { ...live })[key] = merged;
  }
  return result ?? live;
}

/** Applied elements stand in the order they are applied in, and live ones keep their place among them. */
function mergeList(
  live: readonly JsonValue[],
  applied: readonly JsonValue[],
  type: ListType,
): readonly JsonValue[] {
  const elementOf = (value: JsonValue) => listElement(type, value);
  const liveOrder = live.map(elementOf);
  const liveValues = new Map<string, JsonValue>(live.map((value, index) => [liveOrder[index] ?? "", value]));
  const appliedOrder = applied.map(elementOf);
  const appliedElements = new Set(appliedOrder);
  const shared = appliedOrder.filter((element) => liveValues.has(element));
  const result: JsonValue[] = [];
  let [left, right, nextShared] = [0, 0, 0];
  while (left < live.length || right < applied.length) {
    const [liveElement, appliedElement] = [liveOrder[left], appliedOrder[right]];
    if (liveElement !== undefined && appliedElement !== undefined) {
      const isShared = appliedElements.has(liveElement);
      if (isShared && liveElement !== appliedElement && liveElement !== shared[nextShared]) {
        left++;
        continue;
      }
    }
    if (liveElement !== undefined && !appliedElements.has(liveElement)) {
      result.push(live[left++] as JsonValue);
    } else if (appliedElement !== undefined) {
      const value = applied[right++] as JsonValue;
      result.push(mergeValue(liveValues.get(appliedElement), value, type.element));
      if (liveElement === appliedElement) left++;
      if (appliedElement === shared[nextShared]) nextShared++;
    } else left++;
  }
  const same = result.length === live.length && result.every((value, index) => value === live[index]);
  return same ? live : result;
}

/** The object without the paths of a set; containers that become empty go too. */
export function removeFields(object: JsonObject, set: FieldSet, type: StructType | undefined): JsonObject {
  if (isEmptySet(set)) return object;
  const result =
    type === undefined ? removeFromMap(object, set, () => undefined) : removeFromStruct(object, set, type);
  return result ?? {};
}

function removeFromValue(value: JsonValue, set: FieldSet, type: Type | undefined): JsonValue | undefined {
  const shape = shapeOf(type);
  if (shape === "leaf" || value === null || typeof value !== "object") return value;
  if (shape === "list") return Array.isArray(value) ? removeFromList(value, set, type as ListType) : value;
  if (!isJsonObject(value)) return value;
  if (shape === "struct") return removeFromStruct(value, set, type as StructType);
  const valueType = valueTypeOf(type);
  return removeFromMap(value, set, () => valueType);
}

const removeFromStruct = (object: JsonObject, set: FieldSet, type: StructType) =>
  removeFromMap(object, set, (key) => type.field(key)?.type);

function removeFromMap(
  object: JsonObject,
  set: FieldSet,
  typeOf: (key: string) => Type | undefined,
): JsonObject | undefined {
  const result: MutableObject = {};
  let kept = 0;
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value === undefined) continue;
    const node = nodeAt(set, `f:${key}`);
    if (node !== undefined && isMember(node)) continue;
    const left = node === undefined ? value : removeFromValue(value, node, typeOf(key));
    if (left === undefined) continue;
    result[key] = left;
    kept++;
  }
  return kept === 0 ? undefined : result;
}

function removeFromList(
  list: readonly JsonValue[],
  set: FieldSet,
  type: ListType,
): readonly JsonValue[] | undefined {
  const result: JsonValue[] = [];
  for (const value of list) {
    const node = nodeAt(set, listElement(type, value));
    if (node !== undefined && isMember(node)) continue;
    const left = node === undefined ? value : removeFromValue(value, node, type.element);
    if (left !== undefined) result.push(left);
  }
  return result.length === 0 ? undefined : result;
}
