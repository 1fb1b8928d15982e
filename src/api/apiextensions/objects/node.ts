import type { JSONSchemaProps } from "../../types/apiextensions-v1.ts";
import { Regex } from "../../../cel/index.ts";
import { isKnownFormat } from "./formats.ts";

/** A structural schema, prepared once: what walks values looks nothing up in it twice. */
export interface SchemaNode {
  readonly schema: JSONSchemaProps;
  /** Whether its values are objects of the API: the root is, and embedded resources are. */
  readonly isResource: boolean;
  readonly preservesUnknown: boolean;
  readonly nullable: boolean;
  /** The types that values may have; none where any will do. */
  readonly types: readonly string[];
  /** The format that values have; empty where there is none that anything is known of. */
  readonly format: string;
  readonly hasLengths: boolean;
  /** Whether there are other schemas that values must, or must not, be as. */
  readonly hasBranches: boolean;
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
  /** Whether its values are objects of the API that stand within others. */
  readonly isEmbedded: boolean;
  /** Whether it, or what is within it, is embedded. */
  readonly hasEmbedded: boolean;
  /** Whether it, or what is within it, is a list in which nothing may be twice. */
  readonly hasUniqueLists: boolean;
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
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  return {
    schema,
    isResource: isRoot || isEmbedded,
    preservesUnknown: schema["x-kubernetes-preserve-unknown-fields"] === true,
    nullable: schema.nullable === true,
    types: typesOf(schema),
    format: schema.format !== undefined && isKnownFormat(schema.format) ? schema.format : "",
    hasLengths: schema.maxLength !== undefined || schema.minLength !== undefined,
    hasBranches:
      schema.not !== undefined ||
      [schema.allOf, schema.anyOf, schema.oneOf].some(
        (schemas) => schemas !== undefined && schemas.length > 0,
      ),
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
    isEmbedded,
    hasEmbedded: isEmbedded || within.some((node) => node?.hasEmbedded === true),
    hasUniqueLists: isUnique(schema) || within.some((node) => node?.hasUniqueLists === true),
  };
}

const isUnique = ({ "x-kubernetes-list-type": listType }: JSONSchemaProps) =>
  listType === "set" || listType === "map";

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

/** Whether what an object has under a name is a field of its own, not the value of a map. */
export const isNamed = (node: SchemaNode, name: string): boolean => node.properties.has(name);
