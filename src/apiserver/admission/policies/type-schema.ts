import type { JsonObject, ScalarKind, StructType, Type } from "../../../apimachinery/index.ts";
import { schemas } from "../../../api/index.ts";
import type { ExpressionSchema } from "../../../cel/index.ts";
import type { ServedResource } from "../../registry/served.ts";

/** What expressions see of objects of a resource: of custom ones what their schema says. */
export function expressionSchemaOf({ type, custom, openApiSchema }: ServedResource): ExpressionSchema {
  if (!custom) return structSchema(type, new Set());
  if (!openApiSchema) return { type: "object" };
  const { properties, ...rest } = openApiSchema as ExpressionSchema & JsonObject;
  return { ...rest, properties: { ...properties, ...objectFields() } };
}

const text: ExpressionSchema = { type: "string" };

function objectFields(): Readonly<Record<string, ExpressionSchema>> {
  const meta = schemas.model("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")?.type;
  return {
    apiVersion: text,
    kind: text,
    ...(meta?.kind === "struct" ? { metadata: structSchema(meta, new Set()) } : {}),
  };
}

/** A struct that is within itself is shown without its fields there. */
function structSchema(type: StructType, around: Set<string>): ExpressionSchema {
  if (around.has(type.name)) return { type: "object" };
  around.add(type.name);
  const fields = type.fields.map((field) => [field.name, schemaOf(field.type, around)] as const);
  around.delete(type.name);
  return { type: "object", properties: Object.fromEntries(fields) };
}

/** As upstream's definitions have it; those without a type, as of quantities, are not seen at all. */
const scalars: Readonly<Record<ScalarKind, ExpressionSchema>> = {
  string: text,
  duration: text,
  boolean: { type: "boolean" },
  int32: { type: "integer" },
  int64: { type: "integer" },
  uint64: { type: "integer" },
  float64: { type: "number" },
  bytes: { type: "string", format: "byte" },
  time: { type: "string", format: "date-time" },
  microTime: { type: "string", format: "date-time" },
  intOrString: { "x-kubernetes-int-or-string": true },
  raw: { type: "object" },
  fieldsV1: { type: "object" },
  quantity: {},
  json: {},
};

function schemaOf(type: Type, around: Set<string>): ExpressionSchema {
  switch (type.kind) {
    case "struct":
      return structSchema(type, around);
    case "list":
      return { type: "array", items: schemaOf(type.element, around) };
    case "map":
      return { type: "object", additionalProperties: schemaOf(type.value, around) };
    default:
      return scalars[type.kind];
  }
}
