import { protoOf, type ProtoValue, type SchemaAlternative, type WireField } from "../schema/index.ts";
import { isRuntimeUnknown } from "../schema/special-types.ts";
import type { ScalarType, StructType } from "../schema/types.ts";
import { encodeBase64 } from "./base64.ts";
import { completeStruct, maximumDepth, zeroOfStruct } from "./convert.ts";
import { DecodeError } from "./decode-error.ts";
import { parseJson } from "./json.ts";
import { canonicalQuantity } from "./quantity-text.ts";
import { zeroOfScalar } from "./scalars.ts";
import { formatDuration } from "./time.ts";
import { fieldOf, wireOf, wireType, type Reader } from "./wire.ts";

type Target = Record<string, unknown>;

/** What raw bytes stand for: JSON, or an object in an envelope of its own. */
export type RawDecoder = (bytes: Uint8Array) => unknown;

/** The object of a message, in the same form as JSON decoding gives. */
export function readStruct(reader: Reader, type: StructType, raw: RawDecoder): object {
  return new StructReader(raw).struct(reader, type);
}

class StructReader {
  readonly #raw: RawDecoder;
  #depth = 0;

  constructor(raw: RawDecoder) {
    this.#raw = raw;
  }

  struct(reader: Reader, type: StructType): object {
    const target: Target = {};
    this.#into(target, reader, type);
    completeStruct(target, type);
    return target;
  }

  #into(target: Target, reader: Reader, type: StructType): void {
    const message = protoOf(type);
    if (message === undefined) throw new DecodeError(`proto: ${type.name} has no protobuf form`);
    if (++this.#depth > maximumDepth) throw new DecodeError("exceeded max depth");
    while (!reader.done) {
      const tag = reader.tag();
      const field = message.byNumber.get(fieldOf(tag));
      if (field === undefined) reader.skip(wireOf(tag));
      else if (field.json === undefined) this.#inlined(target, reader, { field, wire: wireOf(tag) });
      else if (field.cardinality === "single") {
        const read = this.#value(reader, field.value, wireOf(tag));
        if (!field.omitEmpty || field.pointer || !isZero(read)) target[field.json] = read;
      } else if (field.cardinality === "map") {
        expectWire(wireOf(tag), wireType.bytes);
        this.#entry((target[field.json] ??= {}) as Target, reader.message(), field.value);
      } else this.#element((target[field.json] ??= []) as unknown[], reader, { field, wire: wireOf(tag) });
    }
    this.#depth--;
  }

  #inlined(target: Target, reader: Reader, occurrence: Occurrence): void {
    expectWire(occurrence.wire, wireType.bytes);
    const { value } = occurrence.field;
    if (value.kind === "message") this.#into(target, reader.message(), value.type);
    else reader.skip(occurrence.wire);
  }

  #entry(map: Target, reader: Reader, value: ProtoValue): void {
    let key = "";
    let read: unknown;
    while (!reader.done) {
      const tag = reader.tag();
      if (fieldOf(tag) === 1) {
        expectWire(wireOf(tag), wireType.bytes);
        key = reader.text();
      } else if (fieldOf(tag) === 2) read = this.#value(reader, value, wireOf(tag));
      else reader.skip(wireOf(tag));
    }
    const entry = read ?? zeroOfValue(value);
    if (key === "__proto__")
      Object.defineProperty(map, key, { value: entry, enumerable: true, configurable: true, writable: true });
    else map[key] = entry;
  }

  #element(list: unknown[], reader: Reader, { field, wire }: Occurrence): void {
    const native = nativeWire(field.value);
    if (wire !== wireType.bytes || native === wireType.bytes) {
      list.push(this.#value(reader, field.value, wire));
      return;
    }
    const packed = reader.message();
    while (!packed.done) list.push(this.#value(packed, field.value, native));
  }

  #value(reader: Reader, value: ProtoValue, wire: number): unknown {
    expectWire(wire, nativeWire(value));
    switch (value.kind) {
      case "scalar":
        return readScalar(reader, value.type, this.#raw);
      case "message":
        return this.struct(reader.message(), value.type);
      case "items": {
        const items: unknown[] = [];
        eachField(reader.message(), (inner, number, innerWire) => {
          if (number !== 1) return false;
          items.push(this.#value(inner, value.element, innerWire));
          return true;
        });
        return items;
      }
      case "alternative":
        return this.#alternative(reader.message(), value.type);
    }
  }

  #alternative(reader: Reader, type: SchemaAlternative): unknown {
    const schemaNumber = type.form === "boolean" ? 2 : 1;
    let allows = false;
    let schema: unknown;
    let list: unknown[] | undefined;
    eachField(reader, (inner, number, wire) => {
      if (type.form === "boolean" && number === 1 && wire === wireType.varint) allows = inner.integer() !== 0;
      else if (wire !== wireType.bytes) return false;
      else if (number === schemaNumber) schema = this.struct(inner.message(), type.schema);
      else if (number === 2 && type.form === "strings") (list ??= []).push(inner.text());
      else if (number === 2) (list ??= []).push(this.struct(inner.message(), type.schema));
      else return false;
      return true;
    });
    return schema ?? list ?? (type.form === "boolean" ? allows : null);
  }
}

