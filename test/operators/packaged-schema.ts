import { readFileSync } from "node:fs";
import type { JSONSchemaProps } from "../../src/api/types/apiextensions-v1.ts";

const packages = new URL("../../node_modules/@kubernetes-models/", import.meta.url);

/** A kind whose schema a package has. */
export interface PackagedKind {
  readonly package: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const start = "const schema = ";

/** The schema of an operator's definition, out of the package that was made of it. */
export function packagedSchema({ package: name, group, version, kind }: PackagedKind): JSONSchemaProps {
  const text = readFileSync(new URL(`${name}/${group}/${version}/${kind}.js`, packages), "utf8");
  const from = text.indexOf(start) + start.length;
  const { properties = {}, required = [] } = structural(
    JSON.parse(text.slice(from, text.indexOf("\n};", from) + 2)) as JSONSchemaProps,
  );
  const parts = Object.entries(properties).filter(([field]) => !ofEvery.has(field));
  const needed = required.filter((field) => !ofEvery.has(field));
  return {
    type: "object",
    ...(needed.length > 0 ? { required: needed } : {}),
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: "object" },
      ...Object.fromEntries(parts),
    },
  };
}

const ofEvery: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

type Schema = JSONSchemaProps;

/**
 * Undoes what the packages did to the schemas: they let null stand for whatever is optional, and have no extensions,
 * of which those can be told that the rest of a schema asks for.
 */
function structural(schema: Schema): Schema {
  const [one, other] = schema.oneOf ?? [];
  if (one && other?.type === "null") return structural(one);
  const { nullable: _, properties, items, additionalProperties, ...rest } = schema;
  if (takesBoth(schema)) return { ...rest, "x-kubernetes-int-or-string": true };
  const isUntyped = schema.type === undefined || (schema.type === "object" && !properties);
  const isOpen = isUntyped && additionalProperties === undefined;
  return {
    ...rest,
    ...(properties
      ? {
          type: "object",
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, structural(property)]),
          ),
        }
      : {}),
    ...(items ? { items: structural(items as Schema) } : {}),
    ...(typeof additionalProperties === "object"
      ? { type: "object", additionalProperties: structural(additionalProperties) }
      : {}),
    ...(isOpen && !properties ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
  };
}

const takesBoth = ({ anyOf }: Schema): boolean =>
  anyOf?.[0]?.type === "integer" && anyOf[1]?.type === "string";
