import type { FieldFacts } from "../facts.ts";
import { protoMessageOf, type ProtoMessage } from "./proto.ts";
import type { FactsStructSource } from "./resolver.ts";
import type { Field, StructType, Type } from "./types.ts";

/** A struct of the facts; fields and protobuf layout are computed on first use. */
export class FactsStruct implements StructType {
  readonly kind = "struct";
  readonly preserveUnknown = false;
  readonly name: string;
  readonly structType: "granular" | "atomic";
  readonly #source: FactsStructSource;
  #fields: readonly Field[] | undefined;
  #byName: ReadonlyMap<string, Field> | undefined;
  #proto: ProtoMessage | undefined;

  constructor(source: FactsStructSource) {
    this.#source = source;
    this.name = `${source.packageName}.${source.typeName}`;
    this.structType = source.structType;
  }

  get fields(): readonly Field[] {
    this.#fields ??= flatten(this.#source);
    return this.#fields;
  }

  field(name: string): Field | undefined {
    this.#byName ??= new Map(this.fields.map((field) => [field.name, field]));
    return this.#byName.get(name);
  }

  /** Layout on the wire; undefined when the type has no protobuf form. */
  get proto(): ProtoMessage | undefined {
    if (this.#source.facts.noProto === 1) return undefined;
    this.#proto ??= protoMessageOf(this.#source);
    return this.#proto;
  }
}

/** The protobuf layout of a built-in type; undefined for custom resources and types of JSON only. */
export function protoOf(type: StructType): ProtoMessage | undefined {
  return type instanceof FactsStruct ? type.proto : undefined;
}

/** Scalars that are structs in Go: omitempty never leaves them out. */
const structScalars: ReadonlySet<Type["kind"]> = new Set([
  "quantity",
  "time",
  "microTime",
  "duration",
  "intOrString",
  "raw",
  "fieldsV1",
]);

function flatten(source: FactsStructSource): readonly Field[] {
  const { registry, packageName, facts } = source;
  const fields: Field[] = [];
  for (const field of facts.f ?? []) {
    if (field.in === 1) {
      // The name of the inlined struct may be an alias for one of another version.
      const inlined = registry.resolve(field.t, packageName);
      if (inlined.kind === "struct") fields.push(...inlined.fields);
    } else if (field.j !== undefined && field.j !== "" && field.j !== "-") {
      fields.push(toField(source, field, field.j));
    }
  }
  return fields;
}

function toField(source: FactsStructSource, facts: FieldFacts, name: string): Field {
  const type = source.registry.resolve(facts.t, source.packageName, {
    listType: facts.lt,
    mapKeys: facts.lk,
    mapType: facts.mt,
    structType: facts.st,
  });
  const pointer = facts.t.startsWith("*");
  const structInGo = !pointer && isStructInGo(type);
  const optional = facts.o === 1 || facts.oe === 1 || facts.oz === 1;
  return {
    name,
    type,
    required: facts.r === 1 || !optional,
    omitEmpty: facts.oz === 1 || (facts.oe === 1 && !structInGo),
    ...(facts.ke === 1 ? { keepsEmpty: true as const } : {}),
    pointer,
    ...(facts.d === undefined ? {} : { default: facts.d }),
    patchStrategy: facts.ps === undefined ? [] : (facts.ps.split(",") as Field["patchStrategy"][number][]),
    ...(facts.pk === undefined ? {} : { patchMergeKey: facts.pk }),
  };
}

function isStructInGo(type: Type): boolean {
  if (type.kind === "struct" || structScalars.has(type.kind)) return true;
  // apiextensions' JSON and its alternatives are named; `interface{}` is not.
  return type.kind === "json" && type.name !== undefined;
}