interface Occurrence {
  readonly field: WireField;
  readonly wire: number;
}

function zeroOfValue(value: ProtoValue): unknown {
  if (value.kind === "scalar") return value.type.kind === "bytes" ? "" : zeroOfScalar(value.type);
  if (value.kind === "items") return null;
  if (value.kind === "alternative") return value.type.form === "boolean" ? false : null;
  return zeroOfStruct(value.type);
}

const isZero = (value: unknown) => value === "" || value === 0 || value === false || value === null;

function nativeWire(value: ProtoValue): number {
  if (value.kind !== "scalar") return wireType.bytes;
  switch (value.type.kind) {
    case "boolean":
    case "int32":
    case "int64":
    case "uint64":
      return wireType.varint;
    case "float64":
      return wireType.fixed64;
    default:
      return wireType.bytes;
  }
}

function expectWire(wire: number, expected: number): void {
  if (wire !== expected) throw new DecodeError(`proto: wrong wireType = ${wire}`);
}

function eachField(reader: Reader, take: (reader: Reader, number: number, wire: number) => boolean): void {
  while (!reader.done) {
    const tag = reader.tag();
    if (!take(reader, fieldOf(tag), wireOf(tag))) reader.skip(wireOf(tag));
  }
}

function readScalar(reader: Reader, type: ScalarType, raw: RawDecoder): unknown {
  switch (type.kind) {
    case "string":
      return reader.text();
    case "boolean":
      return reader.integer() !== 0;
    case "int32":
      return reader.integer() | 0;
    case "int64":
      return reader.integer();
    case "uint64":
      return Number(BigInt.asUintN(64, reader.bigint()));
    case "float64":
      return reader.double();
    case "bytes":
      return encodeBase64(reader.bytes());
    case "quantity":
      return readQuantity(reader.message());
    case "time":
    case "microTime":
      return readTime(reader.message(), type.kind);
    case "duration":
      return readDuration(reader.message());
    case "intOrString":
      return readIntOrString(reader.message());
    case "raw":
    case "json":
    case "fieldsV1":
      return readRaw(reader.message(), type, raw);
  }
}

function readQuantity(reader: Reader): string {
  let text = "";
  eachField(reader, (inner, number, wire) => {
    if (number !== 1 || wire !== wireType.bytes) return false;
    text = inner.text();
    return true;
  });
  return text === "" ? "0" : canonicalQuantity(text);
}

/** Latest second that RFC 3339 can write. */
const lastSecond = 253_402_300_799;
const firstSecond = -62_167_219_200;

function readTime(reader: Reader, kind: "time" | "microTime"): string | null {
  let seconds = 0;
  let nanoseconds = 0;
  while (!reader.done) {
    const tag = reader.tag();
    if (wireOf(tag) !== wireType.varint) reader.skip(wireOf(tag));
    else if (fieldOf(tag) === 1) seconds = reader.integer();
    else if (fieldOf(tag) === 2) nanoseconds = reader.integer();
    else reader.skip(wireOf(tag));
  }
  if (seconds === 0 && nanoseconds === 0) return null;
  if (seconds > lastSecond || seconds < firstSecond || nanoseconds < 0 || nanoseconds > 999_999_999)
    throw new DecodeError("Time.MarshalJSON: year outside of range [0,9999]");
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (kind === "time") return `${text}Z`;
  return `${text}.${String(Math.floor(nanoseconds / 1000)).padStart(6, "0")}Z`;
}

function readDuration(reader: Reader): string {
  let nanoseconds = 0n;
  eachField(reader, (inner, number, wire) => {
    if (number !== 1 || wire !== wireType.varint) return false;
    nanoseconds = inner.bigint();
    return true;
  });
  return formatDuration(nanoseconds);
}

function readIntOrString(reader: Reader): number | string {
  let isText = false;
  let integer = 0;
  let text = "";
  eachField(reader, (inner, number, wire) => {
    if (number === 1 && wire === wireType.varint) isText = inner.integer() === 1;
    else if (number === 2 && wire === wireType.varint) integer = inner.integer() | 0;
    else if (number === 3 && wire === wireType.bytes) text = inner.text();
    else return false;
    return true;
  });
  return isText ? text : integer;
}

function readRaw(reader: Reader, type: ScalarType, raw: RawDecoder): unknown {
  const number = isRuntimeUnknown(type) ? 2 : 1;
  let bytes: Uint8Array | undefined;
  eachField(reader, (inner, found, wire) => {
    if (found !== number || wire !== wireType.bytes) return false;
    bytes = inner.bytes();
    return true;
  });
  return bytes === undefined || bytes.length === 0 ? null : raw(bytes);
}

/** Raw bytes that are JSON. */
export const rawJson: RawDecoder = (bytes) => parseJson(bytes);
