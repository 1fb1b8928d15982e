import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isConfigMapKey } from "../../apimachinery/index.ts";
import { immutable, invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { fill, omit } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import { Secret } from "../types/core-v1.ts";
import { base64Length, fromBase64, maximumDataBytes, toBase64 } from "./data.ts";
import { misfit, readGoJson } from "./go-json.ts";
import { keyPairProblem } from "./key-pair.ts";

const serviceAccountAnnotation = "kubernetes.io/service-account.name";
/** The keys that secrets of these types must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
};

/** The rules of secrets: what `stringData` holds becomes data and is never stored as such. */
export const secretDefinition = defineResource<Secret>({
  resource: Secret,
  repeatedMetadataChecks: ["change", "whole"],
  defaults: (secret) => foldStringData(fill(secret, { type: "Opaque" })),
  validate,
  validateUpdate,
  updateErrorsFirst: true,
  warnings: secretWarnings,
  prepareForUpdate: (secret, old) => fill(secret, old.type === undefined ? {} : { type: old.type }),
  columns: [
    nameColumn,
    column("Type", "What the secret is for", { value: (secret) => secret.type ?? "" }),
    column("Data", "How many entries the secret holds", {
      value: (secret) => Object.keys(secret.data ?? {}).length,
    }),
    ageColumn,
  ],
  selectableFields: { type: (secret) => secret.type ?? "" },
});

/** Warns of a certificate and a key that no server could use. */
function secretWarnings({ type, data = {} }: Secret): readonly string[] {
  if (type !== "kubernetes.io/tls") return [];
  const text = (key: string) => fromBase64(data[key] ?? "") ?? "";
  const problem = keyPairProblem({ certificate: text("tls.crt"), key: text("tls.key") });
  return problem === undefined ? [] : [problem];
}

function foldStringData(secret: Secret): Secret {
  if (secret.stringData === undefined) return secret;
  const entries = Object.entries(secret.stringData).map(([key, value]) => [key, toBase64(value)] as const);
  const rest = omit(secret, "stringData");
  return entries.length === 0 ? rest : { ...rest, data: { ...secret.data, ...Object.fromEntries(entries) } };
}

function validate(secret: Secret): readonly FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("data");
  let size = 0;
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    errors.push(...invalidFor(path.key(key), key, isConfigMapKey(key)));
    size += base64Length(value);
  }
  if (size > maximumDataBytes) errors.push(fieldErrors.tooLong(path, maximumDataBytes));
  errors.push(...validateType(secret, path));
  return errors;
}

function validateType(secret: Secret, path: FieldPath): FieldError[] {
  const { type = "", data = {} } = secret;
  if (type === "kubernetes.io/service-account-token") {
    const annotation = FieldPath.root("metadata").child("annotations").key(serviceAccountAnnotation);
    return secret.metadata.annotations?.[serviceAccountAnnotation] ? [] : [fieldErrors.required(annotation)];
  }
  if (type === "kubernetes.io/basic-auth") {
    if (data["username"] !== undefined || data["password"] !== undefined) return [];
    return [fieldErrors.required(path.key("username")), fieldErrors.required(path.key("password"))];
  }
  if (type === "kubernetes.io/ssh-auth") {
    return data["ssh-privatekey"] ? [] : [fieldErrors.required(path.key("ssh-privatekey"))];
  }
  return (requiredKeys[type] ?? []).flatMap((key) => {
    const value = data[key];
    if (value === undefined) return [fieldErrors.required(path.key(key))];
    const problem = key.startsWith(".") ? mapProblem(value) : undefined;
    return problem === undefined
      ? []
      : [fieldErrors.invalid(path.key(key), "<secret contents redacted>", problem)];
  });
}

/** Why a value is no JSON object, as upstream's reader says it. */
function mapProblem(base64: string): string | undefined {
  const read = readGoJson(fromBase64(base64) ?? "");
  if ("problem" in read) return read.problem;
  const { value } = read;
  if (value === null || (typeof value === "object" && !Array.isArray(value))) return undefined;
  return misfit(value, "value of type map[string]interface {}");
}

function validateUpdate(secret: Secret, old: Secret): readonly FieldError[] {
  const errors: FieldError[] = [];
  errors.push(...immutable(FieldPath.root("type"), secret.type, old.type));
  if (old.immutable !== true) return errors;
  const why = "field is immutable when `immutable` is set";
  if (secret.immutable !== true) errors.push(fieldErrors.forbidden(FieldPath.root("immutable"), why));
  if (!semanticallyEqual(secret.data, old.data))
    errors.push(fieldErrors.forbidden(FieldPath.root("data"), why));
  return errors;
}
