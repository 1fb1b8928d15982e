import { ApiError } from "../api-error.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { goKind, isList, isObject, jsonEquals, ownValue, setKey, type MutableObject } from "./json.ts";

/** Operations that one JSON patch may have. */
const maximumOperations = 10_000;
/** JSON text that all `copy` operations of a patch may add. */
const maximumCopiedLength = 3 * 1024 * 1024;
/** By how many places all operations of a patch together may move elements of lists: each move takes its time. */
const maximumShifted = 20_000_000;
/** What Go's `strconv.Atoi` reads. */
const arrayIndex = /^[+-]?[0-9]+$/;

/** Why an operation cannot be applied, in the words of upstream's library; requests show only that one could not. */
export class JsonPatchError extends Error {
  override readonly name = "JsonPatchError";
  /** The patch asked for a value that is not there: it is not to be applied. */
  readonly testFailed: boolean;

  constructor(message: string, { testFailed = false }: { readonly testFailed?: boolean } = {}) {
    super(message);
    this.testFailed = testFailed;
  }
}

const missing = "missing value";

/**
 * Applies an RFC 6902 patch: all operations or none. The object is not changed.
 * Throws the API errors that upstream answers with.
 */
export function applyJsonPatch(object: JsonObject, operations: unknown): JsonObject {
  const performed = operationsOf(operations);
  if (performed.length > maximumOperations) {
    throw ApiError.tooLarge(
      `The allowed maximum operations in a JSON patch is ${maximumOperations}, got ${performed.length}`,
    );
  }
  try {
    return performJsonPatch(object, performed);
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    throw new ApiError({
      message: "the server rejected our request due to an error in our request",
      reason: "Invalid",
      details: {},
      code: 422,
    });
  }
}

/** Applies operations of RFC 6902: all or none. The object is not changed. Throws `JsonPatchError`. */
export function performJsonPatch(object: JsonObject, operations: readonly JsonValue[]): JsonObject {
  const document = new Document(object);
  for (const operation of operations) document.perform(operation);
  if (!isObject(document.root)) throw new JsonPatchError("the patched document is not an object");
  return document.root;
}

/** The operations of a patch; none when it is null, as upstream has it. */
function operationsOf(patch: unknown): readonly JsonValue[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) {
    throw ApiError.badRequest(
      `json: cannot unmarshal ${goKind(patch as JsonValue)} into Go value of type jsonpatch.Patch`,
    );
  }
  for (const operation of patch as readonly JsonValue[]) {
    if (operation === null || isObject(operation)) continue;
    throw ApiError.badRequest(
      `json: cannot unmarshal ${goKind(operation)} into Go value of type jsonpatch.Operation`,
    );
  }
  return patch as readonly JsonValue[];
}

