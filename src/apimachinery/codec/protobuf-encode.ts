import { invariant } from "../../base/index.ts";
import {
  protoOf,
  type ProtoMessage,
  type ProtoValue,
  type SchemaAlternative,
  type WireField,
} from "../schema/index.ts";
import { isRuntimeUnknown } from "../schema/special-types.ts";
import type { ScalarType, StructType } from "../schema/types.ts";
import { decodeBase64 } from "./base64.ts";
import { DecodeError } from "./decode-error.ts";
import { parseDuration } from "./time.ts";
import { wireType, type BackwardWriter } from "./wire.ts";

type Values = Readonly<Record<string, unknown>>;

/** Writes the message of an object in JSON form; upstream's choice of what is written when it is zero. */
export function writeStruct(writer: BackwardWriter, value: unknown, type: StructType): void {
  const message = protoOf(type);
  if (message === undefined)
    throw new DecodeError(
      `object *${type.name.split(".").slice(-2).join(".")} does not implement the protobuf marshalling interface and cannot be encoded to a protobuf message`,
    );
  writeMessage(writer, value, message);
}

function writeMessage(writer: BackwardWriter, value: unknown, message: ProtoMessage): void {
  const values = (value ?? {}) as Values;
  const { fields } = message;
  for (let index = fields.length - 1; index >= 0; index--) writeField(writer, values, fields[index]!);
}

function writeField(writer: BackwardWriter, values: Values, field: WireField): void {
  if (field.json === undefined) {
    writeValue(writer, field.number, values, field.value);
    return;
  }
  const value = values[field.json];
  if (value === undefined || value === null) {
    if (field.cardinality === "single" && !field.pointer) writeZero(writer, field);
  } else if (field.cardinality === "single") writeValue(writer, field.number, value, field.value);
  else if (field.cardinality === "repeated") {
    const list = value as readonly unknown[];
    for (let index = list.length - 1; index >= 0; index--)
      writeValue(writer, field.number, list[index], field.value);
  } else writeMap(writer, value as Values, field);
}

/** Upstream writes maps in order of their keys. */
function writeMap(writer: BackwardWriter, map: Values, field: WireField): void {
  const keys = Object.keys(map).sort();
  for (let index = keys.length - 1; index >= 0; index--) {
    const key = keys[index]!;
    const before = writer.length;
    writeValue(writer, 2, map[key], field.value);
    const beforeKey = writer.length;
    writer.text(key);
    writer.delimit(1, beforeKey);
    writer.delimit(field.number, before);
  }
}

/** Lists that are messages and bytes are nil when absent; everything else that is no pointer is written. */
function writeZero(writer: BackwardWriter, field: WireField): void {
  const { value } = field;
  if (value.kind === "items" || (value.kind === "scalar" && value.type.kind === "bytes")) return;
  writeValue(writer, field.number, undefined, value);
}

function writeValue(writer: BackwardWriter, number: number, value: unknown, shape: ProtoValue): void {
  const before = writer.length;
  switch (shape.kind) {
    case "scalar":
      writeScalar(writer, number, value, shape.type);
      return;
    case "message":
      writeStruct(writer, value, shape.type);
      break;
    case "items": {
      const list = (value ?? []) as readonly unknown[];
      for (let index = list.length - 1; index >= 0; index--)
        writeValue(writer, 1, list[index], shape.element);
      break;
    }
    case "alternative":
      writeAlternative(writer, value, shape.type);
      break;
  }
  writer.delimit(number, before);
}

