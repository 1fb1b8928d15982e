import { ApiError } from "../../apimachinery/index.ts";
import type { FieldError, StructType } from "../../apimachinery/index.ts";
import {
  cannotBeHandled,
  DecodeError,
  decodeJson,
  decodeValue,
  parseJson,
  strictDecodingError,
  unreadableKind,
  unrecognized,
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
import type { ServedResource } from "./served.ts";

/** An object as a client sent it: JSON bytes, a value, or what decodes itself once its type is known. */
export type Input = Uint8Array | EncodedInput | object;

/** An object in an encoding other than JSON, whose strict decoding has rules of its own. */
export class EncodedInput {
  readonly bytes: Uint8Array;
  readonly decode: (type: StructType, options: { readonly strict: boolean }) => Decoded;

  constructor(bytes: Uint8Array, decode: EncodedInput["decode"]) {
    this.bytes = bytes;
    this.decode = decode;
  }
}

/** The object that a client wants written: decoded as its kind, with its defaults. Throws `BadRequest`. */
export function decodeObject(
  served: Pick<ServedResource, "resource" | "apiVersion" | "type" | "definition"> & {
    /** Former versions of the kind, of the same form. */
    readonly accepts?: readonly string[];
  },
  input: Input,
  options: Pick<RequestOptions, "fieldValidation" | "warn">,
): AnyObject {
  const decoded = strictly(served, { ...options, input }, (strict) => {
    if (input instanceof Uint8Array) return decodeJson(input, served.type, { strict });
    if (input instanceof EncodedInput) return input.decode(served.type, { strict });
    return decodeValue(input, served.type, { strict });
  });
  checkKind(served, decoded);
  return completed(served, decoded);
}

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

function checkKind(
  served: Pick<ServedResource, "resource" | "apiVersion"> & { readonly accepts?: readonly string[] },
  object: { readonly kind?: string; readonly apiVersion?: string },
): void {
  const { resource, apiVersion } = served;
  if (object.apiVersion && object.apiVersion !== apiVersion && !served.accepts?.includes(object.apiVersion)) {
    throw ApiError.badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (object.kind && object.kind !== resource.kind) {
    throw ApiError.badRequest(
      `${object.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: converting (${object.kind}) to (${resource.kind}): unknown conversion`,
    );
  }
}

/** Decodes with the field validation that was asked for. */
function strictly(
  served: Pick<ServedResource, "resource">,
  options: Pick<RequestOptions, "fieldValidation" | "warn"> & { readonly input: Input },
  decode: (strict: boolean) => Decoded,
): object {
  const { input } = options;
  const validation = options.fieldValidation ?? "Ignore";
  let decoded: Decoded;
  try {
    decoded = decode(validation !== "Ignore");
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw ApiError.badRequest(cannotBeRead(served.resource, { input, error }));
  }
  if (decoded.problems.length > 0) {
    if (validation === "Strict") {
      const message = strictDecodingError(decoded.problems);
      throw ApiError.badRequest(cannotBeHandled(served.resource, { message }));
    }
    for (const problem of decoded.problems) options.warn?.(problem);
  }
  return decoded.object;
}

/** Why an input is no object of the kind: not even one of any kind, or one with something wrong in it. */
function cannotBeRead(
  kind: ServedResource["resource"],
  { input, error }: { readonly input: Input; readonly error: DecodeError },
): string {
  if (input instanceof Uint8Array) {
    const message = unreadableKind(() => parseJson(input));
    if (message !== undefined) return unrecognized(kind, { body: input, message });
  }
  if (input instanceof EncodedInput && error.kindUnknown) {
    return unrecognized(kind, { body: input.bytes, message: error.message });
  }
  return cannotBeHandled(kind, error);
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
  const { nameRule, validate } = served.definition;
  const errors = validateObjectMeta(object.metadata, { namespaced, ...(nameRule ? { nameRule } : {}) });
  const finalizers = finalizerErrors(served, object);
  const own = validate?.(object, context) ?? [];
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
  const { validate, validateUpdate, updateErrorsFirst } = served.definition;
  const errors = validateMetadataChange(served, change);
  // Whoever reports a status cannot mend the rest of the object, so that rest is not looked at again.
  const whole = (context.subresource === "status" ? undefined : validate?.(object, context)) ?? [];
  const changes = validateUpdate?.(object, old, context) ?? [];
  if (whole.length === 0 && changes.length === 0) return errors;
  return updateErrorsFirst ? [...errors, ...changes, ...whole] : [...errors, ...whole, ...changes];
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
