import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrorMessage, fieldErrors } from "../../apimachinery/index.ts";
import { patternProblem } from "../../cel/index.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { omit } from "../common/fill.ts";
import type { JSONSchemaProps } from "../types/apiextensions-v1.ts";
import { itemSchema, itemSchemas, schemaIn } from "./schema-walk.ts";

/** Why a schema has no structure at all; undefined when it can be checked. */
export function structureProblem(schema: JSONSchemaProps | undefined): string | undefined {
  if (schema === undefined) return undefined;
  const unsupported = (
    [
      ["id", schema.id],
      ["schema", schema.$schema],
      ["$ref", schema.$ref],
      ["patternProperties", filled(schema.patternProperties)],
      ["dependencies", filled(schema.dependencies)],
      ["additionalItems", schema.additionalItems !== undefined],
      ["definitions", filled(schema.definitions)],
    ] as const
  ).find(([, present]) => present);
  if (unsupported) return `OpenAPIV3Schema '${unsupported[0]}' is not supported`;
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  }
  if (itemSchemas(schema).length > 0) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  const within = [
    schema.not,
    ...(schema.allOf ?? []),
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    schemaIn(schema.additionalProperties),
    itemSchema(schema),
    ...Object.values(schema.properties ?? {}),
  ];
  for (const inner of within) {
    const problem = structureProblem(inner);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const filled = (map: object | undefined) => map !== undefined && Object.keys(map).length > 0;

type Level = "root" | "item" | "field";
const missingType: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

/** Checks that a schema is structural: every field has one place that says what it is. */
export function validateStructure(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const errors = [
    ...validateNode(schema, path, "root"),
    ...validateCompleteness(schema, schema, { structure: path, value: path }),
  ];
  return errors
    .map((error) => [`${error.field}: ${fieldErrorMessage(error)}`, error] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, error]) => error);
}

function validateNode(schema: JSONSchemaProps, path: FieldPath, level: Level): FieldError[] {
  const { type = "", properties = {} } = schema;
  const items = itemSchema(schema);
  const additional = schema.additionalProperties;
  const within = schemaIn(additional);
  const errors: FieldError[] = [];
  if (type === "array" && schema.items === undefined) {
    errors.push(fieldErrors.required(path.child("items"), "must be specified"));
  }
  if (items) errors.push(...validateNode(items, path.child("items"), "item"));
  for (const [name, property] of Object.entries(properties)) {
    errors.push(...validateNode(property, path.child("properties").key(name), "field"));
  }
  const at = path.child("additionalProperties");
  if (additional !== undefined && level === "root") {
    errors.push(fieldErrors.forbidden(at, "must not be used at the root"));
  }
  if (within) errors.push(...validateNode(within, at, "field"));
  errors.push(
    ...validateExtensions(schema, path),
    ...validateJunctors(schema, path, {
      anyOf: isIntOrString(schema.anyOf),
      allOf: isIntOrString(schema.allOf?.[0]?.anyOf),
    }),
    ...validateType(schema, path, level),
  );
  if (schema["x-kubernetes-embedded-resource"] && additional !== undefined) {
    errors.push(fieldErrors.forbidden(at, "must not be used if x-kubernetes-embedded-resource is set"));
  }
  if (level === "root" && type !== "" && type !== "object") {
    errors.push(fieldErrors.invalid(path.child("type"), type, "must be object at the root"));
  }
  return [...errors, ...validateResourceFields(schema, path, level)];
}

