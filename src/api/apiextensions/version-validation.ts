import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
  SelectableField,
} from "../types/apiextensions-v1.ts";
import { validateDefaults } from "./default-validation.ts";
import { schemaFields, shownSchema } from "./internal-spec.ts";
import { validateExpressions } from "./rule-validation.ts";
import type { SchemaRules } from "./schema-validation.ts";
import { validateSchema } from "./schema-validation.ts";
import { anySchema, followPath } from "./schema-walk.ts";
import { structureProblem, validateStructure } from "./structural.ts";

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const mostSelectableFields = 8;
const longestWarning = 256;

/** What is asked of definitions: what was there before a rule came may go on. */
export interface DefinitionRules extends Pick<SchemaRules, "validTypes" | "atomicSets" | "listKeys"> {
  readonly structural: boolean;
  /** Defaults may have fields that are dropped. */
  readonly unknownInDefaults: boolean;
  /** Versions whose schemas an update leaves as they are: their rules may cost what they did. */
  readonly unchanged?: ReadonlySet<string>;
}

/** Checks what stands with one version. */
export function validateVersion(
  version: CustomResourceDefinitionVersion,
  path: FieldPath,
  options: { readonly rules: DefinitionRules; readonly hasStatus: boolean },
): FieldError[] {
  const { deprecated, deprecationWarning, schema } = version;
  const warningPath = path.child("deprecationWarning");
  const errors = warningProblems(deprecated === true, deprecationWarning).map((problem) =>
    fieldErrors.invalid(warningPath, deprecationWarning, problem),
  );
  const schemaPath = path.child("schema");
  const unchanged = options.rules.unchanged?.has(version.name) ?? false;
  errors.push(...validateRootSchema(schema?.openAPIV3Schema, schemaPath, { ...options, unchanged }));
  errors.push(...validateSubresources(version.subresources, path.child("subresources")));
  errors.push(...validateColumns(version.additionalPrinterColumns, path.child("additionalPrinterColumns")));
  const missing = "selectableFields may only be set when version.schema.openAPIV3Schema is not included";
  return [
    ...errors,
    ...validateSelectableFields(version.selectableFields, path.child("selectableFields"), {
      schema: schema?.openAPIV3Schema,
      missing,
    }),
  ];
}

