import type { JSONSchemaProps } from "../../types/apiextensions-v1.ts";
import { Regex } from "../../../cel/index.ts";

/** A structural schema, prepared once: what walks values looks nothing up in it twice. */
export interface SchemaNode {
  readonly schema: JSONSchemaProps;
  /** Whether its values are objects of the API: the root is, and embedded resources are. */
  readonly isResource: boolean;
  readonly preservesUnknown: boolean;
  readonly nullable: boolean;
  /** The types that values may have; none where any will do. */
  readonly types: readonly string[];
  readonly properties: ReadonlyMap<string, SchemaNode>;
  /** The schema of values whose names are no properties. */
  readonly values: SchemaNode | undefined;
  /** Names that are no properties are known: there is a schema for their values, or none is needed. */
  readonly hasValues: boolean;
  readonly items: SchemaNode | undefined;
  readonly allOf: readonly SchemaNode[];
  readonly anyOf: readonly SchemaNode[];
  readonly oneOf: readonly SchemaNode[];
  readonly not: SchemaNode | undefined;
  readonly pattern: Regex | undefined;
  /** Whether there is a default in it, or within it. */
  readonly hasDefaults: boolean;
}

/** Prepares the schema of whole objects. Definitions without one keep everything. */
export const prepareSchema = (schema: JSONSchemaProps | undefined): SchemaNode =>
  prepare(schema ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true }, true);

function prepare(schema: JSONSchemaProps, isRoot = false): SchemaNode {
  const { items, additionalProperties } = schema;
  const properties = new Map(
    Object.entries(schema.properties ?? {}).map(([name, property]) => [name, prepare(property)]),
  );
  const values = typeof additionalProperties === "object" ? prepare(additionalProperties) : undefined;
  const element = items === undefined || isList(items) ? undefined : prepare(items);
  const all = (schemas: readonly JSONSchemaProps[] = []) => schemas.map((each) => prepare(each));
  const within = [...properties.values(), values, element];
  return {
    schema,
    isResource: isRoot || schema["x-kubernetes-embedded-resource"] === true,
    preservesUnknown: schema["x-kubernetes-preserve-unknown-fields"] === true,
    nullable: schema.nullable === true,
    types: typesOf(schema),
    properties,
    values,
    hasValues: additionalProperties !== undefined && additionalProperties !== false,
    items: element,
    allOf: all(schema.allOf),
    anyOf: all(schema.anyOf),
    oneOf: all(schema.oneOf),
    not: schema.not && prepare(schema.not),
    pattern: schema.pattern ? new Regex(schema.pattern) : undefined,
    hasDefaults: isPresent(schema.default) || within.some((node) => node?.hasDefaults === true),
  };
}

const isPresent = (value: unknown): boolean => value !== undefined && value !== null;

const isList = (items: JSONSchemaProps | readonly JSONSchemaProps[]): items is readonly JSONSchemaProps[] =>
  Array.isArray(items);

function typesOf(schema: JSONSchemaProps): readonly string[] {
  if (schema["x-kubernetes-int-or-string"]) return ["integer", "string"];
  return schema.type ? [schema.type] : [];
}

/** The schema of what an object has under a name; undefined where nothing is said of it. */
export const nodeOf = (node: SchemaNode, name: string): SchemaNode | undefined =>
  node.properties.get(name) ?? node.values;
