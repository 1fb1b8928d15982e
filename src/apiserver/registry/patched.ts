import { ApiError } from "../../apimachinery/index.ts";
import type { JsonObject, JsonValue, StructType } from "../../apimachinery/index.ts";
import {
  DecodeError,
  decodeValue,
  strictDecodingError,
  type Decoded,
  type NumberTexts,
} from "../../apimachinery/codec/index.ts";
import {
  applyJsonPatch,
  applyMergePatch,
  goText,
  strategicMergePatch,
} from "../../apimachinery/patch/index.ts";
import { schemas } from "../../api/index.ts";
import type { Patch } from "../../api/index.ts";
import { coerced, completed, unknownIn } from "./coding.ts";
import type { RequestOptions } from "./context.ts";
import type { AnyObject } from "./entry.ts";
import { otherCustomKind } from "./recognize.ts";
import type { ServedResource } from "./served.ts";

/** Patches that change what is there by themselves; an apply needs to know the managers. */
export type PlainPatch = Exclude<Patch, { type: "apply" }>;

/** What a patch makes of an object, before it is decoded. */
export function patchedBy(type: StructType, old: JsonObject, patch: PlainPatch): JsonObject {
  switch (patch.type) {
    case "json":
      return applyJsonPatch(old, patch.body);
    case "merge":
      return applyMergePatch(old, json(patch.body));
    case "strategic":
      return strategicMergePatch(old, json(patch.body), type);
  }
}

/** The patched object, decoded and with its defaults. Throws `Invalid` where it is no object of the kind any more. */
export function decodePatched(
  served: Pick<ServedResource, "resource" | "apiVersion" | "type" | "definition">,
  patched: JsonObject,
  {
    old,
    patch,
    request,
  }: {
    readonly old: JsonObject;
    readonly patch: PlainPatch;
    readonly request: Pick<RequestOptions, "fieldValidation" | "warn">;
  },
): AnyObject {
  if (patch.type !== "strategic") checkKind(served, patched);
  const validation = request.fieldValidation ?? "Ignore";
  const shown = () => (patch.type === "strategic" ? goText(json(patch.body)) : textOf(patched));
  let decoded;
  let object;
  try {
    const strict = validation !== "Ignore";
    const wraps = patch.type === "strategic";
    decoded = decodeChanged(patched, old, { type: served.type, strict, numbers: patch.numbers, wraps });
    object = coerced(served, decoded.object);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const message = patch.type === "strategic" ? asConversion(error.message) : error.message;
    throw invalidPatch(shown(), message);
  }
  const unknown = validation === "Ignore" ? [] : unknownIn(served, decoded.object);
  const problems = [...(patch.problems ?? []), ...decoded.problems, ...unknown];
  if (problems.length > 0 && validation === "Strict") {
    throw invalidPatch(shown(), strictDecodingError(problems));
  }
  for (const problem of problems) request.warn?.(problem);
  return completed(served, object);
}

/** Decodes only the fields that are not the very values of the old object: those were decoded when it was written. */
export function decodeChanged(
  object: JsonObject,
  old: JsonObject | undefined,
  {
    type,
    ...options
  }: {
    readonly type: StructType;
    readonly strict: boolean;
    readonly numbers?: NumberTexts | undefined;
    readonly wraps?: boolean;
  },
): Decoded {
  // A number may be the old one in value alone.
  if (old === undefined || options.numbers) return decodeValue(object, type, options);
  const isSame = (key: string) => typeof object[key] === "object" && object[key] === old[key];
  const changed: Record<string, JsonValue | undefined> = {};
  for (const key of Object.keys(object)) if (!isSame(key)) changed[key] = object[key];
  const decoded = decodeValue(changed, type, options);
  const fields = decoded.object as Readonly<Record<string, unknown>>;
  const whole: Record<string, unknown> = {};
  for (const key of Object.keys(object)) {
    if (isSame(key)) whole[key] = object[key];
    else if (fields[key] !== undefined) whole[key] = fields[key];
  }
  for (const key of Object.keys(fields)) whole[key] ??= fields[key];
  return { object: whole, problems: decoded.problems };
}

/** Objects of the API are JSON; their types only say more. */
export const json = (object: object): JsonObject => object as JsonObject;

/** The error is about no kind: it is the patch that is invalid. */
function invalidPatch(value: string, detail: string): ApiError {
  const errors = [{ type: "FieldValueInvalid", field: "patch", badValue: value, detail } as const];
  const { status } = ApiError.invalid({ group: "", kind: "" }, "", errors);
  return new ApiError({ ...status, details: { causes: status.details?.causes ?? [] } });
}

/** The patched object as upstream shows it: the keys of the outermost object in order. */
function textOf(object: JsonObject): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(object).sort(([one], [other]) => (one < other ? -1 : 1))),
  );
}

const textField = (object: JsonObject, name: string) => {
  const value: JsonValue | undefined = object[name];
  return typeof value === "string" ? value : "";
};

function checkKind(served: Pick<ServedResource, "resource" | "apiVersion">, patched: JsonObject): void {
  const [apiVersion, kind] = [textField(patched, "apiVersion"), textField(patched, "kind")];
  const { resource } = served;
  if (schemas.typeOf(resource) === undefined) {
    if (apiVersion === served.apiVersion && kind === resource.kind) return;
    const name = textField((patched["metadata"] ?? {}) as JsonObject, "name");
    throw otherCustomKind(served, { kind, apiVersion, name });
  }
  if (apiVersion === "") throw nameless(textField((patched["metadata"] ?? {}) as JsonObject, "name"));
  const isKnown = kind === "" || schemas.typeOf({ ...resource, kind }) !== undefined;
  if (apiVersion !== served.apiVersion || !isKnown) {
    const where = 'in scheme "pkg/api/legacyscheme/scheme.go:30"';
    const message = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} ${where}`;
    throw invalidPatch(textOf(patched), message);
  }
  if (kind === "" || kind === resource.kind) return;
  const hub = resource.group === "" ? "core" : (resource.group.split(".")[0] ?? "");
  const conversion = `converting (${resource.version}.${kind}) to (${hub}.${resource.kind})`;
  throw invalidPatch(textOf(patched), `${conversion}: unknown conversion`);
}

/** An object without a version is read as upstream's internal one, which has no JSON names. */
const nameless = (name: string) =>
  ApiError.badRequest(
    `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
  );

const decodingError = /^json: cannot unmarshal (\w+)( \S+)? into Go struct field .* of type (\S+)$/;
const goKinds: Readonly<Record<string, string>> = { object: "map", array: "slice", number: "int64" };

/** A failure of decoding as upstream words it where it converts values instead of decoding text. */
export function asConversion(message: string): string {
  const [, value = "", fraction, type = ""] = decodingError.exec(message) ?? [];
  if (type === "") return message;
  const kind = goKinds[value] ?? value;
  if (type.startsWith("[]")) return `cannot restore slice from ${kind}`;
  if (type.startsWith("map[")) return `cannot restore map from ${kind}`;
  if (type.includes(".")) return `cannot restore struct from: ${kind}`;
  const convertible = value === "number" && type !== "bool";
  if (convertible) return `cannot convert ${fraction === undefined ? "int64" : "float64"} to ${type}`;
  return `unrecognized type: ${type}`;
}