function warningProblems(deprecated: boolean, warning: string | undefined): readonly string[] {
  if (warning === undefined) return [];
  if (!deprecated) return ["can only be set for deprecated versions"];
  const problems: string[] = [];
  if (warning.length > longestWarning) problems.push("must be <= 256 characters long");
  if (warning === "") problems.push("must not be an empty string");
  const hidden = warning.search(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  if (hidden >= 0) {
    problems.push(
      `must only contain printable UTF-8 characters; non-printable character found at index ${hidden}`,
    );
  }
  return problems;
}

/** Fields of a root schema that say nothing of how status goes with the rest. */
const rootFields =
  "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations";

/** Checks a whole schema: what status allows at its root, its structure, its defaults, and everything within it. */
export function validateRootSchema(
  schema: JSONSchemaProps | undefined,
  path: FieldPath,
  options: {
    readonly rules: DefinitionRules;
    readonly hasStatus: boolean;
    /** An update leaves it as it is. */
    readonly unchanged: boolean;
  },
): FieldError[] {
  if (schema === undefined) return [];
  const { rules, hasStatus, unchanged } = options;
  const at = path.child("openAPIV3Schema");
  const errors = hasStatus ? validateStatusRoot(schema, at) : [];
  if (schema.nullable) {
    errors.push(fieldErrors.forbidden(at.child("nullable"), "nullable cannot be true at the root"));
  }
  const problem = rules.structural ? structureProblem(schema) : undefined;
  const structure =
    rules.structural && problem === undefined ? validateForm(schema, at, rules.unknownInDefaults) : undefined;
  errors.push(...(structure ?? []));
  const within = validateSchema(schema, at, { ...rules, isRoot: true });
  errors.push(...within);
  if (structure?.length === 0) {
    errors.push(...validateExpressions(schema, at, { schemaErrors: within, unchanged }));
  }
  return errors.length === 0 && problem !== undefined ? [fieldErrors.invalid(at, "", problem)] : errors;
}

function validateForm(
  schema: JSONSchemaProps,
  path: FieldPath,
  mayHaveUnknown: boolean,
): readonly FieldError[] {
  const structure = validateStructure(schema, path);
  return structure.length === 0 ? validateDefaults(schema, path, { mayHaveUnknown }) : structure;
}

function validateStatusRoot(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const allowed = rootFields.split(" ");
  for (const [name, field, zero] of schemaFields) {
    const value = schema[field];
    if (value === undefined || value === null || value === zero) continue;
    if (name === "Type") {
      if (value === "object") continue;
      const why =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      return [fieldErrors.invalid(path.child("type"), value, why)];
    }
    if (allowed.includes(name)) continue;
    const why = `only [${rootFields}] fields are allowed at the root of the schema if the status subresource is enabled`;
    return [fieldErrors.invalid(path, shownSchema(schema), why)];
  }
  return [];
}

/** Checks where the scale subresource finds its numbers. */
export function validateSubresources(
  subresources: CustomResourceSubresources | undefined,
  path: FieldPath,
): FieldError[] {
  const { scale } = subresources ?? {};
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  const checkPath = (field: keyof typeof scale, prefixes: readonly string[], where: string) => {
    const at = path.child("scale", field);
    const value = scale[field];
    if (!value) {
      if (field !== "labelSelectorPath") errors.push(fieldErrors.required(at));
      return;
    }
    const problem = pathProblem(value);
    const misplaced = prefixes.every((prefix) => !value.startsWith(prefix));
    if (problem !== undefined) errors.push(fieldErrors.invalid(at, value, problem));
    else if (misplaced) errors.push(fieldErrors.invalid(at, value, `should be a json path under ${where}`));
  };
  checkPath("specReplicasPath", [".spec."], ".spec");
  checkPath("statusReplicasPath", [".status."], ".status");
  checkPath("labelSelectorPath", [".spec.", ".status."], "either .spec or .status");
  return errors;
}

const pathProblem = (path: string) =>
  path.startsWith(".") ? undefined : "must be a simple json path starting with .";

/** Checks columns of tables. */
export function validateColumns(
  columns: readonly CustomResourceColumnDefinition[] | undefined,
  path: FieldPath,
): FieldError[] {
  return (columns ?? []).flatMap((column, index) => validateColumn(column, path.index(index)));
}

function validateColumn(column: CustomResourceColumnDefinition, path: FieldPath): FieldError[] {
  const { name, type, format, jsonPath } = column;
  const errors = name ? [] : [fieldErrors.required(path.child("name"))];
  const types = `must be one of ${columnTypes.join(",")}`;
  if (!type) errors.push(fieldErrors.required(path.child("type"), types));
  else if (!columnTypes.includes(type)) errors.push(fieldErrors.invalid(path.child("type"), type, types));
  if (format && !columnFormats.includes(format)) {
    const why = `must be one of ${columnFormats.join(",")}`;
    errors.push(fieldErrors.invalid(path.child("format"), format, why));
  }
  const at = path.child("JSONPath");
  if (!jsonPath) return [...errors, fieldErrors.required(at)];
  const problem = pathProblem(jsonPath);
  return problem === undefined ? errors : [...errors, fieldErrors.invalid(at, jsonPath, problem)];
}

/** Checks fields that selectors may name. */
export function validateSelectableFields(
  fields: readonly SelectableField[] | undefined,
  path: FieldPath,
  context: { readonly schema: JSONSchemaProps | undefined; readonly missing: string },
): FieldError[] {
  if (!fields?.length) return [];
  const { schema, missing } = context;
  if (schema === undefined) return [fieldErrors.invalid(path, "", missing)];
  const seen = new Set<string>();
  const errors = fields.flatMap(({ jsonPath }, index) => {
    const at = path.index(index).child("jsonPath");
    if (!jsonPath) return [fieldErrors.required(at)];
    const found = followPath(jsonPath, schema, { keys: false });
    if ("problem" in found) {
      return [fieldErrors.invalid(at, jsonPath, `is an invalid path: ${found.problem}`)];
    }
    const wrong: FieldError[] = [];
    if (found.names[0] === "metadata") {
      wrong.push(fieldErrors.invalid(at, jsonPath, "must not point to fields in metadata"));
    }
    if (!["string", "boolean", "integer"].includes(found.schema?.type ?? "")) {
      const why =
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      wrong.push(fieldErrors.invalid(at, jsonPath, why));
    }
    const name = found.names.join(".");
    if (seen.has(name)) wrong.push(fieldErrors.duplicate(at, jsonPath));
    seen.add(name);
    return wrong;
  });
  return seen.size > mostSelectableFields
    ? [...errors, fieldErrors.tooMany(path, seen.size, mostSelectableFields)]
    : errors;
}

/** Formats of texts that checks of custom resources know, without their dashes. */
const knownFormats = new Set(
  (
    "bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn " +
    "hexcolor rgbcolor byte password date duration datetime k8sshortname k8slongname"
  ).split(" "),
);

/** Formats of texts in schemas that nothing checks. */
export function unknownFormats(versions: readonly CustomResourceDefinitionVersion[]): readonly string[] {
  const found = new Set<string>();
  for (const { schema } of versions) {
    anySchema(schema?.openAPIV3Schema, ({ type, format }) => {
      if (type === "string" && format && !knownFormats.has(format.replaceAll("-", ""))) found.add(format);
      return false;
    });
  }
  return [...found];
}