function validateExtensions(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  if (!schema["x-kubernetes-int-or-string"]) return [];
  const why = "must be false if x-kubernetes-int-or-string is true";
  return (["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const)
    .filter((field) => schema[field])
    .map((field) => fieldErrors.invalid(path.child(field), true, why));
}

function validateType(schema: JSONSchemaProps, path: FieldPath, level: Level): FieldError[] {
  const { type = "" } = schema;
  const at = path.child("type");
  if (schema["x-kubernetes-embedded-resource"] && type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    return [type === "" ? fieldErrors.required(at, why) : fieldErrors.invalid(at, type, why)];
  }
  const isOpen = schema["x-kubernetes-int-or-string"] ?? schema["x-kubernetes-preserve-unknown-fields"];
  return type === "" && !isOpen ? [fieldErrors.required(at, missingType[level])] : [];
}

/** What every object has is not for the schema to say. */
function validateResourceFields(schema: JSONSchemaProps, path: FieldPath, level: Level): FieldError[] {
  const { properties = {} } = schema;
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  const errors: FieldError[] = [];
  const expected = { kind: "string", apiVersion: "string", metadata: "object" };
  for (const [name, type] of level === "root" || isEmbedded ? Object.entries(expected) : []) {
    const property = properties[name];
    if (property === undefined || property.type === type) continue;
    const at = path.child("properties").key(name).child("type");
    errors.push(fieldErrors.invalid(at, property.type ?? "", `must be ${type}`));
  }
  const { metadata } = properties;
  if (level === "root" && metadata !== undefined && !isPlainMetadata(metadata)) {
    const why =
      "must not specify anything other than name and generateName, but metadata is implicitly specified";
    errors.push(fieldErrors.forbidden(path.child("properties").key("metadata"), why));
  }
  if (isEmbedded && !schema["x-kubernetes-preserve-unknown-fields"] && !filled(properties)) {
    const why =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(fieldErrors.required(path.child("properties"), why));
  }
  return errors;
}

function isPlainMetadata(schema: JSONSchemaProps): boolean {
  const names = Object.keys(schema.properties ?? {});
  const others = omit(schema, "type", "default", "properties");
  return names.every((name) => name === "name" || name === "generateName") && semanticallyEqual(others, {});
}

const intOrString = [{ type: "integer" }, { type: "string" }];
const isIntOrString = (list: readonly JSONSchemaProps[] | undefined) =>
  list?.length === intOrString.length && semanticallyEqual(list, intOrString);

interface Skipped {
  readonly anyOf?: boolean;
  /** Of the first of `allOf`, its `anyOf`. */
  readonly allOf?: boolean;
}

function validateJunctors(schema: JSONSchemaProps, path: FieldPath, skipped: Skipped): FieldError[] {
  const errors: FieldError[] = [];
  for (const junctor of ["anyOf", "allOf", "oneOf"] as const) {
    if (junctor === "anyOf" && skipped.anyOf) continue;
    for (const [index, inner] of (schema[junctor] ?? []).entries()) {
      const anyOf = junctor === "allOf" && index === 0 && skipped.allOf === true;
      errors.push(...validateNested(inner, path.child(junctor).index(index), { anyOf }));
    }
  }
  if (schema.not) errors.push(...validateNested(schema.not, path.child("not"), {}));
  const problem = schema.pattern ? patternProblem(schema.pattern) : undefined;
  if (problem === undefined) return errors;
  const why = `must be a valid regular expression, but isn't: ${problem}`;
  return [...errors, fieldErrors.invalid(path.child("pattern"), schema.pattern, why)];
}

/** Fields that say what something is, which no branch of a condition may. */
const forbiddenInBranches: readonly (readonly [field: keyof JSONSchemaProps, why: string])[] = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
];

function validateNested(schema: JSONSchemaProps, path: FieldPath, skipped: Skipped): FieldError[] {
  const items = itemSchema(schema);
  const errors = validateJunctors(schema, path, skipped);
  if (items) errors.push(...validateNested(items, path.child("items"), {}));
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...validateNested(property, path.child("properties").key(name), {}));
  }
  for (const [field, why] of forbiddenInBranches) {
    const value = schema[field];
    const isUnset =
      value === undefined || value === null || value === "" || (value === false && field === "nullable");
    const isEmptyList = Array.isArray(value) && value.length === 0;
    if (!isUnset && !isEmptyList) errors.push(fieldErrors.forbidden(path.child(field), why));
  }
  if (schema.properties?.["metadata"] !== undefined) {
    const at = path.child("properties").key("metadata");
    errors.push(fieldErrors.forbidden(at, "must not be specified in a nested context"));
  }
  return errors;
}

interface Paths {
  readonly structure: FieldPath;
  readonly value: FieldPath;
}

/** Checks that what conditions speak of is there outside of them. */
function validateCompleteness(
  condition: JSONSchemaProps,
  structure: JSONSchemaProps,
  paths: Paths,
): FieldError[] {
  const branches = [
    ...(condition.not ? [[condition.not, paths.value.child("not")] as const] : []),
    ...(["allOf", "anyOf", "oneOf"] as const).flatMap((junctor) =>
      (condition[junctor] ?? []).map(
        (inner, index) => [inner, paths.value.child(junctor).index(index)] as const,
      ),
    ),
  ];
  return branches.flatMap(([inner, value]) => validateBranch(inner, structure, { ...paths, value }));
}

function validateBranch(
  branch: JSONSchemaProps,
  structure: JSONSchemaProps | undefined,
  paths: Paths,
): FieldError[] {
  if (structure === undefined) {
    return [fieldErrors.required(paths.structure, `because it is defined in ${paths.value.text}`)];
  }
  const errors = validateCompleteness(branch, structure, paths);
  const below = (field: string, inner: JSONSchemaProps | undefined, name?: string) => {
    const step = (path: FieldPath) => (name === undefined ? path.child(field) : path.child(field).key(name));
    const next = name === undefined ? itemSchema(structure) : structure.properties?.[name];
    if (inner === undefined) return;
    errors.push(
      ...validateBranch(inner, next, { structure: step(paths.structure), value: step(paths.value) }),
    );
  };
  below("items", itemSchema(branch));
  for (const [name, property] of Object.entries(branch.properties ?? {})) below("properties", property, name);
  return errors;
}
