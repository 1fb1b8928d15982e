import type { TypeFacts } from "../facts.ts";
import { splitName, type FactsStructSource } from "./resolver.ts";
import type { ScalarType, StructType } from "./types.ts";
import { SchemaAlternative } from "./special-types.ts";

/** How a struct lies on the wire: inlined structs are nested messages there. */
export interface ProtoMessage {
  /** In order of number, as upstream writes them. */
  readonly fields: readonly WireField[];
  readonly byNumber: ReadonlyMap<number, WireField>;
}

export interface WireField {
  readonly number: number;
  /** JSON name; undefined for an inlined struct, whose fields lie in the same JSON object. */
  readonly json: string | undefined;
  readonly value: ProtoValue;
  readonly cardinality: "single" | "repeated" | "map";
  /** Whether it is absent on the wire when absent in JSON; other single fields are always written. */
  readonly pointer: boolean;
  /** Whether JSON leaves the zero value out. */
  readonly omitEmpty: boolean;
}

export type ProtoValue =
  | { readonly kind: "scalar"; readonly type: ScalarType }
  | { readonly kind: "message"; readonly type: StructType }
  /** A list that is a message with `items = 1`. */
  | { readonly kind: "items"; readonly element: ProtoValue }
  | { readonly kind: "alternative"; readonly type: SchemaAlternative };

export function protoMessageOf(source: FactsStructSource): ProtoMessage {
  const { registry, packageName, facts } = source;
  const self = registry.struct(packageName, source.typeName, source.structType);
  const fields: WireField[] = [];
  for (const field of facts.f ?? []) {
    if (field.p === undefined) continue;
    const json = field.in === 1 ? undefined : field.j;
    const shape = shapeOf(source, field.t);
    const pointer = field.t.startsWith("*");
    const omitEmpty = json === undefined ? true : (self.field(json)?.omitEmpty ?? true);
    fields.push({ number: field.p, json, ...shape, pointer, omitEmpty });
  }
  fields.sort((a, b) => a.number - b.number);
  return { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
}

type Shape = Pick<WireField, "value" | "cardinality">;

function shapeOf(source: FactsStructSource, go: string): Shape {
  const { registry, packageName } = source;
  if (go.startsWith("*")) return shapeOf(source, go.slice(1));
  if (go !== "[]byte" && go.startsWith("[]"))
    return { cardinality: "repeated", value: shapeOf(source, go.slice(2)).value };
  if (go.startsWith("map[")) {
    const value = go.slice(go.indexOf("]") + 1);
    return { cardinality: "map", value: shapeOf(source, value).value };
  }
  const named = namedType(source, go);
  if (named !== undefined && named.facts.k !== "struct" && named.facts.t !== undefined) {
    const beneath = shapeOf({ ...source, packageName: named.packageName }, named.facts.t);
    if (named.facts.proto?.[0]?.[0] === "items" && beneath.cardinality === "repeated")
      return { cardinality: "single", value: { kind: "items", element: beneath.value } };
    return beneath;
  }
  const type = registry.resolve(go, packageName);
  if (type.kind === "struct") return { cardinality: "single", value: { kind: "message", type } };
  if (type instanceof SchemaAlternative)
    return { cardinality: "single", value: { kind: "alternative", type } };
  return { cardinality: "single", value: { kind: "scalar", type: type as ScalarType } };
}

function namedType(
  source: FactsStructSource,
  go: string,
): { readonly packageName: string; readonly facts: TypeFacts } | undefined {
  const [packageName, typeName] = splitName(go.startsWith(".") ? source.packageName + go : go);
  const facts = source.registry.factsOf(`${packageName}.${typeName}`);
  return facts === undefined ? undefined : { packageName, facts };
}
