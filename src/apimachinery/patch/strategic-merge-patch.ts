import { ApiError } from "../api-error.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { Field, StructType, Type } from "../schema/types.ts";
import { goKind, goText, goType, isList, isObject, ownValue, setKey, type MutableObject } from "./json.ts";

const patchDirective = "$patch";
const retainKeysDirective = "$retainKeys";
const deletePrefix = "$deleteFromPrimitiveList/";
const orderDirective = "$setElementOrder";
const orderPrefix = `${orderDirective}/`;

/**
 * Applies a strategic merge patch: lists with a patch strategy merge by key, and directives say what to delete,
 * replace, keep and how to order. What the type does not know merges as objects and replaces as lists.
 */
export function strategicMergePatch(
  original: JsonObject,
  patch: JsonObject,
  type: StructType | undefined,
): JsonObject {
  return mergeMap(original, patch, type);
}

const refused = (message: string) => ApiError.badRequest(message);
/** What upstream reports without a reason, as its own failure. */
const failed = (message: string) => new ApiError({ message, code: 500 });
const unknownPatchType = (directive: JsonValue, map: JsonObject) =>
  failed(`unknown patch type: ${goText(directive)} in map: ${goText(map)}`);
const noList = (value: JsonValue | undefined) =>
  failed(`expected a []interface {}, but received a ${goType(value ?? null)}`);

/** How one field is patched. */
interface Strategy {
  readonly type: Type | undefined;
  readonly merge: boolean;
  readonly replace: boolean;
  readonly mergeKey: string;
}

function strategyOf(type: Type | undefined, name: string): Strategy {
  if (type?.kind === "map") return { type: type.value, merge: false, replace: false, mergeKey: "" };
  const field: Field | undefined = type?.kind === "struct" ? type.field(name) : undefined;
  if (field === undefined) return { type: undefined, merge: false, replace: false, mergeKey: "" };
  return {
    type: field.type,
    merge: field.patchStrategy.includes("merge"),
    replace: field.patchStrategy.includes("replace"),
    mergeKey: field.patchMergeKey ?? "",
  };
}

function mergeMap(original: JsonObject, patch: JsonObject, type: Type | undefined): JsonObject {
  const directive = patch[patchDirective];
  if (directive === "replace") return withoutKey(patch, patchDirective);
  if (directive === "delete") return {};
  if (directive !== undefined) {
    throw unknownPatchType(directive, patch);
  }
  const result: MutableObject = retained(original, patch);
  const done = orderLists(result, patch, type);
  for (const patchKey of Object.keys(patch)) {
    const value = patch[patchKey];
    if (value === undefined || done.has(patchKey)) continue;
    if (patchKey === retainKeysDirective || patchKey.startsWith(orderPrefix)) continue;
    if (patchKey.startsWith(deletePrefix)) {
      const key = patchKey.slice(deletePrefix.length);
      const list = ownValue(result, key);
      if (isList(list)) setKey(result, key, isList(value) ? withoutElements(list, value) : value);
      continue;
    }
    const merged =
      value === null ? undefined : mergeValue(ownValue(result, patchKey), value, strategyOf(type, patchKey));
    if (merged === undefined) delete result[patchKey];
    else setKey(result, patchKey, merged);
  }
  return result;
}

/** What becomes of a field; undefined when the patch is nothing but a directive for what is not there. */
function mergeValue(
  current: JsonValue | undefined,
  value: JsonValue,
  strategy: Strategy,
): JsonValue | undefined {
  if (isObject(current) && isObject(value)) {
    return strategy.replace ? value : mergeMap(current, value, strategy.type);
  }
  if (isList(current) && isList(value)) {
    return strategy.merge ? mergeList(current, value, strategy) : value;
  }
  return cleaned(value);
}

function withoutKey(object: JsonObject, key: string): JsonObject {
  const { [key]: _, ...rest } = object;
  return rest;
}

