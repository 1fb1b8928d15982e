import type { JsonObject, JsonValue } from "../json.ts";
import { jsonEquals } from "../patch/index.ts";
import type { ListType, StructType, Type } from "../schema/types.ts";
import { hold, rememberShared, sharedText } from "../shared-values.ts";
import { leaf, type FieldSet } from "./field-set.ts";
import {
  insertField,
  isJsonObject,
  layoutOf,
  listElement,
  presentFields,
  shapeOf,
  sortedElements,
  valueTypeOf,
  type LayoutField,
} from "./layout.ts";

/** How two states of an object differ. */
export interface Comparison {
  /** Paths whose values are new or other ones. */
  readonly changed: FieldSet;
  /** Paths that have no value any more. */
  readonly removed: FieldSet;
}

type MutableSet = Record<string, FieldSet>;

const emptyObject: JsonObject = Object.freeze({});

/** Metadata that the server keeps; nobody owns it. */
const serverMetadata: ReadonlySet<string> = new Set([
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
  "managedFields",
  "resourceVersion",
]);

/** The fields that nobody owns. */
export const strippedFields: FieldSet = Object.freeze({
  "f:apiVersion": leaf,
  "f:kind": leaf,
  "f:metadata": Object.freeze({
    ".": leaf,
    ...Object.fromEntries([...serverMetadata].sort().map((name) => [`f:${name}`, leaf])),
  }),
});

/** Compares two states of an object, but for the fields that nobody owns; `old` is absent for a new object. */
export function compareObjects(
  old: JsonObject | undefined,
  object: JsonObject,
  type: StructType | undefined,
): Comparison {
  const comparer = new Comparer();
  const changed = comparer.root(old ?? emptyObject, object, type);
  return { changed: changed ?? leaf, removed: comparer.removed ?? leaf };
}

const isEmptyValue = (value: JsonValue): boolean => {
  if (value === null) return true;
  if (!isJsonObject(value)) return Array.isArray(value) && value.length === 0;
  for (const _ in value) return false;
  return true;
};

/** Walks both states at once; each call returns what changed and leaves what was removed in `removed`. */
class Comparer {
  removed: FieldSet | undefined;

  root(old: JsonObject, object: JsonObject, type: StructType | undefined): FieldSet | undefined {
    if (type === undefined) return this.untypedRoot(old, object);
    const level = new Level();
    for (const field of differing(old, object, type)) {
      if (field.name === "apiVersion" || field.name === "kind") continue;
      const [before, after] = [old[field.name], object[field.name]];
      if (field.name !== "metadata") {
        const whole = before === undefined ? setOfShared(field.type, after) : undefined;
        if (whole === undefined) this.field(level, field, [before, after]);
        else level.add(field.element, whole, undefined);
      } else if (field.type.kind === "struct") {
        const [oldMetadata, metadata] = [before ?? emptyObject, after ?? emptyObject];
        if (!isJsonObject(oldMetadata) || !isJsonObject(metadata)) continue;
        level.add(
          field.element,
          this.struct(oldMetadata, metadata, field.type, serverMetadata),
          this.removed,
        );
      }
    }
    if (type.preserveUnknown) this.unknown(level, old, object, type);
    return this.close(level);
  }

  private untypedRoot(old: JsonObject, object: JsonObject): FieldSet | undefined {
    const level = new Level();
    for (const key of keysOfBoth(old, object)) {
      if (key === "apiVersion" || key === "kind") continue;
      if (key !== "metadata") {
        this.child(level, { element: `f:${key}`, type: undefined }, [old[key], object[key]]);
        continue;
      }
      const [before, after] = [old[key] ?? emptyObject, object[key] ?? emptyObject];
      if (!isJsonObject(before) || !isJsonObject(after)) continue;
      const strip = (metadata: JsonObject): JsonObject =>
        Object.fromEntries(Object.entries(metadata).filter(([name]) => !serverMetadata.has(name)));
      level.add("f:metadata", this.map(strip(before), strip(after), undefined), this.removed);
    }
    return this.close(level);
  }

  private close(level: Level): FieldSet | undefined {
    this.removed = level.removed;
    return level.changed;
  }

