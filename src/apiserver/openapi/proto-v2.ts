import type { BackwardWriter, JsonObject, JsonValue } from "../../apimachinery/index.ts";
import {
  each,
  encodeMessage,
  entries,
  message,
  putAny,
  putDouble,
  putFlag,
  putInteger,
  putText,
  within,
  type Layout,
  type Put,
} from "./gnostic.ts";

const putSchema: Put = (writer, field, value) => message(() => schemaLayout, 31)(writer, field, value);
const putProperties: Put = (writer, field, value) => within(1, entries(putSchema))(writer, field, value);

const schemaLayout: Layout = [
  ["$ref", 1, putText],
  ["format", 2, putText],
  ["title", 3, putText],
  ["description", 4, putText],
  ["default", 5, putAny],
  ["multipleOf", 6, putDouble],
  ["maximum", 7, putDouble],
  ["exclusiveMaximum", 8, putFlag],
  ["minimum", 9, putDouble],
  ["exclusiveMinimum", 10, putFlag],
  ["maxLength", 11, putInteger],
  ["minLength", 12, putInteger],
  ["pattern", 13, putText],
  ["maxItems", 14, putInteger],
  ["minItems", 15, putInteger],
  ["uniqueItems", 16, putFlag],
  ["maxProperties", 17, putInteger],
  ["minProperties", 18, putInteger],
  ["required", 19, each(putText)],
  ["enum", 20, each(putAny)],
  [
    "additionalProperties",
    21,
    (writer, field, value) =>
      typeof value === "boolean"
        ? within(2, putFlag)(writer, field, value)
        : within(1, putSchema)(writer, field, value),
  ],
  ["type", 22, within(1, putText)],
  ["items", 23, within(1, putSchema)],
  ["allOf", 24, each(putSchema)],
  ["properties", 25, putProperties],
  ["example", 30, putAny],
];

const putBodyParameter = message(
  () => [
    ["description", 1, putText],
    ["name", 2, putText],
    ["in", 3, putText],
    ["required", 4, putFlag],
    ["schema", 5, putSchema],
  ],
  6,
);
const putQueryParameter = message(() => [
  ["required", 1, putFlag],
  ["in", 2, putText],
  ["description", 3, putText],
  ["name", 4, putText],
  ["type", 6, putText],
  ["uniqueItems", 20, putFlag],
]);
const putPathParameter = message(() => [
  ["required", 1, putFlag],
  ["in", 2, putText],
  ["description", 3, putText],
  ["name", 4, putText],
  ["type", 5, putText],
  ["uniqueItems", 19, putFlag],
]);

/** Item, parameter, body or not, and then by place. */
const putParameter: Put = (writer, field, value) => {
  const place = (value as JsonObject)["in"];
  const put =
    place === "body"
      ? within(1, putBodyParameter)
      : within(2, place === "query" ? within(3, putQueryParameter) : within(4, putPathParameter));
  within(1, put)(writer, field, value);
};

const putResponse = within(
  1,
  message(() => [
    ["description", 1, putText],
    ["schema", 2, within(1, putSchema)],
  ]),
);

const putOperation = message(
  () => [
    ["tags", 1, each(putText)],
    ["description", 3, putText],
    ["operationId", 5, putText],
    ["produces", 6, each(putText)],
    ["consumes", 7, each(putText)],
    ["parameters", 8, each(putParameter)],
    ["responses", 9, within(1, entries(putResponse))],
    ["schemes", 10, each(putText)],
  ],
  13,
);

const putPathItem = message(() => [
  ["get", 2, putOperation],
  ["put", 3, putOperation],
  ["post", 4, putOperation],
  ["delete", 5, putOperation],
  ["options", 6, putOperation],
  ["head", 7, putOperation],
  ["patch", 8, putOperation],
  ["parameters", 9, each(putParameter)],
]);

const documentLayout: Layout = [
  ["swagger", 1, putText],
  [
    "info",
    2,
    message(() => [
      ["title", 1, putText],
      ["version", 2, putText],
    ]),
  ],
  ["paths", 8, within(2, entries(putPathItem))],
  ["definitions", 9, putProperties],
  ["security", 12, each(entriesOfSecurity)],
  ["securityDefinitions", 13, within(1, entries(within(2, putSecurityScheme)))],
];

function entriesOfSecurity(writer: BackwardWriter, field: number, value: JsonValue): void {
  within(1, entries(within(1, each(putText))))(writer, field, value);
}

function putSecurityScheme(writer: BackwardWriter, field: number, value: JsonValue): void {
  message(() => [
    ["type", 1, putText],
    ["name", 2, putText],
    ["in", 3, putText],
    ["description", 4, putText],
  ])(writer, field, value);
}

/** The protobuf form that kubectl up to 1.26 asks for. */
export const encodeOpenApiV2 = (document: JsonObject): Uint8Array => encodeMessage(document, documentLayout);
