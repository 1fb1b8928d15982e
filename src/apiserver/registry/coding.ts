import { ApiError } from "../../apimachinery/index.ts";
import type { FieldError, StructType } from "../../apimachinery/index.ts";
import {
  DecodeError,
  decodeParsed,
  decodeValue,
  parseJson,
  strictDecodingError,
  unreadableKind,
  unrecognized,
  warningsOf,
} from "../../apimachinery/codec/index.ts";
import type { Decoded } from "../../apimachinery/codec/index.ts";
import {
  validateFinalizerDomains,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from "../../apimachinery/names/index.ts";
import type { RequestContext } from "../../api/index.ts";
import type { RequestOptions } from "./context.ts";
import type { AnyObject } from "./entry.ts";
import { withMarkerDefaults } from "./marker-defaults.ts";
import { cannotBe, recognize, requireNames } from "./recognize.ts";
import type { Wanted } from "./recognize.ts";
import type { ServedResource } from "./served.ts";
import { withSharedSpec } from "./shared-spec.ts";

/** An object as a client sent it: JSON bytes, a value, or what decodes itself once its type is known. */
export type Input = Uint8Array | EncodedInput | object;

/** An object in an encoding other than JSON, whose strict decoding has rules of its own. */
export class EncodedInput {
  readonly bytes: Uint8Array;
  /** Kind and version in an object; throws `DecodeError` when there are none to be read. */
  readonly names: () => unknown;
  readonly decode: (type: StructType, options: { readonly strict: boolean }) => Decoded;

  constructor(bytes: Uint8Array, reading: Pick<EncodedInput, "names" | "decode">) {
    this.bytes = bytes;
    this.names = reading.names;
    this.decode = reading.decode;
  }
}

/** The object that a client wants written: decoded as its kind, with its defaults. Throws `BadRequest`. */
export function decodeObject(
  served: Wanted & Pick<ServedResource, "definition">,
  input: Input,
  options: Pick<RequestOptions, "fieldValidation" | "warn">,
): AnyObject {
  const { names, decode } = readingOf(served, input);
  if (input instanceof Uint8Array || input instanceof EncodedInput) requireNames(served, names);
  const { kind, type, refusal } = recognize(served, names);
  const validation = options.fieldValidation ?? "Ignore";
  const cannotBeHandled = (problem: string) =>
    ApiError.badRequest(cannotBe(kind, { wanted: served.resource.kind, problem }));
  let decoded: Decoded;
  let object: AnyObject;
  try {
    decoded = decode(type, { strict: validation !== "Ignore" });
    object = coerced(served, decoded.object);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw cannotBeHandled(error.message);
  }
  if (refusal) throw refusal;
  const unknown = validation === "Ignore" ? [] : unknownIn(served, decoded.object);
  const problems = [...decoded.problems, ...unknown];
  if (problems.length > 0) {
    if (validation === "Strict") throw cannotBeHandled(strictDecodingError(problems));
    for (const problem of problems) for (const warning of warningsOf(problem)) options.warn?.(warning);
  }
  return completed(served, withSharedSpec(served, object));
}

/** A decoded object in the shape that its kind asks for besides. Throws `DecodeError`. */
export const coerced = ({ definition }: Pick<ServedResource, "definition">, decoded: object): AnyObject =>
  (definition.coerce?.(decoded as AnyObject) ?? decoded) as AnyObject;

/** Fields that are unknown for other reasons than the type. */
export const unknownIn = (
  { definition }: Pick<ServedResource, "definition">,
  object: object,
): readonly string[] => definition.unknownFields?.(object as AnyObject) ?? [];

interface Reading extends Pick<EncodedInput, "decode"> {
  /** An object with kind and version. */
  readonly names: unknown;
}

/** What an input is called and how it is read; throws when not even that much can be found out. */
function readingOf(served: Wanted, input: Input): Reading {
  if (input instanceof EncodedInput) {
    try {
      return { names: input.names(), decode: input.decode };
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw ApiError.badRequest(unrecognized(served.resource, { body: input.bytes, message: error.message }));
    }
  }
  if (!(input instanceof Uint8Array)) {
    return { names: input, decode: (type, options) => decodeValue(input, type, options) };
  }
  const text = textDecoder.decode(input);
  let value: unknown;
  const message = unreadableKind(() => (value = parseJson(text)));
  if (message !== undefined) {
    throw ApiError.badRequest(unrecognized(served.resource, { body: input, message }));
  }
  return { names: value, decode: (type, options) => decodeParsed({ text, value }, type, options) };
}

const textDecoder = new TextDecoder();

/** A decoded object under its kind's name, with its defaults. */
export function completed(
  served: Pick<ServedResource, "resource" | "apiVersion" | "type" | "definition">,
  decoded: object,
): AnyObject {
  const { resource, apiVersion } = served;
  const { kind: _, apiVersion: __, metadata, ...rest } = decoded as AnyObject;
  const named = { kind: resource.kind, apiVersion, metadata, ...rest } as AnyObject;
  const object = withMarkerDefaults(named, served.type);
  return (served.definition.defaults?.(object) ?? object) as AnyObject;
}

/** Whether a change of the object's intent raises metadata.generation. */
export function tracksGeneration(served: ServedResource): boolean {
  return (
    served.definition.tracksGeneration ??
    (served.type.field("spec") !== undefined && served.type.field("status") !== undefined)
  );
}

export function validateNew(
  served: ServedResource,
  object: AnyObject,
  context: RequestContext,
): readonly FieldError[] {
  const { namespaced } = served.resource;
  const { nameRule, validate, validateCreate } = served.definition;
  const errors = validateObjectMeta(object.metadata, { namespaced, ...(nameRule ? { nameRule } : {}) });
  const finalizers = finalizerErrors(served, object);
  const own = [...(validate?.(object, context) ?? []), ...(validateCreate?.(object, context) ?? [])];
  return own.length + finalizers.length > 0 ? [...errors, ...finalizers, ...own] : errors;
}

function finalizerErrors(served: ServedResource, { metadata }: AnyObject): readonly FieldError[] {
  return served.custom || served.definition.plainFinalizers ? [] : validateFinalizerDomains(metadata);
}

interface CheckedChange {
  readonly object: AnyObject;
  readonly old: AnyObject;
  readonly context: RequestContext;
}

export function validateChange(served: ServedResource, change: CheckedChange): readonly FieldError[] {
  const { object, old, context } = change;
  const { validate, validateUpdate, updateErrorsFirst, repeatsChecks } = served.definition;
  const errors = validateMetadataChange(served, change);
  // Whoever reports a status cannot mend the rest of the object, so that rest is not looked at again.
  const whole = (context.subresource === "status" ? undefined : validate?.(object, context)) ?? [];
  const changes = validateUpdate?.(object, old, context) ?? [];
  if (whole.length === 0 && changes.length === 0) return errors;
  const wholes = repeatsChecks ? [...whole, ...whole] : whole;
  return updateErrorsFirst ? [...errors, ...changes, ...wholes] : [...errors, ...wholes, ...changes];
}

/** All updates check metadata as a whole and as a change; what kinds check again is reported again. */
function validateMetadataChange(served: ServedResource, change: CheckedChange): readonly FieldError[] {
  const { object, old, context } = change;
  const { namespaced } = served.resource;
  const checks = {
    whole: validateObjectMeta(object.metadata, { namespaced, nameRule: "path" }),
    change: validateObjectMetaUpdate(object.metadata, old.metadata),
  };
  const finalizers = finalizerErrors(served, object);
  if (checks.whole.length + checks.change.length + finalizers.length === 0) return [];
  const repeated = (context.subresource ? undefined : served.definition.repeatedMetadataChecks) ?? ["change"];
  return [
    ...checks.whole,
    ...checks.change,
    ...repeated.flatMap((check) => [...checks[check], ...finalizers]),
  ];
}
