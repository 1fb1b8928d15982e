import type { FieldsV1, JsonValue } from "../json.ts";

/**
 * A set of field paths, kept in the form in which objects carry it: `f:` a field, `k:` an element of a keyed list,
 * `v:` an element of a set, `i:` an index. A path is in the set when its node is empty or has a `.`; so no decoding
 * is needed, and what does not change is shared. Keys are in upstream's order.
 */
export type FieldSet = FieldsV1;

/** The node of a path that is in the set and has no path below it; also the empty set. */
export const leaf: FieldSet = Object.freeze({});

type MutableSet = Record<string, FieldSet>;

const self = ".";

const child = (node: FieldSet, key: string): FieldSet | undefined => node[key] as FieldSet | undefined;

const isBare = (node: FieldSet): boolean => {
  for (const _ in node) return false;
  return true;
};

/** Whether the path of this node is in the set. */
export const isMember = (node: FieldSet): boolean => child(node, self) !== undefined || isBare(node);

/** Whether no path is in the set. */
export const isEmptySet = isBare;

/** The node of a path element, if anything at or below it is in the set. */
export const nodeAt = child;

/** Brings a set from outside into the form of this file; throws on text that is no path element. */
export function parseFieldSet(source: JsonValue | undefined): FieldSet {
  if (typeof source !== "object" || source === null || Array.isArray(source)) {
    throw new TypeError("fields must be an object");
  }
  const nodes: [string, FieldSet][] = [];
  let member = false;
  for (const [key, value] of Object.entries(source)) {
    if (key === self) member = true;
    else nodes.push([normalizedElement(key), parseFieldSet(value)]);
  }
  nodes.sort(([one], [other]) => compareElements(one, other));
  const set: MutableSet = {};
  if (member && nodes.length > 0) set[self] = leaf;
  for (const [key, node] of nodes) set[key] = node;
  return set;
}

function normalizedElement(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case "f:":
      return element;
    case "v:":
      return `v:${JSON.stringify(JSON.parse(rest))}`;
    case "k:": {
      const entries = Object.entries(JSON.parse(rest) as Record<string, JsonValue>);
      return `k:${JSON.stringify(Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1))))}`;
    }
    case "i:":
      if (/^-?[0-9]+$/.test(rest)) return element;
  }
  throw new TypeError(`unknown path element ${JSON.stringify(element)}`);
}

const ranks: Readonly<Record<string, number>> = { ".": -1, "f:": 0, "k:": 1, "v:": 2, "i:": 3 };

/** Upstream's order of path elements: fields by name, keys and values by what they hold, indexes. */
export function compareElements(one: string, other: string): number {
  const [kind, otherKind] = [one.slice(0, 2), other.slice(0, 2)];
  if (kind !== otherKind) return (ranks[kind] ?? 4) - (ranks[otherKind] ?? 4);
  if (kind === "f:") return one < other ? -1 : one > other ? 1 : 0;
  const [left, right] = [JSON.parse(one.slice(2)) as JsonValue, JSON.parse(other.slice(2)) as JsonValue];
  if (kind !== "k:") return compareValues(left, right);
  const [fields, otherFields] = [Object.entries(left ?? {}), Object.entries(right ?? {})];
  for (const [index, [name, value]] of fields.entries()) {
    const otherField = otherFields[index];
    if (otherField === undefined) return 1;
    if (name !== otherField[0]) return name < otherField[0] ? -1 : 1;
    const order = compareValues(value, otherField[1]);
    if (order !== 0) return order;
  }
  return fields.length - otherFields.length;
}

const valueKinds = ["number", "string", "boolean", "object"];

/** Upstream's order of scalars: numbers, strings, booleans. */
export function compareValues(one: JsonValue | undefined, other: JsonValue | undefined): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === "string" && typeof other === "string") return one < other ? -1 : one > other ? 1 : 0;
  if (typeof one === "boolean" && typeof other === "boolean") return Number(one) - Number(other);
  return valueKinds.indexOf(typeof one) - valueKinds.indexOf(typeof other);
}

/** All paths of both sets. */
export function union(one: FieldSet, other: FieldSet): FieldSet {
  if (one === other || isBare(other)) return one;
  return isBare(one) ? other : joined(one, other, false);
}