/** Everything behind the first slash; upstream does not ask for that slash to come first. */
function tokensOf(pointer: string): readonly string[] {
  const [, ...tokens] = pointer.split("/");
  return tokens.map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Where an operation is to change something: what holds it, and under which key. */
interface Target {
  readonly container: JsonObject | readonly JsonValue[];
  readonly key: string;
  readonly tokens: readonly string[];
}

/** A document under change: containers are copied once, when first changed. */
class Document {
  root: JsonValue;
  private readonly owned = new Set<object>();
  private copiedLength = 0;
  private shifted = 0;

  constructor(root: JsonObject) {
    this.root = root;
  }

  perform(operation: JsonValue): void {
    const fields = isObject(operation) ? operation : {};
    const { op } = fields;
    const value = fields["value"] ?? null;
    switch (op) {
      case "add":
        return this.add(pointerOf(fields, op), value);
      case "remove":
        return this.remove(pointerOf(fields, op));
      case "replace":
        return this.replace(pointerOf(fields, op), value);
      case "move":
        return this.move(pointerOf(fields, op, "from"), () => pointerOf(fields, op));
      case "copy":
        return this.copy(pointerOf(fields, op, "from"), () => pointerOf(fields, op));
      case "test":
        return this.test(pointerOf(fields, op), value);
      default:
        throw new JsonPatchError(`Unexpected kind: ${typeof op === "string" ? op : "unknown"}`);
    }
  }

  private add(path: string, value: JsonValue): void {
    const target = this.target(path, `add operation does not apply: doc is missing path: "${path}"`);
    within(`error in add for path: '${path}'`, () => this.insert(target, value));
  }

  private remove(path: string): void {
    const target = this.target(path, `remove operation does not apply: doc is missing path: "${path}"`);
    within(`error in remove for path: '${path}'`, () => this.take(target));
  }

  private replace(path: string, value: JsonValue): void {
    if (path === "") {
      if (typeof value !== "object" || value === null) {
        throw new JsonPatchError("replace operation value must be object or array: %!w(<nil>)");
      }
      this.root = value;
      return;
    }
    const target = this.target(path, `replace operation does not apply: doc is missing path: ${path}`);
    const { container, key, tokens } = target;
    if (isList(container) && indexIn(container, key) instanceof JsonPatchError) {
      throw new JsonPatchError(`replace operation does not apply: doc is missing key: ${path}: ${missing}`);
    }
    const parent = this.ownedParent(tokens);
    if (Array.isArray(parent)) parent[existing(parent, key)] = value;
    else setKey(parent, key, value);
  }

  private move(from: string, pathOf: () => string): void {
    const source = this.target(from, `move operation does not apply: doc is missing from path: ${from}`);
    const value = within(`error in move for path: '${source.key}'`, () => {
      const found = valueAt(source);
      this.take(source);
      return found ?? null;
    });
    const path = pathOf();
    const target = this.target(
      path,
      `move operation does not apply: doc is missing destination path: ${path}`,
    );
    within(`error in move for path: '${path}'`, () => this.insert(target, value));
  }

  private copy(from: string, pathOf: () => string): void {
    const source = this.target(from, `copy operation does not apply: doc is missing from path: ${from}`);
    const value = within(`error in copy for from: '${from}'`, () => valueAt(source)) ?? null;
    const path = pathOf();
    const target = this.target(
      path,
      `copy operation does not apply: doc is missing destination path: ${path}`,
    );
    this.copiedLength += JSON.stringify(value).length;
    if (this.copiedLength > maximumCopiedLength) {
      throw new JsonPatchError(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.copiedLength}, exceeding the limit ${maximumCopiedLength}`,
      );
    }
    this.disown(value);
    within("error while adding value during copy", () => this.insert(target, value));
  }

  private test(path: string, expected: JsonValue): void {
    const target =
      path === "" ? undefined : this.target(path, `test operation does not apply: is missing path: ${path}`);
    const present = target ? within(`error in test for path: '${path}'`, () => valueAt(target)) : this.root;
    if (jsonEquals(present ?? null, expected)) return;
    throw new JsonPatchError(`testing value ${path} failed: test failed`, { testFailed: true });
  }

  /** What holds the last token; throws where there is no such thing. */
  private target(pointer: string, problem: string): Target {
    const tokens = tokensOf(pointer);
    let container: JsonValue | undefined = tokens.length === 0 ? undefined : this.root;
    for (const token of tokens.slice(0, -1)) {
      if (isList(container)) {
        const index = indexIn(container, token);
        container = index instanceof JsonPatchError ? undefined : container[index];
      } else container = isObject(container) ? ownValue(container, token) : undefined;
    }
    if (isList(container) || isObject(container)) return { container, key: tokens.at(-1) ?? "", tokens };
    throw new JsonPatchError(`${problem}: ${missing}`);
  }

  private insert({ tokens, key }: Target, value: JsonValue): void {
    const parent = this.ownedParent(tokens);
    if (!Array.isArray(parent)) return setKey(parent, key, value);
    const index = insertionIndex(parent, key);
    this.shift(parent.length - index);
    parent.splice(index, 0, value);
  }

  private take({ container, tokens, key }: Target): void {
    if (!isList(container) && !Object.hasOwn(container, key)) {
      throw new JsonPatchError(`Unable to remove nonexistent key: ${key}: ${missing}`);
    }
    const parent = this.ownedParent(tokens);
    if (!Array.isArray(parent)) delete parent[key];
    else {
      const index = existing(parent, key);
      this.shift(parent.length - index);
      parent.splice(index, 1);
    }
  }

  private shift(places: number): void {
    this.shifted += places;
    if (this.shifted <= maximumShifted) return;
    throw new JsonPatchError(`Unable to move more than ${maximumShifted} elements of lists`);
  }

  /** The container of the last token, made changeable together with all above it. */
  private ownedParent(tokens: readonly string[]): JsonValue[] | MutableObject {
    let current = this.own(this.root);
    this.root = current as JsonValue;
    for (const token of tokens.slice(0, -1)) {
      if (Array.isArray(current)) {
        const index = existing(current, token);
        const child: JsonValue[] | MutableObject = this.own(current[index]);
        current[index] = child as JsonValue;
        current = child;
      } else {
        const child: JsonValue[] | MutableObject = this.own(ownValue(current, token));
        setKey(current, token, child);
        current = child;
      }
    }
    return current;
  }

  private own(value: JsonValue | undefined): JsonValue[] | MutableObject {
    if (typeof value !== "object" || value === null) throw new JsonPatchError("doc is missing path");
    if (this.owned.has(value)) return value as JsonValue[] | MutableObject;
    const copy = isList(value) ? [...value] : { ...value };
    this.owned.add(copy);
    return copy;
  }

  /** A copied value is in two places: neither may be changed in place from now on. */
  private disown(value: JsonValue): void {
    if (typeof value !== "object" || value === null) return;
    this.owned.delete(value);
    for (const child of Object.values(value)) if (child !== undefined) this.disown(child);
  }
}

/** A pointer of an operation. */
function pointerOf(fields: JsonObject, op: string, name: "path" | "from" = "path"): string {
  const pointer = fields[name];
  if (typeof pointer === "string") return pointer;
  throw new JsonPatchError(`${op} operation failed to decode ${name}: ${missing}`);
}

/** Runs a step, whose problems are shown with what was tried. */
function within<T>(what: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    throw new JsonPatchError(`${what}: ${error.message}`);
  }
}

/** The value of a target; undefined where an object has none. */
function valueAt({ container, key }: Target): JsonValue | undefined {
  return isList(container) ? container[existing(container, key)] : ownValue(container, key);
}

/** The position of an element that is there; throws where there is none. */
function existing(list: readonly JsonValue[], token: string): number {
  const index = indexIn(list, token);
  if (index instanceof JsonPatchError) throw index;
  return index;
}

/** The position that a token means, or why it means none; negative ones count from the end. */
function indexIn(list: readonly JsonValue[], token: string): number | JsonPatchError {
  if (!arrayIndex.test(token)) return new JsonPatchError(notANumber(token));
  const number = Number(token);
  const index = number < 0 ? number + list.length : number;
  return index >= 0 && index < list.length ? index : new JsonPatchError(outOfBounds(number));
}

/** Where a value is put in; `-` is past the end. */
function insertionIndex(list: readonly JsonValue[], token: string): number {
  if (token === "-") return list.length;
  if (!arrayIndex.test(token)) {
    throw new JsonPatchError(`value was not a proper array index: '${token}': ${notANumber(token)}`);
  }
  const number = Number(token);
  const index = number < 0 ? number + list.length + 1 : number;
  if (!(index >= 0 && index <= list.length)) throw new JsonPatchError(outOfBounds(number));
  return index;
}

const notANumber = (token: string): string =>
  `strconv.Atoi: parsing ${JSON.stringify(token)}: invalid syntax`;

const outOfBounds = (index: number): string =>
  `Unable to access invalid index: ${index}: invalid index referenced`;
