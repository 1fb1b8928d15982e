import { invariant } from "../../base/index.ts";
import { BackwardWriter, wireType, type JsonObject, type JsonValue } from "../../apimachinery/index.ts";

/** How a JSON value is written in the protobuf form of OpenAPI v2 (gnostic's `openapi.v2`). */
type Put = (writer: BackwardWriter, field: number, value: JsonValue) => void;

/** JSON name, number, and form of a message's fields. */
type Layout = readonly (readonly [name: string, field: number, put: Put])[];

const putText: Put = (writer, field, value) => {
  const before = writer.length;
  invariant(typeof value === "string", "text of OpenAPI is a string");
  writer.text(value);
  writer.delimit(field, before);
};

const putFlag: Put = (writer, field, value) => {
  if (value !== true) return;
  writer.uint32(1);
  writer.tag(field, wireType.varint);
};

const putDouble: Put = (writer, field, value) => {
  writer.double(Number(value));
  writer.tag(field, wireType.fixed64);
};

const putInteger: Put = (writer, field, value) => {
  writer.integer(Number(value));
  writer.tag(field, wireType.varint);
};

/** Any value as YAML, of which JSON is a part. */
const putAny: Put = (writer, field, value) => {
  const before = writer.length;
  putText(writer, 2, `${JSON.stringify(value)}\n`);
  writer.delimit(field, before);
};

const each =
  (put: Put): Put =>
  (writer, field, value) => {
    const list = value as readonly JsonValue[];
    for (let index = list.length - 1; index >= 0; index--) put(writer, field, list[index] ?? null);
  };

/** A message around a value. */
const within =
  (inner: number, put: Put): Put =>
  (writer, field, value) => {
    const before = writer.length;
    put(writer, inner, value);
    writer.delimit(field, before);
  };

/** A map as a list of messages of name and value. */
const entries =
  (put: Put): Put =>
  (writer, field, value) => {
    for (const [name, entry] of Object.entries(value as JsonObject).toReversed()) {
      const before = writer.length;
      if (entry !== undefined) put(writer, 2, entry);
      putText(writer, 1, name);
      writer.delimit(field, before);
    }
  };

const putExtensions = entries(putAny);

const message =
  (layout: () => Layout, extensionField?: number): Put =>
  (writer, field, value) => {
    const before = writer.length;
    writeFields(writer, value as JsonObject, { layout: layout(), extensionField });
    writer.delimit(field, before);
  };

interface MessageForm {
  readonly layout: Layout;
  /** Where `x-…` go. */
  readonly extensionField: number | undefined;
}

function writeFields(writer: BackwardWriter, object: JsonObject, form: MessageForm): void {
  if (form.extensionField !== undefined) {
    const extensions = Object.entries(object).filter(([name]) => name.startsWith("x-"));
    if (extensions.length > 0) putExtensions(writer, form.extensionField, Object.fromEntries(extensions));
  }
  for (let index = form.layout.length - 1; index >= 0; index--) {
    const [name, field, put] = form.layout[index]!;
    const value = object[name];
    if (value !== undefined) put(writer, field, value);
  }
}

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
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const writer = new BackwardWriter();
  writeFields(writer, document, { layout: documentLayout, extensionField: undefined });
  return writer.finish();
}
