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
  new LazyNode(schema ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true }, true);

/** What a node has below it. */
type Children = Pick<
  SchemaNode,
  "properties" | "values" | "items" | "allOf" | "anyOf" | "oneOf" | "not" | "pattern"
>;

/** What is somewhere in it. */
type Contents = Pick<SchemaNode, "hasDefaults" | "hasEmbedded" | "hasUniqueLists">;

/** Prepared as far as values are looked at: of thousands of definitions few have objects. */
class LazyNode implements SchemaNode {
  readonly schema: JSONSchemaProps;
  readonly isResource: boolean;
  readonly preservesUnknown: boolean;
  readonly nullable: boolean;
  readonly types: readonly string[];
  readonly format: string;
  readonly hasLengths: boolean;
  readonly hasBranches: boolean;
  readonly hasValues: boolean;
  readonly isEmbedded: boolean;
  #children: Children | undefined;
  #contents: Contents | undefined;

  constructor(schema: JSONSchemaProps, isRoot = false) {
    const { additionalProperties, format } = schema;
    this.schema = schema;
    this.isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
    this.isResource = isRoot || this.isEmbedded;
    this.preservesUnknown = schema["x-kubernetes-preserve-unknown-fields"] === true;
    this.nullable = schema.nullable === true;
    this.types = typesOf(schema);
    this.format = format !== undefined && isKnownFormat(format) ? format : "";
    this.hasLengths = schema.maxLength !== undefined || schema.minLength !== undefined;
    this.hasBranches =
      schema.not !== undefined ||
      [schema.allOf, schema.anyOf, schema.oneOf].some(
        (schemas) => schemas !== undefined && schemas.length > 0,
      );
    this.hasValues = additionalProperties !== undefined && additionalProperties !== false;
  }

  get #made() {
    return (this.#children ??= childrenOf(this.schema));
  }

  get properties() {
    return this.#made.properties;
  }

  get values() {
    return this.#made.values;
  }

  get items() {
    return this.#made.items;
  }

  get allOf() {
    return this.#made.allOf;
  }

  get anyOf() {
    return this.#made.anyOf;
  }

  get oneOf() {
    return this.#made.oneOf;
  }

  get not() {
    return this.#made.not;
  }

  get pattern() {
    return this.#made.pattern;
  }

  get hasDefaults(): boolean {
    return (this.#contents ??= contentsOf(this)).hasDefaults;
  }

  get hasEmbedded(): boolean {
    return (this.#contents ??= contentsOf(this)).hasEmbedded;
  }

  get hasUniqueLists(): boolean {
    return (this.#contents ??= contentsOf(this)).hasUniqueLists;
  }
}

const none: readonly SchemaNode[] = [];
const noProperties: ReadonlyMap<string, SchemaNode> = new Map();

function childrenOf(schema: JSONSchemaProps): Children {
  const { items, additionalProperties, properties } = schema;
  const all = (schemas: readonly JSONSchemaProps[] | undefined) =>
    schemas?.length ? schemas.map((each) => new LazyNode(each)) : none;
  return {
    properties: properties
      ? new Map(Object.entries(properties).map(([name, property]) => [name, new LazyNode(property)]))
      : noProperties,
    values: typeof additionalProperties === "object" ? new LazyNode(additionalProperties) : undefined,
    items: items === undefined || isList(items) ? undefined : new LazyNode(items),
    allOf: all(schema.allOf),
    anyOf: all(schema.anyOf),
    oneOf: all(schema.oneOf),
    not: schema.not && new LazyNode(schema.not),
    pattern: schema.pattern ? new Regex(schema.pattern) : undefined,
  };
}

function contentsOf({ schema, isEmbedded, properties, values, items }: SchemaNode): Contents {
  const within = [...properties.values(), values, items];
  return {
    hasDefaults: isPresent(schema.default) || within.some((node) => node?.hasDefaults === true),
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
