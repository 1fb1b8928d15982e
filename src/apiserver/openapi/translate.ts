import type { JsonObject, JsonValue } from "../../apimachinery/index.ts";
import type { Swagger } from "./remote.ts";

const references = { two: "#/definitions/", three: "#/components/schemas/" };
const methods = new Set(["get", "put", "post", "delete", "options", "head", "patch"]);
/** What a parameter says of its values, which version 3 has in a schema. */
const valueFields = new Set([
  "type",
  "format",
  "items",
  "default",
  "enum",
  "uniqueItems",
  "minimum",
  "maximum",
  "pattern",
  "minLength",
  "maxLength",
]);
const anyMedia = "*/*";

/** A document of version 3 that says what one of version 2 does, as far as upstream's translation goes. */
export function translated({ paths, definitions, info, securityDefinitions }: Swagger): JsonObject {
  return {
    openapi: "3.0.0",
    info: info ?? { title: "", version: "" },
    paths: mapped(paths, translatedPath),
    components: {
      schemas: referring(definitions),
      ...(securityDefinitions === undefined ? {} : { securitySchemes: securityDefinitions }),
    },
  };
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const mapped = (object: JsonObject, change: (value: JsonObject, key: string) => JsonValue): JsonObject =>
  Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, isObject(value) ? change(value, key) : value]),
  );

/** The value with its references leading to where version 3 has definitions. */
function referring(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(referring);
  if (!isObject(value)) return value ?? null;
  return Object.fromEntries<JsonValue>(
    Object.entries(value).map(([key, member]) =>
      key === "$ref" && typeof member === "string"
        ? [key, member.replace(references.two, references.three)]
        : [key, referring(member)],
    ),
  );
}

function translatedPath({ parameters, ...path }: JsonObject): JsonValue {
  const operations = mapped(path, (operation, key) =>
    methods.has(key) ? translatedOperation(operation) : referring(operation),
  );
  return parameters === undefined
    ? operations
    : { ...operations, parameters: listOf(parameters).map(parameterOf) };
}

const listOf = (value: JsonValue | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly JsonValue[]).filter(isObject) : [];

const mediaOf = (value: JsonValue | undefined): readonly string[] => {
  const given = Array.isArray(value) ? (value as readonly JsonValue[]).map(String) : [];
  return given.length > 0 ? given : [anyMedia];
};

function translatedOperation(operation: JsonObject): JsonValue {
  const { consumes, produces, schemes: _schemes, parameters, responses, ...rest } = operation;
  const given = listOf(parameters);
  const body = given.find((one) => one["in"] === "body");
  const others = given.filter((one) => one !== body);
  return {
    ...rest,
    ...(others.length > 0 ? { parameters: others.map(parameterOf) } : {}),
    ...(body ? { requestBody: bodyOf(body, mediaOf(consumes)) } : {}),
    ...(isObject(responses)
      ? { responses: mapped(responses, (response) => responseOf(response, mediaOf(produces))) }
      : {}),
  };
}

function parameterOf(parameter: JsonObject): JsonObject {
  const entries = Object.entries(parameter);
  const schema = Object.fromEntries<JsonValue>(
    entries.filter(([key]) => valueFields.has(key)).map(([key, value]) => [key, referring(value)]),
  );
  return {
    ...Object.fromEntries(entries.filter(([key]) => !valueFields.has(key) && key !== "collectionFormat")),
    schema,
  };
}

function bodyOf({ schema, in: _in, name: _name, ...rest }: JsonObject, media: readonly string[]): JsonObject {
  return { ...rest, content: contentOf(schema, media) };
}

function responseOf(
  { schema, headers: _headers, ...rest }: JsonObject,
  media: readonly string[],
): JsonObject {
  return schema === undefined ? rest : { ...rest, content: contentOf(schema, media) };
}

const contentOf = (schema: JsonValue | undefined, media: readonly string[]): JsonObject =>
  Object.fromEntries(media.map((type) => [type, { schema: referring(schema) }]));