  private field(
    level: Level,
    field: LayoutField,
    [before, after]: readonly [JsonValue | undefined, JsonValue | undefined],
  ): void {
    const { implied } = field;
    this.child(level, field, [
      before === undefined ? implied : before,
      after === undefined ? implied : after,
    ]);
  }

  /** Compares what is at one path element in both states; at least one has it. */
  private child(
    level: Level,
    at: { readonly element: string; readonly type: Type | undefined },
    [before, after]: readonly [JsonValue | undefined, JsonValue | undefined],
  ): void {
    if (before === after) return;
    if (before === undefined) level.add(at.element, wholeSet(at.type, after as JsonValue), undefined);
    else if (after === undefined) level.add(at.element, undefined, wholeSet(at.type, before));
    else level.add(at.element, this.value(before, after, at.type), this.removed);
  }

  private value(before: JsonValue, after: JsonValue, type: Type | undefined): FieldSet | undefined {
    const shape = shapeOf(type);
    this.removed = undefined;
    if (shape === "leaf") return jsonEquals(before, after) ? undefined : leaf;
    if (isEmptyValue(before) && isEmptyValue(after)) {
      // Null and empty differ, though neither has anything below it.
      return before === null || after === null ? leaf : undefined;
    }
    if (shape === "list") {
      if (!isListOrNull(before) || !isListOrNull(after)) return leaf;
      return this.list(before ?? [], after ?? [], type as ListType);
    }
    if (!isObjectOrNull(before) || !isObjectOrNull(after))
      return jsonEquals(before, after) ? undefined : leaf;
    if (shape === "struct")
      return this.struct(before ?? emptyObject, after ?? emptyObject, type as StructType);
    return this.map(before ?? emptyObject, after ?? emptyObject, valueTypeOf(type));
  }

  private struct(
    before: JsonObject,
    after: JsonObject,
    type: StructType,
    skipped?: ReadonlySet<string>,
  ): FieldSet | undefined {
    const level = new Level();
    for (const field of differing(before, after, type)) {
      if (skipped?.has(field.name) !== true) {
        this.field(level, field, [before[field.name], after[field.name]]);
      }
    }
    if (type.preserveUnknown) this.unknown(level, before, after, type);
    return this.close(level);
  }

  /** Fields that a custom resource keeps though its schema does not know them. */
  private unknown(level: Level, before: JsonObject, after: JsonObject, type: StructType): void {
    let found = false;
    for (const key of keysOfBoth(before, after)) {
      if (type.field(key) !== undefined) continue;
      found = true;
      this.child(level, { element: `f:${key}`, type: undefined }, [before[key], after[key]]);
    }
    if (found) level.sort();
  }

  private map(before: JsonObject, after: JsonObject, type: Type | undefined): FieldSet | undefined {
    const level = new Level();
    for (const key of keysOfBoth(before, after)) {
      this.child(level, { element: `f:${key}`, type }, [before[key], after[key]]);
    }
    return this.close(level);
  }

  private list(
    before: readonly JsonValue[],
    after: readonly JsonValue[],
    type: ListType,
  ): FieldSet | undefined {
    const [old, current] = [grouped(before, type), grouped(after, type)];
    const level = new Level();
    for (const [element, values] of current) {
      const olds = old.get(element);
      if (olds === undefined) level.add(element, wholeSet(type.element, values[0] ?? null), undefined);
      else if (olds.length > 1 || values.length > 1) {
        // Duplicates have no identity: they are compared as one value.
        level.add(element, jsonEquals(olds, values) ? undefined : leaf, undefined);
      } else this.child(level, { element, type: type.element }, [olds[0], values[0]]);
    }
    for (const [element, values] of old) {
      if (!current.has(element)) level.add(element, undefined, wholeSet(type.element, values[0] ?? null));
    }
    return this.close(level);
  }
}

/** The fields whose values are not the very same in both, in the order of their names. */
function differing(before: JsonObject, after: JsonObject, type: StructType): readonly LayoutField[] {
  const { byName } = layoutOf(type);
  const fields: LayoutField[] = [];
  for (const key in after) {
    if (after[key] === before[key]) continue;
    const field = byName.get(key);
    if (field !== undefined) insertField(fields, field);
  }
  for (const key in before) {
    if (before[key] === undefined || key in after) continue;
    const field = byName.get(key);
    if (field !== undefined) insertField(fields, field);
  }
  return fields;
}

