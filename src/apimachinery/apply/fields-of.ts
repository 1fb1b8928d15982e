import type { JsonObject, JsonValue } from "../json.ts";
import type { ListType, StructType, Type } from "../schema/types.ts";
import { isEmptySet, isMember, leaf, nodeAt, union, type FieldSet } from "./field-set.ts";
import { isJsonObject, listElement, presentFields, shapeOf, sortedElements, valueTypeOf } from "./layout.ts";

type MutableSet = Record<string, FieldSet>;

/** The paths that an applied configuration claims: its leaves, and the elements of keyed lists. */
export function fieldsOf(object: JsonObject, type: StructType | undefined): FieldSet {
  return setOf(object, type) ?? leaf;
}

/** The paths of a value; undefined when none: the value itself is no path of the set unless it is a leaf. */
function setOf(value: JsonValue, type: Type | undefined): FieldSet | undefined {
  const shape = shapeOf(type);
  if (shape === "leaf") return leaf;
  if (value === null) return undefined;
  if (shape === "list") return Array.isArray(value) ? setOfList(value, type as ListType) : leaf;
  if (!isJsonObject(value)) return leaf;
  return shape === "struct" ? setOfStruct(value, type as StructType) : setOfMap(value, valueTypeOf(type));
}

function setOfList(list: readonly JsonValue[], type: ListType): FieldSet | undefined {
  let set: MutableSet | undefined;
  for (const value of sortedElements(type, list)) {
    const element = listElement(type, value);
    const node = asMember(setOf(value, type.element));
    const duplicate = set?.[element];
    (set ??= {})[element] = duplicate === undefined ? node : union(duplicate, node);
  }
  return set;
}

/** The node with its own path in the set. */
function asMember(node: FieldSet | undefined): FieldSet {
  if (node === undefined) return leaf;
  return isMember(node) ? node : { ".": leaf, ...node };
}

const isHollow = (value: JsonValue) =>
  value === null || (isJsonObject(value) && Object.keys(value).length === 0);

function setOfStruct(object: JsonObject, type: StructType): FieldSet | undefined {
  let set: MutableSet | undefined;
  for (const field of presentFields(type, object)) {
    const value = object[field.name];
    if (value === undefined) continue;
    const node = isHollow(value) ? leaf : setOf(value, field.type);
    if (node !== undefined) (set ??= {})[field.element] = node;
  }
  if (!type.preserveUnknown) return set;
  const unknown = Object.keys(object).filter((key) => type.field(key) === undefined);
  if (unknown.length === 0) return set;
  const rest = setOfMap(Object.fromEntries(unknown.map((key) => [key, object[key]])), undefined) ?? leaf;
  return union(set ?? leaf, rest);
}

function setOfMap(object: JsonObject, type: Type | undefined): FieldSet | undefined {
  let set: MutableSet | undefined;
  for (const key of Object.keys(object).sort()) {
    const value = object[key];
    if (value !== undefined) (set ??= {})[`f:${key}`] = asMember(setOf(value, type));
  }
  return set;
}

/** The set with every field of a struct that has paths below it: so that removing all of them removes the field. */
export function withNamedFields(set: FieldSet, type: Type | undefined): FieldSet {
  if (isEmptySet(set)) return set;
  const shape = shapeOf(type);
  if (shape === "leaf") return set;
  const result: MutableSet = {};
  for (const key of Object.keys(set)) {
    const node = nodeAt(set, key) as FieldSet;
    if (key === ".") {
      result[key] = node;
      continue;
    }
    const field = shape === "struct" ? (type as StructType).field(key.slice(2)) : undefined;
    const childType =
      shape === "struct" ? field?.type : shape === "list" ? (type as ListType).element : valueTypeOf(type);
    const named = withNamedFields(node, childType);
    result[key] = field === undefined ? named : asMember(named);
  }
  return result;
}
