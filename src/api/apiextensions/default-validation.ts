import type { FieldError, FieldPath, JsonValue } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import type { JSONSchemaProps } from "../types/apiextensions-v1.ts";
import { itemSchema, schemaIn } from "./schema-walk.ts";

/** Fields of every object, which need not be in its schema. */
const resourceFields = new Set(["apiVersion", "kind", "metadata"]);

/**
 * Checks the defaults in a structural schema: that they have no fields which would be dropped. Whether their values
 * fit the schema is for whoever checks custom resources.
 */
export function validateDefaults(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const value = schema.default;
  if (value !== undefined && value !== null && !isPruned(value, schema)) {
    errors.push(fieldErrors.invalid(path.child("default"), value, "must not have unknown fields"));
  }
  const items = itemSchema(schema);
  if (items) errors.push(...validateDefaults(items, path.child("items")));
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...validateDefaults(property, path.child("properties").key(name)));
  }
  return errors;
}

/** Whether a value has only fields that its schema names. */
function isPruned(value: JsonValue, schema: JSONSchemaProps): boolean {
  if (Array.isArray(value)) {
    const items = itemSchema(schema);
    return items === undefined || value.every((element: JsonValue) => isPruned(element, items));
  }
  if (typeof value !== "object" || value === null) return true;
  const { properties = {}, additionalProperties } = schema;
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true;
  return Object.entries(value as Readonly<Record<string, JsonValue>>).every(([name, inner]) => {
    if (schema["x-kubernetes-embedded-resource"] && resourceFields.has(name)) return true;
    const within = properties[name] ?? schemaIn(additionalProperties);
    if (within !== undefined) return isPruned(inner, within);
    return isOpen || additionalProperties === true;
  });
}
