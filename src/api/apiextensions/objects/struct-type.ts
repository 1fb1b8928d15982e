import type { Field, MapType, ScalarKind, StructType, Type } from "../../../apimachinery/index.ts";
import type { SchemaNode } from "./node.ts";

/** What has a structural schema, as server-side apply sees it. Fields are computed on first use. */
class SchemaStruct implements StructType {
  readonly kind = "struct";
  readonly name: string;
  readonly structType: "granular" | "atomic";
  readonly preserveUnknown: boolean;
  readonly #node: SchemaNode;
  readonly #metadata: StructType;
  #fields: ReadonlyMap<string, Field> | undefined;

  constructor(
    node: SchemaNode,
    { name, metadata }: { readonly name: string; readonly metadata: StructType },
  ) {
    this.#node = node;
    this.name = name;
    this.#metadata = metadata;
    this.structType = node.schema["x-kubernetes-map-type"] === "atomic" ? "atomic" : "granular";
    this.preserveUnknown = node.preservesUnknown;
  }

  get fields(): readonly Field[] {
    return [...this.#byName().values()];
  }

  field(name: string): Field | undefined {
    return this.#byName().get(name);
  }

  #byName(): ReadonlyMap<string, Field> {
    if (this.#fields) return this.#fields;
    const { properties, isResource } = this.#node;
    const fields = new Map<string, Field>();
    if (isResource) {
      fields.set("apiVersion", fieldOf("apiVersion", { kind: "string" }));
      fields.set("kind", fieldOf("kind", { kind: "string" }));
      fields.set("metadata", fieldOf("metadata", this.#metadata));
    }
    for (const [name, node] of properties) {
      if (isResource && fields.has(name)) continue;
      const type = typeOf(node, { name: `${this.name}.${name}`, metadata: this.#metadata });
      fields.set(name, fieldOf(name, type, node.schema.default));
    }
    return (this.#fields = fields);
  }
}

const fieldOf = (name: string, type: Type, standard?: unknown): Field => ({
  name,
  type,
  required: false,
  omitEmpty: true,
  pointer: true,
  patchStrategy: [],
  ...(standard === undefined || standard === null ? {} : { default: standard }),
});

const scalars: Readonly<Record<string, ScalarKind>> = {
  string: "string",
  integer: "int64",
  number: "float64",
  boolean: "boolean",
};

interface Within {
  readonly name: string;
  readonly metadata: StructType;
}

function typeOf(node: SchemaNode, within: Within): Type {
  const { schema } = node;
  if (schema["x-kubernetes-int-or-string"]) return { kind: "intOrString" };
  if (schema.type === "array") {
    const listType = schema["x-kubernetes-list-type"];
    return {
      kind: "list",
      element: node.items ? typeOf(node.items, within) : deduced,
      listType: listType === "set" || listType === "map" ? listType : "atomic",
      mapKeys: schema["x-kubernetes-list-map-keys"] ?? [],
    };
  }
  if (node.hasValues && node.properties.size === 0) {
    const isAtomic = schema["x-kubernetes-map-type"] === "atomic";
    const value = node.values ? typeOf(node.values, within) : deduced;
    return { kind: "map", value, mapType: isAtomic ? "atomic" : "granular" } satisfies MapType;
  }
  if (schema.type === "object") return new SchemaStruct(node, within);
  const scalar = schema.type === undefined ? undefined : scalars[schema.type];
  return scalar === undefined ? deduced : { kind: scalar };
}

/** Values of which nothing is known. */
const deduced: Type = { kind: "json" };

/** The type of a custom resource's objects, for server-side apply. */
export const structOf = (node: SchemaNode, within: Within): StructType => new SchemaStruct(node, within);
