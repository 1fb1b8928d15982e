import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { deepEqual, fieldErrorMessage, fieldErrors } from "../../apimachinery/index.ts";
import type { JSONSchemaProps } from "../types/apiextensions-v1.ts";
import { MalformedResource, coerceEmbedded, validateEmbedded } from "./objects/embedded.ts";
import { prepareSchema, type SchemaNode } from "./objects/node.ts";
import { prunedValue } from "./objects/prune.ts";
import { RuleBudget, validateByRules } from "./objects/rules.ts";
import { validateBySchema } from "./objects/validate.ts";
import { anySchema } from "./schema-walk.ts";

const isDefault = (value: unknown): boolean => value !== undefined && value !== null;

/** Whether there is a default anywhere in a schema. */
export const hasDefaults = (schema: JSONSchemaProps | undefined): boolean =>
  anySchema(schema, (inner) => isDefault(inner.default));

/** Checks the defaults in a structural schema: they must be as it says, and without fields that would be dropped. */
export function validateDefaults(
  schema: JSONSchemaProps,
  path: FieldPath,
  options: { readonly mayHaveUnknown: boolean },
): readonly FieldError[] {
  if (!hasDefaults(schema)) return [];
  const validation = new DefaultValidation(options.mayHaveUnknown);
  const root = prepareSchema(schema);
  validation.visit(root, { path, resource: root, surround: (value) => value, isInMetadata: false });
  return validation.errors;
}

/** Whether a schema has defaults with fields that would be dropped. */
export function hasUnknownInDefaults(schema: JSONSchemaProps | undefined): boolean {
  if (!hasDefaults(schema)) return false;
  const isPruned = (node: SchemaNode): boolean =>
    isUnchangedByPruning(node) &&
    [...node.properties.values(), ...(node.items ? [node.items] : [])].every(isPruned);
  return !isPruned(prepareSchema(schema));
}

function isUnchangedByPruning(node: SchemaNode): boolean {
  const value: unknown = node.schema.default;
  return !isDefault(value) || deepEqual(prunedValue(value, node), value);
}

interface Place {
  readonly path: FieldPath;
  /** The object of the API in which the default stands, and how it looks with nothing but the default. */
  readonly resource: SchemaNode;
  readonly surround: (value: unknown) => unknown;
  readonly isInMetadata: boolean;
}

/** An object of the API with nothing in it but names. */
const bare = { apiVersion: "validation/v1", kind: "Validation" };
const resourceFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

class DefaultValidation {
  readonly errors: FieldError[] = [];
  readonly #budget = new RuleBudget();
  readonly #mayHaveUnknown: boolean;

  constructor(mayHaveUnknown: boolean) {
    this.#mayHaveUnknown = mayHaveUnknown;
  }

  visit(node: SchemaNode, place: Place): void {
    if (!node.hasDefaults || this.#budget.isSpent) return;
    const here = node.isResource
      ? { ...place, resource: node, surround: (value: unknown) => value, isInMetadata: false }
      : place;
    const value: unknown = node.schema.default;
    if (isDefault(value)) {
      const at = here.path.child("default");
      const isWrong = here.isInMetadata
        ? this.#isWrongMetadata(value, here)
        : this.#isMisplaced(value, node, at);
      if (!isWrong) this.#checkValue(value, node, at);
    }
    if (node.items) {
      const surround = (inner: unknown) => here.surround([inner]);
      this.visit(node.items, { ...here, path: here.path.child("items"), surround });
    }
    for (const [name, property] of node.properties) {
      const isInMetadata = here.isInMetadata || (node.isResource && resourceFields.has(name));
      const base = node.isResource ? bare : {};
      const surround = (inner: unknown) => here.surround({ ...base, [name]: inner });
      const path = here.path.child("properties").key(name);
      this.visit(property, { ...here, path, surround, isInMetadata });
    }
  }

  /** Within metadata, a default must make metadata that objects can have. */
  #isWrongMetadata(value: unknown, { path, resource, surround }: Place): boolean {
    const object = surround(value);
    const problem = problemOf(object, resource);
    if (problem === undefined) return false;
    const detail = `must result in valid metadata: ${problem}`;
    this.errors.push(fieldErrors.invalid(path.child("default"), value, detail));
    return true;
  }

  #isMisplaced(value: unknown, node: SchemaNode, at: FieldPath): boolean {
    if (!this.#mayHaveUnknown && !isUnchangedByPruning(node)) {
      this.errors.push(fieldErrors.invalid(at, value, "must not have unknown fields"));
    }
    const place = { node, path: at, ...(node.isResource ? { isResource: true } : {}) };
    try {
      coerceEmbedded(value, place, { drops: false });
    } catch (error) {
      if (!(error instanceof MalformedResource)) throw error;
      this.errors.push(error.error);
      return true;
    }
    const wrong = validateEmbedded(value, place);
    this.errors.push(...wrong);
    return wrong.length > 0;
  }

  #checkValue(value: unknown, node: SchemaNode, at: FieldPath): void {
    const wrong = validateBySchema(value, node, { at });
    this.errors.push(...wrong);
    if (wrong.length > 0) return;
    const budget = this.#budget;
    const unchanged = validateByRules(value, node, { old: value, at, budget });
    const errors = unchanged.length > 0 ? unchanged : validateByRules(value, node, { at, budget });
    this.errors.push(...errors);
  }
}

function problemOf(object: unknown, resource: SchemaNode): string | undefined {
  const place = { node: resource, path: undefined, isResource: true };
  try {
    coerceEmbedded(object, place, { drops: false });
  } catch (error) {
    if (error instanceof MalformedResource) return error.message;
    throw error;
  }
  const errors = validateEmbedded(object, place);
  const texts = [...new Set(errors.map((error) => `${error.field}: ${fieldErrorMessage(error)}`))];
  if (texts.length === 0) return undefined;
  return texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
}
