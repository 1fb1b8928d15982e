import {
  FieldPath,
  fieldErrorMessage,
  fieldErrors,
  validateObjectMeta,
  type FieldError,
  type ObjectMeta,
  type StructType,
} from "../../../apimachinery/index.ts";
import { DecodeError, decodeValue } from "../../../apimachinery/codec/index.ts";
import { invariant } from "../../../base/index.ts";
import { schemas } from "../../schema.ts";
import { CustomResourceDefinition } from "../../types/apiextensions-v1.ts";
import { mixedCaseProblems } from "../../common/checks.ts";
import { isNamed, nodeOf, type SchemaNode } from "./node.ts";
import { isFields, isValues, mapFields, mapValues, type Fields } from "./values.ts";

/** The type of every object's metadata. */
export function metadataType(): StructType {
  const type = schemas.typeOf(CustomResourceDefinition)?.field("metadata")?.type;
  invariant(type?.kind === "struct", "metadata has a type of its own");
  return type;
}

/** What becomes of fields that are not as they must be: they are dropped, or the whole is refused. */
interface Coercion {
  readonly drops: boolean;
  /** Hears of metadata's fields that nobody knows. */
  readonly report?: (path: string) => void;
}

interface Place {
  readonly node: SchemaNode;
  readonly path: FieldPath | undefined;
  /** The value is an object of the API, though nothing says so. */
  readonly isResource?: boolean;
}

/**
 * A value whose embedded objects have names that are texts, and metadata as all objects have it. Throws
 * `MalformedResource` where they cannot have.
 */
export const coerceEmbedded = (value: unknown, place: Place, coercion: Coercion): unknown =>
  place.isResource || place.node.hasEmbedded ? coerce(value, place, coercion) : value;

const childOf = ({ node, path }: Place, name: string): FieldPath => {
  if (!path) return FieldPath.root(name);
  return isNamed(node, name) ? path.child(name) : path.key(name);
};

function coerce(value: unknown, place: Place, coercion: Coercion): unknown {
  const { node, path } = place;
  if (isValues(value)) {
    const { items } = node;
    if (!items?.hasEmbedded) return value;
    const at = path ?? FieldPath.empty;
    return mapValues(value, (element, index) =>
      coerce(element, { node: items, path: at.index(index) }, coercion),
    );
  }
  if (!isFields(value)) return value;
  const isResource = place.isResource ?? node.isEmbedded;
  const named = isResource ? coerceNames(value, place, coercion) : value;
  return mapFields(named, (field, name) => {
    const known = nodeOf(node, name);
    return known?.hasEmbedded ? coerce(field, { node: known, path: childOf(place, name) }, coercion) : field;
  });
}

function coerceNames(fields: Fields, place: Place, coercion: Coercion): Fields {
  return mapFields(fields, (value, name) => {
    const at = place.path?.child(name) ?? FieldPath.root(name);
    if (name === "metadata") return coerceMetadata(value, at, coercion);
    if ((name !== "apiVersion" && name !== "kind") || typeof value === "string") return value;
    if (coercion.drops) return undefined;
    throw new MalformedResource(fieldErrors.invalid(at, value, "must be a string"));
  });
}

/** An embedded object that is no object of the API. */
export class MalformedResource extends DecodeError {
  readonly error: FieldError;

  constructor(error: FieldError) {
    super(`${error.field}: ${fieldErrorMessage(error)}`);
    this.error = error;
  }
}

function coerceMetadata(value: unknown, path: FieldPath, { drops, report }: Coercion): unknown {
  if (value === null) return {};
  const read = metadataOf(value, report !== undefined);
  if (typeof read === "string") {
    if (!drops) throw new MalformedResource(fieldErrors.invalid(path, value, read));
    return isFields(value) ? withoutMalformed(value) : value;
  }
  for (const problem of read.unknown) report?.(`${path.text}.${problem}`);
  return read.metadata;
}

const unknownField = /^unknown field "(.*)"$/;

/** Metadata as it is decoded, or why it cannot be. */
function metadataOf(
  value: unknown,
  strict: boolean,
): { readonly metadata: Partial<ObjectMeta>; readonly unknown: readonly string[] } | string {
  if (!isFields(value)) {
    return `json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type v1.ObjectMeta`;
  }
  try {
    const { object, problems } = decodeValue(value, metadataType(), { strict });
    const { creationTimestamp, ...rest } = object as Partial<ObjectMeta>;
    const metadata = creationTimestamp ? (object as Partial<ObjectMeta>) : rest;
    return { metadata, unknown: problems.flatMap((problem) => unknownField.exec(problem)?.[1] ?? []) };
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

function jsonTypeOf(value: unknown): string {
  if (isValues(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

const withoutMalformed = (fields: Fields): Fields =>
  mapFields(fields, (value, name) =>
    typeof metadataOf({ [name]: value }, false) === "string" ? undefined : value,
  );

/** What is wrong with the names and metadata of embedded objects. */
export function validateEmbedded(value: unknown, place: Place): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (place.isResource || place.node.hasEmbedded) validate(value, place, errors);
  return errors;
}

function validate(value: unknown, place: Place, errors: FieldError[]): void {
  const { node, path } = place;
  if (isValues(value)) {
    const { items } = node;
    if (!items?.hasEmbedded) return;
    const at = path ?? FieldPath.empty;
    for (const [index, element] of value.entries()) {
      validate(element, { node: items, path: at.index(index) }, errors);
    }
  } else if (isFields(value)) {
    if (place.isResource ?? node.isEmbedded) validateResource(value, path, errors);
    for (const name of Object.keys(value)) {
      const known = nodeOf(node, name);
      if (known?.hasEmbedded) validate(value[name], { node: known, path: childOf(place, name) }, errors);
    }
  }
}

const pathOf = (path: FieldPath | undefined, name: string) => path?.child(name) ?? FieldPath.root(name);

function validateResource(fields: Fields, path: FieldPath | undefined, errors: FieldError[]): void {
  const { apiVersion, kind, metadata } = fields;
  const checkName = (name: "apiVersion" | "kind", problemsOf: (value: string) => readonly string[]) => {
    const value = fields[name];
    const at = pathOf(path, name);
    if (value === undefined) errors.push(fieldErrors.required(at, "must not be empty"));
    else if (typeof value !== "string") errors.push(fieldErrors.invalid(at, value, "must be a string"));
    else if (value === "") errors.push(fieldErrors.invalid(at, value, "must not be empty"));
    else for (const problem of problemsOf(value)) errors.push(fieldErrors.invalid(at, value, problem));
  };
  checkName("apiVersion", (value) =>
    value.split("/").length > 2 ? [`unexpected GroupVersion string: ${String(apiVersion)}`] : [],
  );
  checkName("kind", () => mixedCaseProblems(String(kind)));
  if (metadata === undefined || metadata === null) return;
  const at = pathOf(path, "metadata");
  const read = metadataOf(metadata, false);
  if (typeof read === "string") {
    errors.push(fieldErrors.invalid(at, metadata, read));
    return;
  }
  const { namespace = "", name } = read.metadata;
  // It may do without a name, which objects on their own cannot.
  const named = { ...read.metadata, name: name || "fakename" };
  errors.push(...validateObjectMeta(named, { namespaced: namespace !== "", nameRule: "path", path: at }));
}
