import type { JsonObject } from "../../apimachinery/index.ts";
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

const putReference = message(() => [["$ref", 1, putText]]);

/** Either the thing itself or a reference to one. */
const orReference =
  (put: Put): Put =>
  (writer, field, value) => {
    const isReference = (value as JsonObject)["$ref"] !== undefined;
    within(isReference ? 2 : 1, isReference ? putReference : put)(writer, field, value);
  };

const putSchema: Put = (writer, field, value) => message(() => schemaLayout, 36)(writer, field, value);
const putSchemaItem = orReference(putSchema);

/** A number, a boolean or a string; nothing else has a place in it. */
const putDefault: Put = (writer, field, value) => {
  const forms: Readonly<Record<string, readonly [number, Put]>> = {
    number: [1, putDouble],
    boolean: [2, putTruth],
    string: [3, putText],
  };
  const form = forms[typeof value];
  if (form !== undefined) within(form[0], form[1])(writer, field, value);
};

/** In a choice, false is written too. */
const putTruth: Put = (writer, field, value) => putInteger(writer, field, value === true ? 1 : 0);

const schemaLayout: Layout = [
  ["nullable", 1, putFlag],
  ["readOnly", 3, putFlag],
  ["writeOnly", 4, putFlag],
  ["example", 7, putAny],
  ["deprecated", 8, putFlag],
  ["title", 9, putText],
  ["multipleOf", 10, putDouble],
  ["maximum", 11, putDouble],
  ["exclusiveMaximum", 12, putFlag],
  ["minimum", 13, putDouble],
  ["exclusiveMinimum", 14, putFlag],
  ["maxLength", 15, putInteger],
  ["minLength", 16, putInteger],
  ["pattern", 17, putText],
  ["maxItems", 18, putInteger],
  ["minItems", 19, putInteger],
  ["uniqueItems", 20, putFlag],
  ["maxProperties", 21, putInteger],
  ["minProperties", 22, putInteger],
  ["required", 23, each(putText)],
  ["enum", 24, each(putAny)],
  ["type", 25, putText],
  ["allOf", 26, each(putSchemaItem)],
  ["oneOf", 27, each(putSchemaItem)],
  ["anyOf", 28, each(putSchemaItem)],
  ["not", 29, putSchema],
  ["items", 30, within(1, putSchemaItem)],
  ["properties", 31, within(1, entries(putSchemaItem))],
  [
    "additionalProperties",
    32,
    (writer, field, value) =>
      typeof value === "boolean"
        ? within(2, putTruth)(writer, field, value)
        : within(1, putSchemaItem)(writer, field, value),
  ],
  ["default", 33, putDefault],
  ["description", 34, putText],
  ["format", 35, putText],
];

const putContent = within(1, entries(message(() => [["schema", 1, putSchemaItem]])));

const putParameter = orReference(
  message(() => [
    ["name", 1, putText],
    ["in", 2, putText],
    ["description", 3, putText],
    ["required", 4, putFlag],
    ["schema", 10, putSchemaItem],
  ]),
);

const putBody = orReference(
  message(() => [
    ["description", 1, putText],
    ["content", 2, putContent],
    ["required", 3, putFlag],
  ]),
);

const putResponse = orReference(
  message(() => [
    ["description", 1, putText],
    ["content", 3, putContent],
  ]),
);

const putOperation = message(
  () => [
    ["tags", 1, each(putText)],
    ["description", 3, putText],
    ["operationId", 5, putText],
    ["parameters", 6, each(putParameter)],
    ["requestBody", 7, putBody],
    ["responses", 8, within(2, entries(putResponse))],
    ["deprecated", 10, putFlag],
  ],
  13,
);

const putPathItem = message(() => [
  ["get", 4, putOperation],
  ["put", 5, putOperation],
  ["post", 6, putOperation],
  ["delete", 7, putOperation],
  ["options", 8, putOperation],
  ["head", 9, putOperation],
  ["patch", 10, putOperation],
  ["parameters", 13, each(putParameter)],
]);

const putSecurityScheme = orReference(
  message(() => [
    ["type", 1, putText],
    ["description", 2, putText],
    ["name", 3, putText],
    ["in", 4, putText],
  ]),
);

const documentLayout: Layout = [
  ["openapi", 1, putText],
  [
    "info",
    2,
    message(() => [
      ["title", 1, putText],
      ["version", 6, putText],
    ]),
  ],
  ["paths", 4, within(1, entries(putPathItem))],
  [
    "components",
    5,
    message(() => [
      ["schemas", 1, within(1, entries(putSchemaItem))],
      ["securitySchemes", 7, within(1, entries(putSecurityScheme))],
    ]),
  ],
];

/** The protobuf form of a group version's document. */
export const encodeOpenApiV3 = (document: JsonObject): Uint8Array => encodeMessage(document, documentLayout);
