import { nilList } from "../../apimachinery/index.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { internalValue } from "../common/internal-value.ts";
import type {
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from "../types/apiextensions-v1.ts";

const perVersion = ["schema", "subresources", "additionalPrinterColumns", "selectableFields"] as const;
type PerVersion = (typeof perVersion)[number];

/** A definition's spec as upstream checks it: what all versions have in common stands once, not with each. */
export interface InternalSpec extends CustomResourceDefinitionSpec {
  readonly common: Pick<CustomResourceDefinitionVersion, PerVersion>;
}

export function internalSpec(spec: CustomResourceDefinitionSpec): InternalSpec {
  const versions = spec.versions ?? noVersions;
  const [first] = versions;
  const shared = perVersion.filter((field) =>
    versions.every((version) => semanticallyEqual(version[field], first?.[field])),
  );
  const without = (version: CustomResourceDefinitionVersion) =>
    Object.fromEntries(
      Object.entries(version).filter(([field]) => !shared.includes(field as PerVersion)),
    ) as unknown as CustomResourceDefinitionVersion;
  const common = Object.fromEntries(
    shared.flatMap((field) => (first?.[field] === undefined ? [] : [[field, first[field]]])),
  );
  return { ...spec, versions: versions === noVersions ? noVersions : versions.map(without), common };
}

/** Those of a definition without the list, which messages tell from an empty one. */
const noVersions: readonly CustomResourceDefinitionVersion[] = [];

/** Versions as messages show them. */
export function shownVersions(versions: readonly CustomResourceDefinitionVersion[]): unknown {
  if (versions === noVersions) return nilList;
  const type = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion";
  return versions.map(({ schema, ...version }) => ({
    ...(internalValue(version, type) as object),
    Schema:
      schema === undefined
        ? null
        : { OpenAPIV3Schema: schema.openAPIV3Schema ? shownSchema(schema.openAPIV3Schema) : null },
  }));
}

type Show = (value: never) => unknown;
const showSchemas: Show = (schemas: readonly JSONSchemaProps[]) => schemas.map(shownSchema);
const showMap: Show = (map: Readonly<Record<string, JSONSchemaProps>>) =>
  Object.fromEntries(
    Object.keys(map)
      .sort()
      .flatMap((key) => (map[key] === undefined ? [] : [[key, shownSchema(map[key])]])),
  );
const showEither: Show = (value: JSONSchemaProps | boolean) =>
  typeof value === "boolean" ? { Allows: value, Schema: null } : { Allows: true, Schema: shownSchema(value) };
const showItems: Show = (value: JSONSchemaProps | readonly JSONSchemaProps[]) =>
  isSchemas(value)
    ? { Schema: null, JSONSchemas: value.map(shownSchema) }
    : { Schema: shownSchema(value), JSONSchemas: null };
const showDependencies: Show = (map: Readonly<Record<string, JSONSchemaProps | readonly string[]>>) =>
  Object.fromEntries(
    Object.entries(map).map(([key, value]) => [
      key,
      isTexts(value) ? { Schema: null, Property: value } : { Schema: shownSchema(value), Property: null },
    ]),
  );
const showRules: Show = (rules: readonly object[]) =>
  rules.map((rule) =>
    internalValue(rule, "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule"),
  );

const isSchemas = (
  value: JSONSchemaProps | readonly JSONSchemaProps[],
): value is readonly JSONSchemaProps[] => Array.isArray(value);
const isTexts = (value: JSONSchemaProps | readonly string[]): value is readonly string[] =>
  Array.isArray(value);

/** Fields of a schema in the server's own order: name there, name in JSON, what stands for absence, how it is shown. */
export const schemaFields: readonly (readonly [
  name: string,
  field: keyof JSONSchemaProps,
  zero: unknown,
  show?: Show,
])[] = [
  ["ID", "id", ""],
  ["Schema", "$schema", ""],
  ["Ref", "$ref", null],
  ["Description", "description", ""],
  ["Type", "type", ""],
  ["Nullable", "nullable", false],
  ["Format", "format", ""],
  ["Title", "title", ""],
  ["Default", "default", null],
  ["Maximum", "maximum", null],
  ["ExclusiveMaximum", "exclusiveMaximum", false],
  ["Minimum", "minimum", null],
  ["ExclusiveMinimum", "exclusiveMinimum", false],
  ["MaxLength", "maxLength", null],
  ["MinLength", "minLength", null],
  ["Pattern", "pattern", ""],
  ["MaxItems", "maxItems", null],
  ["MinItems", "minItems", null],
  ["UniqueItems", "uniqueItems", false],
  ["MultipleOf", "multipleOf", null],
  ["Enum", "enum", null],
  ["MaxProperties", "maxProperties", null],
  ["MinProperties", "minProperties", null],
  ["Required", "required", null],
  ["Items", "items", null, showItems],
  ["AllOf", "allOf", null, showSchemas],
  ["OneOf", "oneOf", null, showSchemas],
  ["AnyOf", "anyOf", null, showSchemas],
  ["Not", "not", null, shownSchema],
  ["Properties", "properties", null, showMap],
  ["AdditionalProperties", "additionalProperties", null, showEither],
  ["PatternProperties", "patternProperties", null, showMap],
  ["Dependencies", "dependencies", null, showDependencies],
  ["AdditionalItems", "additionalItems", null, showEither],
  ["Definitions", "definitions", null, showMap],
  ["ExternalDocs", "externalDocs", null],
  ["Example", "example", null],
  ["XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", null],
  ["XEmbeddedResource", "x-kubernetes-embedded-resource", false],
  ["XIntOrString", "x-kubernetes-int-or-string", false],
  ["XListMapKeys", "x-kubernetes-list-map-keys", null],
  ["XListType", "x-kubernetes-list-type", null],
  ["XMapType", "x-kubernetes-map-type", null],
  ["XValidations", "x-kubernetes-validations", null, showRules],
];

/** A schema as messages show it. */
export function shownSchema(schema: JSONSchemaProps): object {
  return Object.fromEntries(
    schemaFields.map(([name, field, zero, show]) => {
      const value = schema[field];
      if (value === undefined || value === null) return [name, zero];
      return [name, show ? show(value as never) : value];
    }),
  );
}
