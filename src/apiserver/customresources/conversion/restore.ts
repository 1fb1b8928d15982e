import {
  aggregate,
  FieldPath,
  validateAnnotations,
  validateLabels,
  type FieldError,
} from "../../../apimachinery/index.ts";
import { goKind, goType } from "../../../apimachinery/patch/index.ts";
import type { JsonValue } from "../../../apimachinery/index.ts";
import type { AnyObject } from "../../registry/entry.ts";

/** A converted object that is not acceptable, in upstream's words. */
export class RestoreError extends Error {
  override readonly name = "RestoreError";
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** A value that should be an object, as upstream reads it; throws `RestoreError`. */
export function readConverted(value: unknown): Fields {
  if (value === null || value === undefined) throw new RestoreError("EOF");
  if (!isFields(value)) {
    throw new RestoreError(
      `json: cannot unmarshal ${goKind(value as JsonValue)} into Go value of type map[string]interface {}`,
    );
  }
  if (textOf(value["kind"]) === "") {
    throw new RestoreError(`Object 'Kind' is missing in '${JSON.stringify(value)}'`);
  }
  return value;
}

/** Where and of what a converted object comes back. */
export interface Returned {
  readonly original: AnyObject;
  readonly converted: Fields;
  readonly desired: string;
  /** How upstream counts it: from 1. */
  readonly index: number;
}

/**
 * The converted object with the metadata that only the original may have: labels and annotations alone are converted.
 * Throws `RestoreError`.
 */
export function restored({ original, converted, desired, index }: Returned): AnyObject {
  const invalid = (why: string) =>
    new RestoreError(`returned invalid converted object at index ${index}: ${why}`);
  const received = textOf(converted["apiVersion"]);
  if (received !== desired) {
    throw invalid(`invalid groupVersion (expected ${desired}, received ${received})`);
  }
  if (converted["kind"] !== original.kind) {
    throw invalid(`invalid kind (expected ${original.kind}, received ${textOf(converted["kind"])})`);
  }
  const given = isFields(converted["metadata"]) ? converted["metadata"] : {};
  for (const [field, shown] of identity) {
    const [expected, got] = [textOf(original.metadata[field]), textOf(given[field])];
    if (expected !== got) throw invalid(`must have the same ${shown}: ${expected} != ${got}`);
  }
  try {
    const { kind: _, apiVersion: __, metadata, ...rest } = converted;
    const whole = restoredMetadata(original.metadata, metadata);
    return { kind: original.kind, apiVersion: desired, metadata: whole, ...rest } as AnyObject;
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error;
    throw new RestoreError(`returned invalid metadata in object at index ${index}: ${error.message}`);
  }
}

const identity = [
  ["name", "name"],
  ["namespace", "namespace"],
  ["uid", "UID"],
] as const;

/** What is checked of metadata that may be converted; upstream's path of annotations lacks a letter. */
const convertible = [
  ["labels", validateLabels, FieldPath.root("metadata").child("labels")],
  ["annotations", validateAnnotations, FieldPath.root("metadata").child("annotation")],
] as const;

function restoredMetadata(original: AnyObject["metadata"], converted: unknown): AnyObject["metadata"] {
  if (converted === undefined) throw new RestoreError("missing metadata in converted object");
  if (!isFields(converted)) {
    throw new RestoreError(`invalid metadata of type ${goType(converted as JsonValue)} in converted object`);
  }
  let metadata = original;
  for (const [field, validate, path] of convertible) {
    const { [field]: before = {}, ...rest } = metadata;
    const after = converted[field];
    if (after === undefined || after === null) {
      if (field in metadata) metadata = rest;
      continue;
    }
    if (!isFields(after)) {
      throw new RestoreError(
        `invalid metadata.${field} of type ${goType(after as JsonValue)} in converted object`,
      );
    }
    const texts = textsIn(field, after);
    if (sameTexts(before, texts)) continue;
    refuse(validate(texts, path));
    metadata = { ...metadata, [field]: texts };
  }
  return metadata;
}

function textsIn(field: string, values: Fields): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries(values)) {
    if (typeof value === "string") continue;
    const type = goType(value as JsonValue);
    throw new RestoreError(`metadata.${field}[${key}] must be a string, but is ${type} in converted object`);
  }
  return values as Readonly<Record<string, string>>;
}

function sameTexts(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(other);
  return names.length === Object.keys(one).length && names.every((name) => one[name] === other[name]);
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw new RestoreError(aggregate(errors));
}
