import { ApiError } from "../api-error.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { goKind, isList, isObject, jsonEquals, ownValue, setKey, type MutableObject } from "./json.ts";

/** Operations that one JSON patch may have. */
const maximumOperations = 10_000;
/** JSON text that all `copy` operations of a patch may add. */
const maximumCopiedLength = 3 * 1024 * 1024;
/** What Go's `strconv.Atoi` reads. */
const arrayIndex = /^[+-]?[0-9]+$/;

/** Why an operation cannot be applied; the API shows only that one could not. */
class OperationError extends Error {
  override readonly name = "OperationError";
}

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
    const document = new Document(object);
    for (const operation of performed) document.perform(operation);
    if (!isObject(document.root)) throw new OperationError("the patched document is not an object");
    return document.root;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    throw new ApiError({
      message: "the server rejected our request due to an error in our request",
      reason: "Invalid",
      details: {},
      code: 422,
    });
  }
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
function parsePointer(pointer: JsonValue | undefined): readonly string[] {
  if (typeof pointer !== "string") throw new OperationError("operation lacks a pointer");
  const [, ...tokens] = pointer.split("/");
  if (tokens.length === 0) throw new OperationError(`missing path: ${pointer}`);
  return tokens.map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** A document under change: containers are copied once, when first changed. */
class Document {
  root: JsonValue;
  private readonly owned = new Set<object>();
  private copiedLength = 0;

  constructor(root: JsonObject) {
    this.root = root;
  }

  perform(operation: JsonValue): void {
    if (!isObject(operation)) throw new OperationError("operation is not an object");
    const path = parsePointer(operation["path"]);
    switch (operation["op"]) {
      case "add":
        return this.add(path, operation["value"] ?? null);
      case "remove":
        return void this.remove(path);
      case "replace":
        return this.replace(path, operation["value"] ?? null);
      case "move":
        return this.move(parsePointer(operation["from"]), path);
      case "copy":
        return this.copy(parsePointer(operation["from"]), path);
      case "test":
        return this.test(path, operation["value"] ?? null);
      default:
        throw new OperationError(
          `Unexpected kind: ${typeof operation["op"] === "string" ? operation["op"] : "unknown"}`,
        );
    }
  }

  private add(path: readonly string[], value: JsonValue): void {
    const key = path.at(-1) ?? "";
    const parent = this.ownedParent(path);
    if (Array.isArray(parent)) parent.splice(indexOf(parent, key, "insert"), 0, value);
    else setKey(parent, key, value);
  }

  private remove(path: readonly string[]): JsonValue {
    const value = this.get(path);
    const key = path.at(-1) ?? "";
    if (value === undefined) throw new OperationError("remove of nonexistent path");
    const parent = this.ownedParent(path);
    if (Array.isArray(parent)) parent.splice(indexOf(parent, key, "existing"), 1);
    else delete parent[key];
    return value;
  }

  private replace(path: readonly string[], value: JsonValue): void {
    if (this.get(path) === undefined) throw new OperationError("replace of nonexistent path");
    const key = path.at(-1) ?? "";
    const parent = this.ownedParent(path);
    if (Array.isArray(parent)) parent[indexOf(parent, key, "existing")] = value;
    else setKey(parent, key, value);
  }

  private move(from: readonly string[], path: readonly string[]): void {
    if (path.length > from.length && from.every((token, index) => token === path[index])) {
      throw new OperationError("a value cannot be moved into itself");
    }
    this.add(path, this.remove(from));
  }

  private copy(from: readonly string[], path: readonly string[]): void {
    const value = this.get(from);
    if (value === undefined) throw new OperationError("copy of nonexistent path");
    this.copiedLength += JSON.stringify(value).length;
    if (this.copiedLength > maximumCopiedLength) throw new OperationError("copies are too large");
    this.disown(value);
    this.add(path, value);
  }

  private test(path: readonly string[], expected: JsonValue): void {
    if (!jsonEquals(this.get(path) ?? null, expected)) throw new OperationError("test failed");
  }

  private get(path: readonly string[]): JsonValue | undefined {
    let value: JsonValue | undefined = this.root;
    for (const token of path) {
      if (isList(value)) value = arrayIndex.test(token) ? value.at(Number(token)) : undefined;
      else if (isObject(value)) value = ownValue(value, token);
      else return undefined;
    }
    return value;
  }

  /** The container of the last token, made changeable together with all above it. */
  private ownedParent(path: readonly string[]): JsonValue[] | MutableObject {
    let current = this.own(this.root);
    this.root = current as JsonValue;
    for (const token of path.slice(0, -1)) {
      if (Array.isArray(current)) {
        const index = indexOf(current, token, "existing");
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
    if (typeof value !== "object" || value === null) throw new OperationError("doc is missing path");
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

/** The position that a token means; negative ones count from the end, `-` is past the end. */
function indexOf(list: readonly JsonValue[], token: string, use: "insert" | "existing"): number {
  const limit = use === "insert" ? list.length : list.length - 1;
  if (token === "-" && use === "insert") return list.length;
  const number = arrayIndex.test(token) ? Number(token) : Number.NaN;
  const index = number < 0 ? number + limit + 1 : number;
  if (!(index >= 0 && index <= limit)) throw new OperationError(`index out of bounds: ${token}`);
  return index;
}