/** What changed and what was removed below one node. */
class Level {
  changed: MutableSet | undefined;
  removed: MutableSet | undefined;

  add(element: string, changed: FieldSet | undefined, removed: FieldSet | undefined): void {
    if (changed !== undefined) (this.changed ??= {})[element] = changed;
    if (removed !== undefined) (this.removed ??= {})[element] = removed;
  }

  sort(): void {
    const sorted = (set: MutableSet) => Object.fromEntries(Object.entries(set).sort(byKey));
    if (this.changed !== undefined) this.changed = sorted(this.changed);
    if (this.removed !== undefined) this.removed = sorted(this.removed);
  }
}

const byKey = ([one]: [string, unknown], [other]: [string, unknown]) => (one < other ? -1 : 1);
const isListOrNull = (value: JsonValue): value is readonly JsonValue[] | null =>
  value === null || Array.isArray(value);
const isObjectOrNull = (value: JsonValue): value is JsonObject | null =>
  value === null || isJsonObject(value);

function keysOfBoth(one: JsonObject, other: JsonObject): readonly string[] {
  const keys = Object.keys(one);
  for (const key of Object.keys(other)) if (!Object.hasOwn(one, key)) keys.push(key);
  return keys.sort();
}

function grouped(
  list: readonly JsonValue[],
  type: ListType,
): ReadonlyMap<string, readonly [JsonValue, ...JsonValue[]]> {
  const groups = new Map<string, [JsonValue, ...JsonValue[]]>();
  for (const value of sortedElements(type, list)) {
    const element = listElement(type, value);
    const group = groups.get(element);
    if (group === undefined) groups.set(element, [value]);
    else group.push(value);
  }
  return groups;
}

const setsOfShared = new WeakMap<StructType, (value: JsonObject) => FieldSet>();

/** As `wholeSet`, of a value that other objects have too: all have the same set. */
function setOfShared(type: Type, value: JsonValue | undefined): FieldSet | undefined {
  if (type.kind !== "struct" || type.structType === "atomic" || !isJsonObject(value)) return undefined;
  if (sharedText(value) === undefined) return undefined;
  let setOf = setsOfShared.get(type);
  if (setOf === undefined) {
    setOf = rememberShared((object) => hold(wholeStruct(type, object)));
    setsOfShared.set(type, setOf);
  }
  return setOf(value);
}

/** Every path at and below a value that is new or gone as a whole. */
function wholeSet(type: Type | undefined, value: JsonValue): FieldSet {
  const shape = shapeOf(type);
  if (shape === "leaf" || typeof value !== "object" || value === null) return leaf;
  let set: MutableSet | undefined;
  if (shape === "list") {
    if (!Array.isArray(value)) return leaf;
    const list = type as ListType;
    for (const element of sortedElements(list, value)) {
      (set ??= { ".": leaf })[listElement(list, element)] = wholeSet(list.element, element);
    }
    return set ?? leaf;
  }
  if (!isJsonObject(value)) return leaf;
  if (shape === "struct") return wholeStruct(type as StructType, value);
  const valueType = valueTypeOf(type);
  for (const key of Object.keys(value).sort()) {
    (set ??= { ".": leaf })[`f:${key}`] = wholeSet(valueType, value[key] ?? null);
  }
  return set ?? leaf;
}

function wholeStruct(type: StructType, value: JsonObject): FieldSet {
  let set: MutableSet | undefined;
  const fields = presentFields(type, value);
  for (const field of layoutOf(type).implied) {
    if (value[field.name] === undefined) insertField(fields, field);
  }
  for (const field of fields) {
    const given = value[field.name];
    // A null that stands there is a value, which custom resources may have.
    const child = given === undefined ? field.implied : given;
    if (child !== undefined) (set ??= { ".": leaf })[field.element] = wholeSet(field.type, child);
  }
  if (!type.preserveUnknown) return set ?? leaf;
  const unknown = Object.keys(value).filter((key) => type.field(key) === undefined);
  if (unknown.length === 0) return set ?? leaf;
  const nodes: [string, FieldSet][] = Object.entries(set ?? { ".": leaf });
  for (const key of unknown) nodes.push([`f:${key}`, wholeSet(undefined, value[key] ?? null)]);
  return Object.fromEntries(nodes.sort(byKey));
}