/** A copy of the original with the keys that `$retainKeys` keeps; all of them when there is no such directive. */
function retained(original: JsonObject, patch: JsonObject): MutableObject {
  const directive = patch[retainKeysDirective];
  if (directive === undefined) return { ...original };
  if (!isList(directive)) throw refused("invalid patch format of retainKeys");
  const keys = new Set(directive);
  for (const key of Object.keys(patch)) {
    if (!key.startsWith("$") && patch[key] !== null && !keys.has(key)) {
      throw refused("invalid patch format of retainKeys");
    }
  }
  const result: MutableObject = {};
  for (const key of Object.keys(original)) {
    const value = original[key];
    if (keys.has(key) && value !== undefined) setKey(result, key, value);
  }
  return result;
}

/** Merges the lists that have a `$setElementOrder`; returns the patch keys that are thereby done. */
function orderLists(result: MutableObject, patch: JsonObject, type: Type | undefined): ReadonlySet<string> {
  const done = new Set<string>();
  for (const directive of Object.keys(patch)) {
    const order = patch[directive];
    if (!directive.startsWith(orderDirective)) continue;
    if (!isList(order)) throw noList(order);
    const key = directive.slice(orderPrefix.length);
    const strategy = strategyOf(type, key);
    const [current, value] = [ownValue(result, key), patch[key]];
    if (value === null || (current === undefined && value === undefined)) continue;
    const server = isList(current) ? current : [];
    const deletions = patch[deletePrefix + key];
    const kept = isList(deletions) ? withoutElements(server, deletions) : server;
    if (isList(value)) checkOrder(value, order, strategy.mergeKey);
    const merged = isList(value) ? mergeList(kept, value, strategy) : kept;
    setKey(result, key, inOrder(merged, { patch: order, server, mergeKey: strategy.mergeKey }));
    done.add(key).add(deletePrefix + key);
  }
  return done;
}

/** The elements that a patch has must stand in it as its directive says. */
function checkOrder(patch: readonly JsonValue[], order: readonly JsonValue[], mergeKey: string): void {
  const keyOf = (element: JsonValue) =>
    mergeKey === "" ? JSON.stringify(element) : elementKey(element, mergeKey);
  const listed = patch.filter((element) => !(isObject(element) && element[patchDirective] !== undefined));
  let next = 0;
  for (const element of order) {
    const wanted = listed[next];
    if (wanted === undefined) return;
    if (keyOf(wanted) === keyOf(element)) next++;
  }
  if (next >= listed.length) return;
  throw failed(
    `The order in patch list:\n${goText(patch)}\n doesn't match ${orderDirective} list:\n${goText(order)}\n`,
  );
}

function mergeList(
  original: readonly JsonValue[],
  patch: readonly JsonValue[],
  strategy: Strategy,
): readonly JsonValue[] {
  const { mergeKey, type } = strategy;
  if (new Set([...original, ...patch].map(goKind)).size > 1) {
    throw failed(`list element types are not identical: ${goText([original, patch])}`);
  }
  if (!(original.length > 0 ? isObject(original[0]) : isObject(patch[0]))) {
    const unique = new Map([...original, ...patch].map((value) => [JSON.stringify(value), value]));
    return inOrder([...unique.values()], { patch, server: original, mergeKey: "" });
  }
  if (mergeKey === "") {
    const name = type?.kind === "list" && type.element.kind === "struct" ? type.element.name : "";
    throw refused(`cannot merge lists without merge key for ${name}`);
  }
  const { kept, plain } = applyElementDirectives(original, patch, mergeKey);
  const elementType = type?.kind === "list" ? type.element : undefined;
  const merged = new Map(kept.map((element) => [elementKey(element, mergeKey), element]));
  for (const element of plain) {
    const key = elementKey(element, mergeKey);
    const current = merged.get(key);
    merged.set(key, current === undefined ? cleanedObject(element) : mergeMap(current, element, elementType));
  }
  return inOrder([...merged.values()], { patch: plain, server: kept, mergeKey });
}