function writeScalar(writer: BackwardWriter, number: number, value: unknown, type: ScalarType): void {
  switch (type.kind) {
    case "string":
      writeText(writer, number, value);
      return;
    case "boolean":
      writer.uint32(value === true ? 1 : 0);
      writer.tag(number, wireType.varint);
      return;
    case "int32":
    case "int64":
    case "uint64":
      writer.integer(typeof value === "number" ? value : 0);
      writer.tag(number, wireType.varint);
      return;
    case "float64":
      writer.double(typeof value === "number" ? value : 0);
      writer.tag(number, wireType.fixed64);
      return;
    case "bytes": {
      const before = writer.length;
      if (typeof value === "string") writer.bytes(decodeBase64(value));
      writer.delimit(number, before);
      return;
    }
    default: {
      const before = writer.length;
      writeScalarMessage(writer, value, type);
      writer.delimit(number, before);
    }
  }
}

function writeText(writer: BackwardWriter, number: number, value: unknown): void {
  const before = writer.length;
  if (typeof value === "string") writer.text(value);
  writer.delimit(number, before);
}

/** Scalars of JSON that are messages on the wire. */
function writeScalarMessage(writer: BackwardWriter, value: unknown, type: ScalarType): void {
  switch (type.kind) {
    case "quantity":
      writeText(writer, 1, value ?? "0");
      return;
    case "time":
    case "microTime":
      writeTime(writer, value, type.kind);
      return;
    case "duration":
      writer.bigint(typeof value === "string" ? parseDuration(value) : 0n);
      writer.tag(1, wireType.varint);
      return;
    case "intOrString":
      writeText(writer, 3, value);
      writer.integer(typeof value === "number" ? value : 0);
      writer.tag(2, wireType.varint);
      writer.uint32(typeof value === "string" ? 1 : 0);
      writer.tag(1, wireType.varint);
      return;
    default:
      writeRaw(writer, value, type);
  }
}

function writeTime(writer: BackwardWriter, value: unknown, kind: "time" | "microTime"): void {
  if (typeof value !== "string") return;
  const milliseconds = Date.parse(value);
  const fraction = kind === "microTime" ? (/\.(\d+)/.exec(value)?.[1] ?? "") : "";
  writer.integer(Number(fraction.slice(0, 6).padEnd(6, "0")) * 1000);
  writer.tag(2, wireType.varint);
  writer.integer(Math.floor(milliseconds / 1000));
  writer.tag(1, wireType.varint);
}

/** JSON as bytes. `runtime.Unknown` says of what type they are. */
function writeRaw(writer: BackwardWriter, value: unknown, type: ScalarType): void {
  const unknown = isRuntimeUnknown(type);
  if (unknown) {
    writeText(writer, 4, value === undefined || value === null ? "" : "application/json");
    writeText(writer, 3, "");
  }
  // A null in a list of JSON values is a value; nothing is nothing.
  if (value !== undefined && (value !== null || type.kind === "json"))
    writeText(writer, unknown ? 2 : 1, JSON.stringify(value));
  if (unknown) writeTypeMeta(writer, 1, {});
}

export function writeTypeMeta(
  writer: BackwardWriter,
  number: number,
  names: { readonly apiVersion?: unknown; readonly kind?: unknown },
): void {
  const before = writer.length;
  writeText(writer, 2, names.kind);
  writeText(writer, 1, names.apiVersion);
  writer.delimit(number, before);
}

function writeAlternative(writer: BackwardWriter, value: unknown, type: SchemaAlternative): void {
  const isSchema = typeof value === "object" && value !== null && !Array.isArray(value);
  const schemaNumber = type.form === "boolean" ? 2 : 1;
  if (Array.isArray(value)) {
    for (let index = value.length - 1; index >= 0; index--) {
      if (type.form === "strings") writeText(writer, 2, value[index]);
      else writeValue(writer, 2, value[index], { kind: "message", type: type.schema });
    }
  }
  if (isSchema) writeValue(writer, schemaNumber, value, { kind: "message", type: type.schema });
  if (type.form === "boolean") {
    invariant(!Array.isArray(value), "a schema or a boolean");
    writer.uint32(value === true || isSchema ? 1 : 0);
    writer.tag(1, wireType.varint);
  }
}
