import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { isConfigMapKey } from "../../apimachinery/index.ts";
import { defineResource } from "../definition.ts";
import { ConfigMap } from "../types/core-v1.ts";
import { base64Length, maximumDataBytes, textLength } from "./data.ts";

/** How upstream names the object itself. */
const wholePath = FieldPath.root("[]");

/** The rules of config maps. */
export const configMapDefinition = defineResource<ConfigMap>({
  resource: ConfigMap,
  repeatedMetadataChecks: ["change", "whole"],
  validate,
  validateUpdate,
  updateErrorsFirst: true,
  columns: [
    nameColumn,
    column("Data", "How many entries the object holds", {
      value: (configMap) =>
        Object.keys(configMap.data ?? {}).length + Object.keys(configMap.binaryData ?? {}).length,
    }),
    ageColumn,
  ],
});

function validate(configMap: ConfigMap): readonly FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  const data = FieldPath.root("data");
  for (const [key, value] of Object.entries(configMap.data ?? {})) {
    errors.push(...invalidFor(data.key(key), key, isConfigMapKey(key)));
    if (configMap.binaryData?.[key] !== undefined) {
      errors.push(fieldErrors.invalid(data.key(key), key, "duplicate of key present in binaryData"));
    }
    size += textLength(value);
  }
  const binary = FieldPath.root("binaryData");
  for (const [key, value] of Object.entries(configMap.binaryData ?? {})) {
    errors.push(...invalidFor(binary.key(key), key, isConfigMapKey(key)));
    size += base64Length(value);
  }
  if (size > maximumDataBytes) errors.push(fieldErrors.tooLong(wholePath, maximumDataBytes));
  return errors;
}

function validateUpdate(configMap: ConfigMap, old: ConfigMap): readonly FieldError[] {
  if (old.immutable !== true) return [];
  const why = "field is immutable when `immutable` is set";
  const errors: FieldError[] = [];
  if (configMap.immutable !== true) errors.push(fieldErrors.forbidden(FieldPath.root("immutable"), why));
  if (!semanticallyEqual(configMap.data, old.data))
    errors.push(fieldErrors.forbidden(FieldPath.root("data"), why));
  if (!semanticallyEqual(configMap.binaryData, old.binaryData)) {
    errors.push(fieldErrors.forbidden(FieldPath.root("binaryData"), why));
  }
  return errors;
}
