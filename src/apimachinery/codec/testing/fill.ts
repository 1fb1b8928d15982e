import { apiVersionOf } from "../../resource.ts";
import { protoOf, SchemaAlternative, type SchemaRegistry } from "../../schema/index.ts";
import type { ScalarType, StructType, Type } from "../../schema/types.ts";

/** Recursive types are filled to this depth. */
const fillDepth = 7;
/** Lists and maps are given a second element to this depth; deeper they would multiply. */
const secondDepth = 1;

/** Lists begin at this depth: what their items hold is filled where they stand alone. */
const listDepth = 4;

/** An object of a type with a value, not the zero value, in every field; the same for the same type. */
export function fill(type: StructType): object {
  return new Filler(type).struct(type, isList(type) ? listDepth : 0);
}

/** Whether a kind is the list of another. */
export const isList = (type: StructType): boolean =>
  type.name.endsWith("List") && type.field("items") !== undefined;

/** A kind in one version. */
interface KindOfSchema {
  readonly apiVersion: string;
  readonly kind: string;
  readonly type: StructType;
}

/** Every kind of every version, lists too. */
export function allKinds(schemas: SchemaRegistry): readonly KindOfSchema[] {
  const kinds: KindOfSchema[] = [];
  for (const { typeName: kind, groupVersion } of schemas.models()) {
    if (groupVersion.group === "meta.k8s.io" && kind === "InternalEvent") continue;
    const type = schemas.typeOf({ group: groupVersion.group, version: groupVersion.version, kind });
    if (type?.field("kind") !== undefined) kinds.push({ apiVersion: apiVersionOf(groupVersion), kind, type });
  }
  return kinds;
}

class Filler {
  readonly #root: StructType;
  #count = 0;

  constructor(root: StructType) {
    this.#root = root;
  }

  struct(type: StructType, depth: number): object {
    const wire = new Set(protoOf(type)?.fields.map((field) => field.json));
    // Nested kinds have their kind and version in JSON only.
    const isLost = (name: string) =>
      type !== this.#root && wire.size > 0 && !wire.has(name) && (name === "kind" || name === "apiVersion");
    const entries = type.fields
      .filter((field) => !isLost(field.name))
      .filter((field) => depth < fillDepth || !field.omitEmpty)
      .map((field) => [field.name, this.#value(field.type, depth + 1)] as const);
    return Object.fromEntries(entries);
  }

  #value(type: Type, depth: number): unknown {
    switch (type.kind) {
      case "struct":
        return this.struct(type, depth);
      case "list":
        if (depth > fillDepth) return null;
        return this.#keys(depth).map(() => this.#value(type.element, depth + 1));
      case "map":
        return Object.fromEntries(this.#keys(depth).map((key) => [key, this.#value(type.value, depth + 1)]));
      default:
        return this.#scalar(type, depth);
    }
  }

  #keys(depth: number): readonly string[] {
    return depth <= secondDepth ? ["a", "é/b"] : ["é/b"];
  }

  #scalar(type: ScalarType, depth: number): unknown {
    const count = ++this.#count;
    if (type instanceof SchemaAlternative) return this.#alternative(type, { depth, count });
    switch (type.kind) {
      case "string":
        return count % 5 === 0 ? `héllo-${"x".repeat(60)}-${count}` : `text-${count}`;
      case "boolean":
        return true;
      case "int32":
        return count % 3 === 0 ? -count : count;
      case "int64":
        return count % 3 === 0 ? -(2 ** 40) - count : 2 ** 45 + count;
      case "uint64":
        return 2 ** 50 + count;
      case "float64":
        return count + 0.25;
      case "bytes":
        return btoa(`bytes ${count}`);
      case "quantity":
        return `${count}Mi`;
      case "time":
        return new Date(1_700_000_000_000 + count * 1000).toISOString().replace(".000", "");
      case "microTime":
        return new Date(1_700_000_000_000 + count * 1000).toISOString().replace(".000", ".012345");
      case "duration":
        return `${count + 1}h0m1.5s`;
      case "intOrString":
        return count % 2 === 0 ? count : `port-${count}`;
      case "raw":
      case "fieldsV1":
        return { "f:a": { count } };
      case "json":
        return [count, "a", { b: null }];
    }
  }

  #alternative(type: SchemaAlternative, at: { depth: number; count: number }): unknown {
    if (at.depth < fillDepth - 1 && at.count % 2 === 0) return this.struct(type.schema, fillDepth - 1);
    if (type.form === "boolean") return true;
    return type.form === "strings" ? ["a", "b"] : [this.struct(type.schema, fillDepth)];
  }
}
