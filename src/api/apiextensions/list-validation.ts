import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import type { JSONSchemaProps } from "../types/apiextensions-v1.ts";
import { shownSchema } from "./internal-spec.ts";
import { itemSchema, itemSchemas } from "./schema-walk.ts";

const listTypes = ["atomic", "set", "map"];
const mapTypes = ["atomic", "granular"];

/** Checks what a schema says of how lists and maps are merged. */
export function validateLists(
  schema: JSONSchemaProps,
  path: FieldPath,
  rules: { readonly atomicSets: boolean; readonly listKeys: boolean },
): FieldError[] {
  const { type = "" } = schema;
  const listType = schema["x-kubernetes-list-type"];
  const mapType = schema["x-kubernetes-map-type"];
  const errors: FieldError[] = [];
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    const at = path.child("x-kubernetes-preserve-unknown-fields");
    errors.push(fieldErrors.invalid(at, false, "must be true or undefined"));
  }
  const demand = (wanted: string, extension: string) => {
    const at = path.child("type");
    const why = `must be ${wanted} if ${extension} is specified`;
    errors.push(type === "" ? fieldErrors.required(at, why) : fieldErrors.invalid(at, type, why));
  };
  if (mapType !== undefined && type !== "object") demand("object", "x-kubernetes-map-type");
  if (mapType !== undefined && !mapTypes.includes(mapType)) {
    errors.push(fieldErrors.notSupported(path.child("x-kubernetes-map-type"), mapType, mapTypes));
  }
  if (listType !== undefined && type !== "array") demand("array", "x-kubernetes-list-type");
  else if (listType === "set" && rules.atomicSets) errors.push(...validateSetItems(schema, path));
  const at = path.child("x-kubernetes-list-type");
  if (listType !== undefined && !listTypes.includes(listType)) {
    errors.push(fieldErrors.notSupported(at, listType, listTypes));
  }
  if ((schema["x-kubernetes-list-map-keys"]?.length ?? 0) > 0 && listType !== "map") {
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    errors.push(
      listType === undefined ? fieldErrors.required(at, why) : fieldErrors.invalid(at, listType, why),
    );
  }
  if (listType === "map") errors.push(...validateMapItems(schema, path));
  return rules.listKeys ? [...errors, ...validateKeys(schema, path)] : errors;
}

/** Whether the elements of a set can be told apart only as wholes. */
export const hasAtomicItems = (schema: JSONSchemaProps): boolean =>
  itemSchema(schema) === undefined || setProblem(itemSchema(schema)) === undefined;

function setProblem(items: JSONSchemaProps | undefined): string | undefined {
  const listType = items?.["x-kubernetes-list-type"];
  if (items?.type === "array" && listType !== undefined && listType !== "atomic") {
    return "x-kubernetes-list-type";
  }
  return items?.type === "object" && items["x-kubernetes-map-type"] !== "atomic"
    ? "x-kubernetes-map-type"
    : undefined;
}

function validateSetItems(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const items = itemSchema(schema);
  const field = setProblem(items);
  if (field === undefined) return [];
  const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  return [fieldErrors.invalid(path.child("items", field), items?.["x-kubernetes-list-type"], why)];
}

function validateMapItems(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const items = itemSchema(schema);
  const itemsPath = path.child("items");
  const keysPath = path.child("x-kubernetes-list-map-keys");
  const errors: FieldError[] = [];
  if (keys.length === 0) {
    errors.push(fieldErrors.required(keysPath, "must not be empty if x-kubernetes-list-type is map"));
  }
  if (schema.items === undefined) {
    const why = "must have a schema if x-kubernetes-list-type is map";
    return [...errors, fieldErrors.required(itemsPath, why)];
  }
  if (items === undefined) {
    const shown = { Schema: null, JSONSchemas: itemSchemas(schema).map(shownSchema) };
    const why = "must only have a single schema if x-kubernetes-list-type is map";
    return [...errors, fieldErrors.invalid(itemsPath, shown, why)];
  }
  if (items.type !== "object") {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    return [...errors, fieldErrors.invalid(itemsPath.child("type"), items.type ?? "", why)];
  }
  for (const [index, key] of keys.entries()) {
    const property = items.properties?.[key];
    if (property === undefined) {
      errors.push(fieldErrors.invalid(keysPath, keys, "entries must all be names of item properties"));
    } else if (property.type === "array" || property.type === "object") {
      const at = itemsPath.child("properties").key(key).child("type");
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(fieldErrors.invalid(at, items.type, why));
    }
    if (keys.indexOf(key) < index) {
      errors.push(fieldErrors.invalid(keysPath, keys, "must not contain duplicate entries"));
    }
  }
  return errors;
}

/** Checks that every element of a set or map is there, and has its keys. */
export function validateKeys(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const items = itemSchema(schema);
  const listType = schema["x-kubernetes-list-type"];
  if (items === undefined || (listType !== "set" && listType !== "map")) return [];
  const at = path.child("items");
  const errors: FieldError[] = [];
  if (items.nullable) {
    const why = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.push(fieldErrors.forbidden(at.child("nullable"), why));
  }
  if (listType === "set") return errors;
  const why = "this property is in x-kubernetes-list-map-keys, so it";
  for (const key of schema["x-kubernetes-list-map-keys"] ?? []) {
    const property = items.properties?.[key];
    if (property === undefined) continue;
    const keyPath = at.child("properties").key(key);
    if (!items.required?.includes(key) && (property.default === undefined || property.default === null)) {
      const missing = `${why} must have a default or be a required property`;
      errors.push(fieldErrors.required(keyPath.child("default"), missing));
    }
    if (property.nullable) {
      errors.push(fieldErrors.forbidden(keyPath.child("nullable"), `${why} cannot be nullable`));
    }
  }
  return errors;
}
