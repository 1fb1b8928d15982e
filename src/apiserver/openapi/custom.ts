import type { GroupVersionKind, JsonObject, JsonValue } from "../../apimachinery/index.ts";
import type { Definitions, Dialect } from "./definitions.ts";

/** Schemas of custom resources (`openAPIV3Schema`) by `group/version/Kind`. */
export type CustomSchemas = ReadonlyMap<string, JsonObject>;

/** `com.example.stable.v1.CronTab`: groups backwards. */
export function customName({ group, version, kind }: GroupVersionKind): string {
  return [...group.split(".").toReversed(), version, kind].join(".");
}

interface CustomKind {
  readonly name: string;
  readonly kind: GroupVersionKind;
  readonly schemas: CustomSchemas;
  readonly definitions: Definitions;
  readonly dialect: Dialect;
}

/** Defines a custom kind, or its list. */
export function addCustomKind(custom: CustomKind): JsonObject {
  const { name, kind, schemas, definitions, dialect } = custom;
  // Each operation names its kind.
  if (definitions.has(name)) return definitions.reference(name);
  const schema = schemas.get(`${kind.group}/${kind.version}/${kind.kind}`);
  if (schema === undefined && kind.kind.endsWith("List")) return addList(custom);
  // Who is told some fields takes all others for wrong.
  const isOpen =
    schema === undefined || (dialect === "v2" && schema["x-kubernetes-preserve-unknown-fields"] === true);
  if (isOpen) {
    return definitions.add(name, { type: "object", "x-kubernetes-group-version-kind": [kindOf(kind)] });
  }
  const metadata = definitions.reference("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  const { properties = {}, ...rest } = (dialect === "v2" ? asSwagger(schema) : schema) as JsonObject;
  return definitions.add(name, {
    ...rest,
    properties: { ...(properties as JsonObject), ...typeMeta, metadata: described(metadata, dialect) },
    "x-kubernetes-group-version-kind": [kindOf(kind)],
  });
}

const typeMeta = {
  apiVersion: {
    type: "string",
    description: "APIVersion defines in which group and version of its schema this object is written.",
  },
  kind: { type: "string", description: "Name of the type of this object." },
};

const kindOf = ({ group, kind, version }: GroupVersionKind) => ({ group, kind, version });

const described = (reference: JsonObject, dialect: Dialect): JsonObject => {
  const description = "Standard object's metadata: name, labels and bookkeeping.";
  return dialect === "v2" ? { ...reference, description } : { allOf: [reference], description };
};

function addList({ name, kind, schemas, definitions, dialect }: CustomKind): JsonObject {
  const element = { ...kind, kind: kind.kind.slice(0, -"List".length) };
  const items = addCustomKind({ name: customName(element), kind: element, schemas, definitions, dialect });
  const metadata = definitions.reference("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta");
  return definitions.add(name, {
    description: `${kind.kind} is a list of ${element.kind} objects.`,
    type: "object",
    required: ["items"],
    properties: {
      ...typeMeta,
      items: { type: "array", items, description: "The objects of the list." },
      metadata: described(metadata, dialect),
    },
    "x-kubernetes-group-version-kind": [kindOf(kind)],
  });
}

/** Keywords that version 2 has not; upstream leaves them out of it, too. */
const unknownToSwagger: ReadonlySet<string> = new Set(["nullable", "oneOf", "anyOf", "allOf", "not"]);
/** Keywords under which names stand, not keywords. */
const holdsNames: ReadonlySet<string> = new Set(["properties", "patternProperties", "definitions"]);

function asSwagger(schema: JsonValue, names = false): JsonValue {
  if (Array.isArray(schema)) return schema.map((item: JsonValue) => asSwagger(item));
  if (typeof schema !== "object" || schema === null) return schema;
  const node = schema as JsonObject;
  // A node that takes more than one type has none in version 2.
  const loose = !names && (node["nullable"] === true || node["x-kubernetes-int-or-string"] === true);
  const preserves = !names && node["x-kubernetes-preserve-unknown-fields"] === true;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => names || !unknownToSwagger.has(key))
      .filter(([key]) => !(loose && key === "type"))
      // What may hold anything is not checked by old clients: they would reject unknown fields.
      .filter(([key]) => !(preserves && (key === "properties" || key === "items" || key === "type")))
      .map(([key, value]) => [
        key,
        key === "default" || key === "enum" || key === "example" || value === undefined
          ? value
          : asSwagger(value, !names && holdsNames.has(key)),
      ]),
  );
}
