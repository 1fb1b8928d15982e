import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import { optionalOneOf } from "../common/checks.ts";
import { hasLineBreaks, validateExpression } from "../common/expressions.ts";
import type { JSONSchemaProps, ValidationRule } from "../types/apiextensions-v1.ts";
import { followPath, itemSchema, itemSchemas, schemaIn } from "./schema-walk.ts";
import { validateLists } from "./list-validation.ts";

/** The types of values that schemas know. */
export const schemaTypes = ["array", "boolean", "integer", "number", "object", "string"];
const resourceFields = new Set(["metadata", "kind", "apiVersion"]);
const ruleReasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/** What is asked of a schema at one place in it. */
export interface SchemaRules {
  readonly isRoot?: boolean;
  readonly validTypes: boolean;
  readonly atomicSets: boolean;
  readonly listKeys: boolean;
  /** Why there may be no defaults, when there may not. */
  readonly noDefaults?: string;
  readonly insideResourceMeta?: boolean;
}

/** Checks a schema and all schemas within it, but for what makes it structural. */
export function validateSchema(
  schema: JSONSchemaProps | undefined,
  path: FieldPath,
  { isRoot = false, ...rules }: SchemaRules,
): FieldError[] {
  if (schema === undefined) return [];
  const errors = validateOwn(schema, path, rules);
  if (schema.uniqueItems) {
    const why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(fieldErrors.forbidden(path.child("uniqueItems"), why));
  }
  errors.push(...validateProperties(schema, path, { ...rules, isRoot }));
  errors.push(...validateSchema(schema.not, path.child("not"), rules));
  for (const junctor of ["allOf", "oneOf", "anyOf"] as const) {
    for (const [index, inner] of (schema[junctor] ?? []).entries()) {
      errors.push(...validateSchema(inner, path.child(junctor).index(index), rules));
    }
  }
  for (const [name, inner] of Object.entries(schema.definitions ?? {})) {
    errors.push(...validateSchema(inner, path.child("definitions").key(name), rules));
  }
  errors.push(...validateSchema(itemSchema(schema), path.child("items"), rules));
  for (const [index, inner] of itemSchemas(schema).entries()) {
    errors.push(...validateSchema(inner, path.child("items").index(index), rules));
  }
  for (const [name, inner] of Object.entries(schema.dependencies ?? {})) {
    if (Array.isArray(inner)) continue;
    errors.push(...validateSchema(inner as JSONSchemaProps, path.child("dependencies").key(name), rules));
  }
  return [
    ...errors,
    ...validateLists(schema, path, rules),
    ...(schema["x-kubernetes-validations"] ?? []).flatMap((rule, index) =>
      validateRule(rule, path.child("x-kubernetes-validations").index(index), schema),
    ),
  ];
}

/** Fields of JSON schemas that these know not, in the order in which they are refused. */
const unsupported = [
  "id",
  "additionalItems",
  "patternProperties",
  "definitions",
  "dependencies",
  "$ref",
] as const;

function validateOwn(schema: JSONSchemaProps, path: FieldPath, rules: SchemaRules): FieldError[] {
  const errors: FieldError[] = [];
  const { type = "" } = schema;
  if (rules.validTypes && type !== "") {
    errors.push(...optionalOneOf(path.child("type"), type, schemaTypes));
  }
  if (schema.default !== undefined && schema.default !== null && rules.noDefaults !== undefined) {
    errors.push(fieldErrors.forbidden(path.child("default"), `must not be set ${rules.noDefaults}`));
  }
  for (const field of unsupported) {
    const value: unknown = schema[field];
    const isMap = field === "patternProperties" || field === "definitions";
    if (value === undefined || value === "" || (isMap && Object.keys(value as object).length === 0)) continue;
    errors.push(fieldErrors.forbidden(path.child(field), `${field} is not supported`));
  }
  if (type === "null") {
    const why = "type cannot be set to null, use nullable as an alternative";
    errors.push(fieldErrors.forbidden(path.child("type"), why));
  }
  if (itemSchemas(schema).length > 0) {
    errors.push(fieldErrors.forbidden(path.child("items"), "items must be a schema object and not an array"));
  }
  if (rules.insideResourceMeta && schema["x-kubernetes-embedded-resource"]) {
    const at = path.child("x-kubernetes-embedded-resource");
    errors.push(fieldErrors.forbidden(at, "must not be used inside of resource meta"));
  }
  return errors;
}

function validateProperties(schema: JSONSchemaProps, path: FieldPath, rules: SchemaRules): FieldError[] {
  const { properties = {}, additionalProperties } = schema;
  const { isRoot, ...inner } = rules;
  const errors: FieldError[] = [];
  const at = path.child("additionalProperties");
  if (additionalProperties !== undefined) {
    if (Object.keys(properties).length > 0 && additionalProperties !== true) {
      const why = "additionalProperties and properties are mutual exclusive";
      errors.push(fieldErrors.forbidden(at, why));
    }
    const noDefaults = "inside additionalProperties applying to object metadata";
    const below = rules.insideResourceMeta ? { ...inner, noDefaults } : inner;
    errors.push(...validateSchema(schemaIn(additionalProperties), at, below));
  }
  const isResource = isRoot || schema["x-kubernetes-embedded-resource"] === true;
  for (const [name, property] of Object.entries(properties)) {
    const below: SchemaRules = {
      ...inner,
      ...(isResource && resourceFields.has(name) ? { insideResourceMeta: true } : {}),
      ...(isRoot && resourceFields.has(name) ? { noDefaults: `in top-level ${name}` } : {}),
    };
    errors.push(...validateSchema(property, path.child("properties").key(name), below));
  }
  return errors;
}

function validateRule(rule: ValidationRule, path: FieldPath, schema: JSONSchemaProps): FieldError[] {
  const { message = "", messageExpression = "", reason, fieldPath = "" } = rule;
  const errors = validateExpression(rule.rule, path.child("rule"), "rule is not specified");
  if (errors.length === 0) errors.push(...validateMessage(rule.rule, message, path.child("message")));
  if (messageExpression !== "" && messageExpression.trim() === "") {
    const why = "messageExpression must be non-empty if specified";
    errors.push(fieldErrors.required(path.child("messageExpression"), why));
  }
  errors.push(...optionalOneOf(path.child("reason"), reason, ruleReasons));
  if (fieldPath === "") return errors;
  const at = path.child("fieldPath");
  const problems = [
    ...(fieldPath.trim() === "" ? ["fieldPath must be non-empty if specified"] : []),
    ...(hasLineBreaks(fieldPath) ? ["fieldPath must not contain line breaks"] : []),
    ...("problem" in followPath(fieldPath, schema, { keys: true }) ? ["fieldPath must be a valid path"] : []),
  ];
  return [...errors, ...problems.map((problem) => fieldErrors.invalid(at, fieldPath, problem))];
}

function validateMessage(rule: string, message: string, path: FieldPath): FieldError[] {
  const trimmed = message.trim();
  if (message !== "" && trimmed === "") {
    return [fieldErrors.invalid(path, message, "message must be non-empty if specified")];
  }
  if (hasLineBreaks(trimmed)) {
    return [fieldErrors.invalid(path, message, "message must not contain line breaks")];
  }
  return hasLineBreaks(rule.trim()) && trimmed === ""
    ? [fieldErrors.required(path, "message must be specified if rule contains line breaks")]
    : [];
}
