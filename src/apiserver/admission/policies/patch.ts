import {
  ApiError,
  JsonPatchError,
  applyConfiguration,
  performJsonPatch,
} from "../../../apimachinery/index.ts";
import type { JsonObject, KubernetesObject, StructType } from "../../../apimachinery/index.ts";
import { DecodeError, strictDecodingError } from "../../../apimachinery/codec/index.ts";
import { schemas } from "../../../api/index.ts";
import { patchTypeProblems, toJson } from "../../../cel/index.ts";
import type { Value } from "../../../cel/index.ts";
import { completed } from "../../registry/coding.ts";
import { asConversion, decodeChanged } from "../../registry/patched.ts";
import type { Shown } from "../dynamic/attributes.ts";

/** A mutation that cannot be carried out. */
export class MutationError extends Error {
  override readonly name = "MutationError";
}

interface Patched {
  readonly object: KubernetesObject;
  readonly shown: Shown;
}

/** The object with the configuration that an expression made laid over it. Throws `MutationError`. */
export function withConfiguration(value: Value, { object, shown }: Patched): KubernetesObject {
  refuseWrongTypes(value);
  const { apiVersion, kind } = object as { readonly apiVersion?: string; readonly kind?: string };
  const configuration = { ...(toJson(value) as JsonObject), apiVersion, kind } as JsonObject;
  const type = typeOf(shown);
  if (!type) {
    const { group, version } = shown.kind;
    const named = `${group}/${version}, Kind=${shown.kind.kind}`;
    throw ApiError.serviceUnavailable(
      `Resource kind ${named} not found. There can be a delay between when CustomResourceDefinitions are created and when they are available.`,
    );
  }
  const result = applyConfiguration(object as unknown as JsonObject, configuration, type);
  if (result.type === "refused") throw new MutationError(`error applying patch: ${result.message}`);
  if (result.object === (object as unknown)) return object;
  try {
    return decoded(result.object, { object, shown }, { strict: false });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new MutationError(asConversion(error.message));
  }
}

/** The object with the JSON patch that an expression made; the same one where a test of the patch fails. */
export function withJsonPatch(value: Value, patched: Patched): KubernetesObject {
  const operations = (value as readonly Value[]).map((operation) => operationOf(operation));
  const { object, shown } = patched;
  let document: JsonObject;
  try {
    document = performJsonPatch(object as unknown as JsonObject, operations);
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    if (error.testFailed) return object;
    throw new MutationError(`JSONPath: ${error.message}`);
  }
  try {
    return decoded(document, patched, { strict: !shown.served.custom });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw ApiError.internal(error.message);
  }
}

/** An operation as JSON; names that are empty are as if they were not there. */
function operationOf(operation: Value): JsonObject {
  const fields = operation as Readonly<Record<string, Value>>;
  const { op = "", path = "", from = "" } = fields as Readonly<Record<string, string>>;
  const named = { op, path, ...(from === "" ? {} : { from }) };
  if (fields["value"] === undefined) return named;
  refuseWrongTypes(fields["value"]);
  return { ...named, value: toJson(fields["value"]) } as JsonObject;
}

function refuseWrongTypes(value: Value): void {
  const problems = patchTypeProblems(value);
  if (problems.length > 0) throw new MutationError(`type mismatch: ${problems.join("\n")}`);
}

/** The object with its defaults; kinds that only subresources have are taken as they are. Throws `DecodeError`. */
function decoded(
  document: JsonObject,
  { object, shown }: Patched,
  { strict }: { readonly strict: boolean },
): KubernetesObject {
  if (!isOwnKind(shown)) return document as unknown as KubernetesObject;
  const { served } = shown;
  const before = object as unknown as JsonObject;
  const result = decodeChanged(document, before, { type: served.type, strict });
  if (result.problems.length > 0) throw ApiError.internal(strictDecodingError(result.problems));
  return completed(served, result.object);
}

const isOwnKind = ({ served: { resource }, kind }: Shown): boolean =>
  kind.kind === resource.kind && kind.group === resource.group;

/** The type by which objects merge: that of the resource, or of a subresource's own kind. */
const typeOf = (shown: Shown): StructType | undefined =>
  isOwnKind(shown) ? (shown.served.applyType ?? shown.served.type) : schemas.typeOf(shown.kind);
