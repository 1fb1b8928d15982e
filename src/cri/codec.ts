import { invariant } from "../base/index.ts";
import type { Input, MessageName, Output } from "./message.ts";
import { messages } from "./schema.ts";

interface Field {
  readonly name: string;
  readonly number: number;
  /** Scalar or message name. */
  readonly type: string;
  readonly repeated: boolean;
}

interface Layout {
  readonly fields: readonly Field[];
  readonly byNumber: readonly (Field | undefined)[];
}

type Values = Readonly<Record<string, unknown>>;

const wireVarint = 0;
const wireFixed64 = 1;
const wireBytes = 2;
const wireFixed32 = 5;

function layoutOf(definition: Readonly<Record<string, readonly [number, string]>>): Layout {
  const fields = Object.entries(definition).map(([name, [number, type]]) => {
    const repeated = type.endsWith("[]");
    return { name, number, type: repeated ? type.slice(0, -2) : type, repeated };
  });
  const byNumber: (Field | undefined)[] = [];
  for (const field of fields) byNumber[field.number] = field;
  return { fields, byNumber };
}

const layouts: ReadonlyMap<string, Layout> = new Map(
  Object.entries(messages).map(([name, definition]) => [name, layoutOf(definition)]),
);

const isNumeric = (type: string) =>
  type === "int32" || type === "int64" || type === "uint32" || type === "uint64" || type === "bool";

const encoder = new TextEncoder();

/** Encodes a message of the runtime's protocol. */
export function encode<M extends MessageName>(name: M, message: Input<M>): Uint8Array {
  const bytes: number[] = [];
  writeMessage(bytes, layout(name), message);
  return Uint8Array.from(bytes);
}

/** Decodes a message of the runtime's protocol; unknown fields are skipped. */
export function decode<M extends MessageName>(name: M, bytes: Uint8Array): Output<M> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return readMessage({ bytes: buffer, position: 0, end: buffer.length }, layout(name)) as Output<M>;
}

function layout(name: string): Layout {
  const found = layouts.get(name);
  invariant(found, `no message ${name}`);
  return found;
}

function writeMessage(into: number[], { fields }: Layout, values: Values): void {
  for (const field of fields) {
    const value = values[field.name];
    if (value === undefined) continue;
    if (field.type === "map") {
      for (const [key, text] of Object.entries(value as Record<string, string>)) {
        const entry: number[] = [];
        writeValue(entry, { name: "key", number: 1, type: "string", repeated: true }, key);
        writeValue(entry, { name: "value", number: 2, type: "string", repeated: true }, text);
        writeBytes(into, field.number, entry);
      }
    } else if (!field.repeated) writeValue(into, field, value);
    else if (isNumeric(field.type)) {
      const packed: number[] = [];
      for (const item of value as readonly number[]) writeVarint(packed, item);
      if (packed.length > 0) writeBytes(into, field.number, packed);
    } else for (const item of value as readonly unknown[]) writeValue(into, field, item);
  }
}

/** Zero values of single scalar fields are left out, as proto3 does. */
function writeValue(into: number[], field: Field, value: unknown): void {
  if (isNumeric(field.type)) {
    const number = Number(value);
    if (number === 0) return;
    writeVarint(into, (field.number << 3) | wireVarint);
    writeVarint(into, number);
  } else if (field.type === "string") {
    if (value !== "" || field.repeated) writeBytes(into, field.number, encoder.encode(value as string));
  } else if (field.type === "bytes") {
    writeBytes(into, field.number, value as Uint8Array);
  } else {
    const nested: number[] = [];
    writeMessage(nested, layout(field.type), value as Values);
    writeBytes(into, field.number, nested);
  }
}

function writeBytes(into: number[], number: number, bytes: ArrayLike<number>): void {
  writeVarint(into, (number << 3) | wireBytes);
  writeVarint(into, bytes.length);
  for (let index = 0; index < bytes.length; index++) into.push(bytes[index] as number);
}

function writeVarint(into: number[], value: number): void {
  if (value < 0) {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) into.push(Number(rest & 127n) | 128);
    into.push(Number(rest));
    return;
  }
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) into.push((rest % 128) | 128);
  into.push(rest);
}

interface Reader {
  /** A Buffer, because its short strings are read several times faster than a TextDecoder's. */
  readonly bytes: Buffer;
  position: number;
  readonly end: number;
}

function zero(field: Field): unknown {
  if (field.repeated) return [];
  switch (field.type) {
    case "string":
      return "";
    case "bool":
      return false;
    case "bytes":
      return new Uint8Array(0);
    case "map":
      return {};
    default:
      return isNumeric(field.type) ? 0 : undefined;
  }
}

function readMessage(reader: Reader, { fields, byNumber }: Layout): Values {
  const message: Record<string, unknown> = {};
  for (const field of fields) message[field.name] = zero(field);
  while (reader.position < reader.end) {
    const tag = readVarint(reader);
    const field = byNumber[tag >>> 3];
    const wire = tag % 8;
    if (!field) skip(reader, wire);
    else readField(reader, { field, wire, message });
  }
  return message;
}

function readField(
  reader: Reader,
  { field, wire, message }: { field: Field; wire: number; message: Record<string, unknown> },
): void {
  if (wire === wireBytes) {
    const nested = section(reader);
    if (field.type === "map") {
      const entry = readMessage(nested, mapEntry);
      (message[field.name] as Record<string, unknown>)[entry["key"] as string] = entry["value"];
    } else if (field.repeated && isNumeric(field.type)) {
      const items = message[field.name] as unknown[];
      while (nested.position < nested.end) items.push(numeric(field.type, nested));
    } else store(message, field, readSection(nested, field.type));
  } else if (wire === wireVarint) store(message, field, numeric(field.type, reader));
  else skip(reader, wire);
}

const mapEntry = layoutOf({ key: [1, "string"], value: [2, "string"] });

function store(message: Record<string, unknown>, field: Field, value: unknown): void {
  if (field.repeated) (message[field.name] as unknown[]).push(value);
  else message[field.name] = value;
}

function readSection(reader: Reader, type: string): unknown {
  const { bytes, position, end } = reader;
  if (type === "string") return bytes.toString("utf8", position, end);
  if (type === "bytes") return Uint8Array.from(bytes.subarray(position, end));
  return readMessage(reader, layout(type));
}

function section(reader: Reader): Reader {
  const length = readVarint(reader);
  const end = reader.position + length;
  if (end > reader.end) throw new RangeError("truncated message");
  const nested = { bytes: reader.bytes, position: reader.position, end };
  reader.position = end;
  return nested;
}

function numeric(type: string, reader: Reader): number | boolean {
  const start = reader.position;
  const value = readVarint(reader);
  if (type === "bool") return value !== 0;
  const negative = reader.position - start === 10 && type.startsWith("int");
  return negative ? readNegative(reader.bytes.subarray(start, reader.position)) : value;
}

function readNegative(bytes: Uint8Array): number {
  let value = 0n;
  bytes.forEach((byte, index) => (value |= BigInt(byte & 127) << BigInt(7 * index)));
  return Number(BigInt.asIntN(64, value));
}

function readVarint(reader: Reader): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = reader.bytes[reader.position++];
    if (byte === undefined || reader.position > reader.end) throw new RangeError("truncated message");
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}

function skip(reader: Reader, wire: number): void {
  if (wire === wireVarint) readVarint(reader);
  else if (wire === wireBytes) section(reader);
  else if (wire === wireFixed64) reader.position += 8;
  else if (wire === wireFixed32) reader.position += 4;
  else throw new RangeError(`unknown wire type ${wire}`);
}
