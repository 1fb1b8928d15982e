import type { JSONSchemaProps } from "../types/apiextensions-v1.ts";

/** The one schema of an array's elements; undefined where there is none, or a list of them. */
export const itemSchema = (schema: JSONSchemaProps): JSONSchemaProps | undefined =>
  schema.items === undefined || isList(schema.items) ? undefined : schema.items;

/** The schemas of an array's elements, where they have one each. */
export const itemSchemas = (schema: JSONSchemaProps): readonly JSONSchemaProps[] =>
  schema.items !== undefined && isList(schema.items) ? schema.items : [];

/** The schema of a field that may hold a schema or a boolean. */
export const schemaIn = (value: JSONSchemaProps | boolean | undefined): JSONSchemaProps | undefined =>
  typeof value === "object" ? value : undefined;

const isList = (items: JSONSchemaProps | readonly JSONSchemaProps[]): items is readonly JSONSchemaProps[] =>
  Array.isArray(items);

/** Whether a schema, or any within it, is as `test` says. */
export function anySchema(
  schema: JSONSchemaProps | undefined,
  test: (schema: JSONSchemaProps) => boolean,
): boolean {
  if (schema === undefined) return false;
  return test(schema) || childrenOf(schema).some((child) => anySchema(child, test));
}

function childrenOf(schema: JSONSchemaProps): readonly (JSONSchemaProps | undefined)[] {
  const dependencies = Object.values(schema.dependencies ?? {}).filter((value) => !Array.isArray(value));
  return [
    itemSchema(schema),
    ...itemSchemas(schema),
    ...(schema.allOf ?? []),
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    schema.not,
    ...Object.values(schema.properties ?? {}),
    schemaIn(schema.additionalProperties),
    ...Object.values(schema.patternProperties ?? {}),
    schemaIn(schema.additionalItems),
    ...Object.values(schema.definitions ?? {}),
    ...(dependencies as JSONSchemaProps[]),
  ];
}

/** Where a path leads in a schema, and the path as errors show it. */
interface Destination {
  readonly names: readonly string[];
  readonly schema: JSONSchemaProps | undefined;
  readonly text: string;
}

/** Takes a path like `.spec.a` or `.spec['a']` through a schema: where it leads, or why it leads nowhere. */
export function followPath(
  path: string,
  root: JSONSchemaProps,
  options: { readonly keys: boolean },
): Destination | { readonly problem: string } {
  // A quoted name may hold what would otherwise end it.
  const tokens = path.match(/'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]]+/g) ?? [];
  const names: string[] = [];
  let text = "";
  let schema: JSONSchemaProps | undefined = root;
  for (let index = 0; index < tokens.length;) {
    const opening = tokens[index++] ?? "";
    if (opening !== "." && opening !== "[") return { problem: `expected [ or . but got: ${opening}` };
    if (opening === "[" && !options.keys) return { problem: "array notation is not allowed" };
    const token = tokens[index++];
    if (token === undefined) return { problem: "unexpected end of JSON path" };
    if (opening === "[" && !/^'.*'$/s.test(token)) {
      return { problem: `expected single quoted string but got ${token}` };
    }
    const name = opening === "[" ? token.slice(1, -1).replace(/\\(.)/g, "$1") : token;
    const next: JSONSchemaProps | boolean | undefined = schema?.properties
      ? schema.properties[name]
      : schema?.additionalProperties;
    if (next === undefined) return { problem: "does not refer to a valid field" };
    names.push(name);
    text += schema?.properties ? `${text === "" ? "" : "."}${name}` : `[${name}]`;
    schema = schemaIn(next);
    if (opening === ".") continue;
    const closing = tokens[index++];
    if (closing === undefined) return { problem: "unexpected end of JSON path" };
    if (closing !== "]") return { problem: `expected ] but got ${closing}` };
  }
  return { names, schema, text };
}
