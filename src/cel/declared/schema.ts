import { bytesType, durationType, dynType, stringType, timestampType } from "../check/types.ts";
import { KeyedList, elementsOf, type Value } from "../values/value.ts";
import {
  declaredBool,
  declaredDouble,
  declaredInt,
  declaredList,
  declaredMap,
  declaredObject,
  declaredText,
  type DeclaredField,
  type DeclaredType,
} from "./declared-type.ts";
import { escapedName } from "./names.ts";

/** What expressions see of a structural schema. */
export interface ExpressionSchema {
  readonly type?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, ExpressionSchema>>;
  readonly additionalProperties?: ExpressionSchema | boolean;
  readonly items?: ExpressionSchema | readonly ExpressionSchema[];
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-list-type"?: string;
}

/** What fits into a request between two quotes or brackets. */
const mostInRequest = 3 * 1024 * 1024 - 2;
const bytesOfCodePoint = 4;
/** Bytes around a value in an object beside its key: quotes, a colon, a comma. */
const aroundField = 4;
const aroundEntry = 6;
const formats = {
  duration: { type: durationType, least: 3, most: 32 },
  date: { type: timestampType, least: 12, most: 12 },
  "date-time": { type: timestampType, least: 21, most: 32 },
};

/**
 * The type of what a schema describes, named so; nothing if expressions cannot see it. Resources always have their
 * kind and name.
 */
export function declaredBySchema(
  schema: ExpressionSchema,
  { name, isResource }: { readonly name: string; readonly isResource: boolean },
): DeclaredType | undefined {
  if (schema["x-kubernetes-int-or-string"]) {
    return { type: dynType, mostElements: mostBytes(schema) ?? mostInRequest, leastSize: 1 };
  }
  switch (schema.type) {
    case "array":
      return declaredArray(schema, name);
    case "object":
      return declaredObjectOrMap(isResource ? withResourceFields(schema) : schema, name);
    case "string":
      return declaredString(schema);
    case "boolean":
      return declaredBool;
    case "number":
      return declaredDouble;
    case "integer":
      return declaredInt;
    default:
      return undefined;
  }
}

const mostBytes = ({ maxLength }: ExpressionSchema): number | undefined =>
  maxLength === undefined ? undefined : Math.max(0, maxLength) * bytesOfCodePoint;

const isEmbedded = (schema: ExpressionSchema): boolean => schema["x-kubernetes-embedded-resource"] === true;

const within = (schema: ExpressionSchema, name: string): DeclaredType | undefined =>
  declaredBySchema(schema, { name, isResource: isEmbedded(schema) });

function declaredArray(schema: ExpressionSchema, name: string): DeclaredType | undefined {
  const items = schema.items !== undefined && !isList(schema.items) ? schema.items : undefined;
  const element = items && within(items, `${name}.@idx`);
  if (!element) return undefined;
  const { maxItems } = schema;
  const most =
    maxItems === undefined ? Math.floor(mostInRequest / (element.leastSize + 1)) : Math.max(0, maxItems);
  const list = declaredList(element, most);
  const adapt = listAdapter(schema);
  return adapt ? { ...list, adapt } : list;
}

const isList = (
  items: ExpressionSchema | readonly ExpressionSchema[],
): items is readonly ExpressionSchema[] => Array.isArray(items);

/** Sets and lists with keys compare and add up as such. */
function listAdapter(schema: ExpressionSchema): ((raw: unknown) => Value) | undefined {
  const listKind = schema["x-kubernetes-list-type"];
  if (listKind !== "set" && listKind !== "map") return undefined;
  const keys = listKind === "map" ? (schema["x-kubernetes-list-map-keys"] ?? []) : undefined;
  return (raw) => {
    const elements = elementsOf(raw as Value);
    return elements ? new KeyedList(elements, keys) : (raw as Value);
  };
}

function declaredObjectOrMap(schema: ExpressionSchema, name: string): DeclaredType | undefined {
  const { additionalProperties, maxProperties } = schema;
  if (typeof additionalProperties === "object") {
    const element = within(additionalProperties, `${name}.@elem`);
    if (!element) return undefined;
    const fitting = Math.floor(mostInRequest / (element.leastSize + aroundEntry));
    const most = maxProperties === undefined ? fitting : Math.max(0, maxProperties);
    return declaredMap(declaredText(stringType, 0), element, most);
  }
  const fields = new Map<string, DeclaredField>();
  let leastSize = 2;
  for (const [property, inner] of Object.entries(schema.properties ?? {})) {
    const escaped = escapedName(property);
    const type = within(inner, `${name}.${escaped ?? property}`);
    if (!type) continue;
    if (escaped !== undefined) fields.set(escaped, { type, property });
    const isFilled = inner.default !== undefined && inner.default !== null;
    if (schema.required?.includes(property) && !isFilled) {
      leastSize += new TextEncoder().encode(property).length + type.leastSize + aroundField;
    }
  }
  return declaredObject(name, fields, leastSize);
}

const text: ExpressionSchema = { type: "string" };

/** Of the metadata only names are seen, unless the schema itself says more of them than that. */
function withResourceFields(schema: ExpressionSchema): ExpressionSchema {
  const { kind, apiVersion, metadata } = schema.properties ?? {};
  const names = metadata?.properties;
  const texts = [kind, apiVersion, names?.["name"], names?.["generateName"]];
  if (metadata?.type === "object" && texts.every((inner) => inner?.type === "string")) return schema;
  const named: ExpressionSchema = { type: "object", properties: { name: text, generateName: text } };
  return {
    ...schema,
    properties: { ...schema.properties, kind: text, apiVersion: text, metadata: named },
  };
}

function declaredString(schema: ExpressionSchema): DeclaredType {
  const { format = "", maxLength } = schema;
  if (format === "byte") {
    return declaredText(bytesType, maxLength === undefined ? mostInRequest : Math.max(0, maxLength));
  }
  if (Object.hasOwn(formats, format)) {
    const { type, least, most } = formats[format as keyof typeof formats];
    return declaredText(type, most, least);
  }
  const most = mostBytes(schema);
  if (most !== undefined) return declaredText(stringType, most);
  if (!schema.enum?.length) return declaredText(stringType, mostInRequest);
  const lengths = schema.enum.map((value) =>
    typeof value === "string" ? new TextEncoder().encode(value).length : 0,
  );
  return declaredText(stringType, Math.max(...lengths));
}