/** Carries out `$patch` of elements: what is left of the original, and the elements to merge into it. */
function applyElementDirectives(
  original: readonly JsonValue[],
  patch: readonly JsonValue[],
  mergeKey: string,
): { readonly kept: readonly JsonObject[]; readonly plain: readonly JsonObject[] } {
  const plain: JsonObject[] = [];
  const deleted = new Set<string>();
  let replace = false;
  for (const element of patch) {
    if (!isObject(element)) throw refused("invalid list element in patch: all elements must be objects");
    const directive = element[patchDirective];
    if (directive === undefined) plain.push(element);
    else if (directive === "delete") deleted.add(elementKey(element, mergeKey));
    else if (directive === "replace") replace = true;
    else if (directive === "merge") throw failed("merging lists cannot yet be specified in the patch");
    else throw unknownPatchType(directive, element);
  }
  if (replace) return { kept: plain, plain: [] };
  const kept = original.filter(isObject).filter((element) => !deleted.has(elementKey(element, mergeKey)));
  return { kept, plain };
}

function elementKey(element: JsonValue, mergeKey: string): string {
  const key = isObject(element) ? element[mergeKey] : undefined;
  if (key === undefined) {
    throw failed(`map: ${goText(element)} does not contain declared merge key: ${mergeKey}`);
  }
  return JSON.stringify(key);
}

function withoutElements(list: readonly JsonValue[], removed: readonly JsonValue[]): readonly JsonValue[] {
  const texts = new Set(removed.map((value) => JSON.stringify(value)));
  return list.filter((value) => !texts.has(JSON.stringify(value)));
}

/**
 * Orders a merged list: elements of the patch stand as in the patch, the others as on the server, and where both
 * have an order on the server, that decides between them.
 */
function inOrder(
  merged: readonly JsonValue[],
  order: {
    readonly patch: readonly JsonValue[];
    readonly server: readonly JsonValue[];
    readonly mergeKey: string;
  },
): readonly JsonValue[] {
  const keyOf = (element: JsonValue) =>
    order.mergeKey === "" ? JSON.stringify(element) : elementKey(element, order.mergeKey);
  const positions = (list: readonly JsonValue[]) =>
    new Map(list.map((element, index) => [keyOf(element), index] as const));
  const [inPatch, onServer] = [positions(order.patch), positions(order.server)];
  const rank = (ranks: ReadonlyMap<string, number>, element: JsonValue) => ranks.get(keyOf(element)) ?? -1;
  const sortedBy = (list: readonly JsonValue[], ranks: ReadonlyMap<string, number>) =>
    [...list].sort((one, other) => rank(ranks, one) - rank(ranks, other));
  const patchItems = sortedBy(
    merged.filter((element) => inPatch.has(keyOf(element))),
    inPatch,
  );
  const serverItems = sortedBy(
    merged.filter((element) => !inPatch.has(keyOf(element))),
    onServer,
  );
  const result: JsonValue[] = [];
  let next = 0;
  for (const element of patchItems) {
    const limit = onServer.get(keyOf(element)) ?? -1;
    for (; next < serverItems.length; next++) {
      const candidate = serverItems[next] as JsonValue;
      if ((onServer.get(keyOf(candidate)) ?? limit) >= limit) break;
      result.push(candidate);
    }
    result.push(element);
  }
  return [...result, ...serverItems.slice(next)];
}

/** A new value without nulls and directives; undefined for an object that is one, whatever else it says. */
function cleaned(value: JsonValue): JsonValue | undefined {
  if (isObject(value)) return value[patchDirective] === undefined ? cleanedObject(value) : undefined;
  if (!isList(value)) return value;
  return value.map(cleaned).filter((element) => element !== undefined);
}

function cleanedObject(object: JsonObject): JsonObject {
  const result: MutableObject = {};
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value === null || value === undefined || key === retainKeysDirective) continue;
    if (key.startsWith(deletePrefix) || key.startsWith(orderPrefix)) continue;
    const kept = cleaned(value);
    if (kept !== undefined) setKey(result, key, kept);
  }
  return result;
}
