import { zeroOfScalar } from "../codec/scalars.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { Field, ListType, StructType, Type } from "../schema/types.ts";
import { compareValues } from "./field-set.ts";

/** A field as server-side apply walks it. */
export interface LayoutField {
  readonly name: string;
  /** `f:name`. */
  readonly element: string;
  readonly type: Type;
  /** The value that absence means in a typed object: what Go would write for the zero value. */
  readonly implied: JsonValue | undefined;
  /** Position among the struct's fields in the order of their names. */
  readonly order: number;
}

interface Layout {
  readonly byName: ReadonlyMap<string, LayoutField>;
  /** The fields whose absence means a value. */
  readonly implied: readonly LayoutField[];
}

const layouts = new WeakMap<StructType, Layout>();

/** A struct's fields; derived from the type once. */
export function layoutOf(type: StructType): Layout {
  let layout = layouts.get(type);
  if (layout === undefined) {
    const fields = [...type.fields]
      .sort((one, other) => (one.name < other.name ? -1 : 1))
      .map((field, order): LayoutField => ({
        name: field.name,
        element: `f:${field.name}`,
        type: field.type,
        implied: impliedValue(field),
        order,
      }));
    layout = {
      byName: new Map(fields.map((field) => [field.name, field])),
      implied: fields.filter((field) => field.implied !== undefined),
    };
    layouts.set(type, layout);
  }
  return layout;
}

/** Keeps a short list of fields in the order of their names. */
export function insertField(fields: LayoutField[], field: LayoutField): void {
  let position = fields.length;
  fields.push(field);
  for (; position > 0; position--) {
    const previous = fields[position - 1] as LayoutField;
    if (previous.order < field.order) break;
    fields[position] = previous;
  }
  fields[position] = field;
}

/** The fields that an object has, in the order of their names. */
export function presentFields(type: StructType, object: JsonObject): LayoutField[] {
  const { byName } = layoutOf(type);
  const fields: LayoutField[] = [];
  for (const key in object) {
    const field = byName.get(key);
    if (field !== undefined) insertField(fields, field);
  }
  return fields;
}

const emptyObject: JsonObject = Object.freeze({});

function impliedValue(field: Field): JsonValue | undefined {
  if (field.omitEmpty) return undefined;
  if (field.pointer) return null;
  switch (field.type.kind) {
    case "struct":
      return emptyObject;
    case "list":
    case "map":
      return null;
    default:
      return zeroOfScalar(field.type);
  }
}

/** How a value is walked: field by field, key by key, element by element, or as one. */
export type Shape = "struct" | "map" | "list" | "leaf";

/** Types whose objects are walked as maps of anything, though nothing is known of them; raw objects are not. */
const isDeduced = (type: Type | undefined) => type === undefined || type.kind === "json";

export function shapeOf(type: Type | undefined): Shape {
  switch (type?.kind) {
    case "struct":
      return type.structType === "atomic" ? "leaf" : "struct";
    case "map":
      return type.mapType === "atomic" ? "leaf" : "map";
    case "list":
      return type.listType === "atomic" ? "leaf" : "list";
    default:
      return isDeduced(type) ? "map" : "leaf";
  }
}

export const isJsonObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The type of a map's values. */
export const valueTypeOf = (type: Type | undefined): Type | undefined =>
  type?.kind === "map" ? type.value : undefined;

interface ListKeys {
  readonly names: readonly string[];
  readonly defaults: readonly (JsonValue | undefined)[];
}

const listKeys = new WeakMap<ListType, ListKeys>();

function keysOf(type: ListType): ListKeys {
  let keys = listKeys.get(type);
  if (keys === undefined) {
    const names = [...type.mapKeys].sort();
    const element = type.element.kind === "struct" ? type.element : undefined;
    const defaults = names.map((name) => element?.field(name)?.default as JsonValue | undefined);
    keys = { names, defaults };
    listKeys.set(type, keys);
  }
  return keys;
}

const keyValue = (keys: ListKeys, element: JsonObject, position: number) =>
  element[keys.names[position] ?? ""] ?? keys.defaults[position];

/** The key of a keyed list that an element lacks and that has no default. */
export function missingKey(type: ListType, element: JsonObject): string | undefined {
  const keys = keysOf(type);
  return keys.names.find((_, position) => keyValue(keys, element, position) === undefined);
}

/** `k:{"name":"web"}` or `v:"text"`: the path element of a list's element. */
export function listElement(type: ListType, element: JsonValue): string {
  if (type.listType === "set") return `v:${JSON.stringify(element)}`;
  const keys = keysOf(type);
  const object = isJsonObject(element) ? element : emptyObject;
  let text = "k:{";
  for (let position = 0; position < keys.names.length; position++) {
    const value = keyValue(keys, object, position) ?? null;
    const separator = position === 0 ? "" : ",";
    text += `${separator}"${keys.names[position]}":${typeof value === "number" ? value : JSON.stringify(value)}`;
  }
  return `${text}}`;
}

/** The order of two elements' path elements, without building them. */
export function compareListElements(type: ListType, one: JsonValue, other: JsonValue): number {
  if (type.listType === "set") return compareValues(one, other);
  const keys = keysOf(type);
  if (!isJsonObject(one) || !isJsonObject(other)) return 0;
  for (let position = 0; position < keys.names.length; position++) {
    const order = compareValues(keyValue(keys, one, position), keyValue(keys, other, position));
    if (order !== 0) return order;
  }
  return 0;
}

/** The elements in the order of their path elements. */
export function sortedElements(type: ListType, list: readonly JsonValue[]): readonly JsonValue[] {
  if (list.length < 2) return list;
  return [...list].sort((one, other) => compareListElements(type, one, other));
}
