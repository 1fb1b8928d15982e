import { invariant } from "../../base/index.ts";
import { BackwardWriter, wireType, type JsonObject, type JsonValue } from "../../apimachinery/index.ts";

/** How a JSON value is written in the protobuf forms of OpenAPI (gnostic's `openapi.v2` and `openapi.v3`). */
export type Put = (writer: BackwardWriter, field: number, value: JsonValue) => void;

/** JSON name, number, and form of a message's fields. */
export type Layout = readonly (readonly [name: string, field: number, put: Put])[];

/** A string. */
export const putText: Put = (writer, field, value) => {
  const before = writer.length;
  invariant(typeof value === "string", "text of OpenAPI is a string");
  writer.text(value);
  writer.delimit(field, before);
};

/** A boolean, unless it is false. */
export const putFlag: Put = (writer, field, value) => {
  if (value !== true) return;
  writer.uint32(1);
  writer.tag(field, wireType.varint);
};

/** A number. */
export const putDouble: Put = (writer, field, value) => {
  writer.double(Number(value));
  writer.tag(field, wireType.fixed64);
};

/** A number without a fraction. */
export const putInteger: Put = (writer, field, value) => {
  writer.integer(Number(value));
  writer.tag(field, wireType.varint);
};

/** Any value as YAML, of which JSON is a part. */
export const putAny: Put = (writer, field, value) => {
  const before = writer.length;
  putText(writer, 2, `${JSON.stringify(value)}\n`);
  writer.delimit(field, before);
};

/** Each element of a list. */
export const each =
  (put: Put): Put =>
  (writer, field, value) => {
    const list = value as readonly JsonValue[];
    for (let index = list.length - 1; index >= 0; index--) put(writer, field, list[index] ?? null);
  };

/** A message around a value. */
export const within =
  (inner: number, put: Put): Put =>
  (writer, field, value) => {
    const before = writer.length;
    put(writer, inner, value);
    writer.delimit(field, before);
  };

/** A map as a list of messages of name and value. */
export const entries =
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

/** An object; `extensionField` says where its `x-…` go. */
export const message =
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

/** A whole document. */
export function encodeMessage(document: JsonObject, layout: Layout): Uint8Array {
  const writer = new BackwardWriter();
  writeFields(writer, document, { layout, extensionField: undefined });
  return writer.finish();
}