function joined(one: FieldSet, other: FieldSet, member: boolean): FieldSet {
  const keys = Object.keys(one).filter((key) => key !== self);
  const added = Object.keys(other).filter((key) => key !== self && child(one, key) === undefined);
  if (added.length > 0) keys.push(...added);
  if (added.length > 0 && keys.length > added.length) keys.sort(compareElements);
  const result: MutableSet = {};
  if (member && keys.length > 0) result[self] = leaf;
  let changed = added.length > 0 || (member && !isMember(one));
  for (const key of keys) {
    const [left, right] = [child(one, key), child(other, key)];
    const node =
      left === undefined || right === undefined || left === right
        ? ((left ?? right) as FieldSet)
        : joined(left, right, isMember(left) || isMember(right));
    if (node !== left) changed = true;
    result[key] = node;
  }
  return changed ? result : one;
}

/** The paths of `one` that are not in `other`; paths below a removed one stay. */
export function difference(one: FieldSet, other: FieldSet): FieldSet {
  return isBare(other) ? one : (without(one, other, { member: false, recursive: false }) ?? leaf);
}

/** The paths of `one` that are neither in `other` nor below a path in it. */
export function recursiveDifference(one: FieldSet, other: FieldSet): FieldSet {
  return isBare(other) ? one : (without(one, other, { member: false, recursive: true }) ?? leaf);
}

function without(
  one: FieldSet,
  other: FieldSet,
  options: { readonly member: boolean; readonly recursive: boolean },
): FieldSet | undefined {
  let removedKeys: Set<string> | undefined;
  let replaced: MutableSet | undefined;
  // What is taken away is mostly small: what is not touched is not looked at.
  for (const key in other) {
    const node = key === self ? undefined : child(one, key);
    if (node === undefined) continue;
    const removed = child(other, key) as FieldSet;
    const gone = isMember(removed);
    const kept =
      gone && options.recursive
        ? undefined
        : without(node, removed, { member: isMember(node) && !gone, recursive: options.recursive });
    if (kept === undefined) (removedKeys ??= new Set()).add(key);
    else if (kept !== node) (replaced ??= {})[key] = kept;
  }
  const memberGone = child(one, self) !== undefined && !options.member;
  if (removedKeys === undefined && replaced === undefined && !memberGone) {
    return isBare(one) && !options.member ? undefined : one;
  }
  const result: MutableSet = {};
  let children = 0;
  for (const key in one) {
    if (removedKeys?.has(key) === true || (key === self && memberGone)) continue;
    result[key] = replaced?.[key] ?? (child(one, key) as FieldSet);
    if (key !== self) children++;
  }
  if (children > 0) return result;
  return options.member ? leaf : undefined;
}

/** The paths that are in both sets. */
export function intersection(one: FieldSet, other: FieldSet): FieldSet {
  return common(one, other, false) ?? leaf;
}

function common(one: FieldSet, other: FieldSet, member: boolean): FieldSet | undefined {
  const result: MutableSet = {};
  let children = 0;
  if (member) result[self] = leaf;
  for (const key in one) {
    const [left, right] = [child(one, key) as FieldSet, child(other, key)];
    if (key === self || right === undefined) continue;
    const node = common(left, right, isMember(left) && isMember(right));
    if (node === undefined) continue;
    result[key] = node;
    children++;
  }
  if (children > 0) return result;
  return member ? leaf : undefined;
}

/** The paths that have no path below them. */
export function leaves(set: FieldSet): FieldSet {
  const result: MutableSet = {};
  for (const key in set) {
    if (key !== self) result[key] = leaves(child(set, key) as FieldSet);
  }
  return result;
}

/** Whether both hold the same paths. */
export function setsEqual(one: FieldSet, other: FieldSet): boolean {
  if (one === other) return true;
  let count = 0;
  for (const key in one) {
    const node = child(other, key);
    if (node === undefined || !setsEqual(child(one, key) as FieldSet, node)) return false;
    count++;
  }
  for (const _ in other) count--;
  return count === 0;
}

/** The paths as text, e.g. `.spec.containers[name="web"].image`: those of a level before those below it. */
export function pathsOf(set: FieldSet, prefix = ""): readonly string[] {
  const keys = Object.keys(set).filter((key) => key !== self);
  const paths = keys
    .filter((key) => isMember(child(set, key) as FieldSet))
    .map((key) => prefix + elementText(key));
  for (const key of keys) {
    const node = child(set, key) as FieldSet;
    if (!isBare(node)) paths.push(...pathsOf(node, prefix + elementText(key)));
  }
  return paths;
}

/** A path element as messages show it. */
export function elementText(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case "f:":
      return `.${rest}`;
    case "v:":
      return `[=${rest}]`;
    case "k:": {
      const fields = Object.entries(JSON.parse(rest) as Record<string, JsonValue>);
      return `[${fields.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
    }
    default:
      return `[${rest}]`;
  }
}
