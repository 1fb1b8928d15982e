import { isPacked, mapEntry, wire } from "./layout.ts";
import type { Field, FieldKind, Layout } from "./layout.ts";

type Message = Record<string, unknown>;

/** A varint of so many bytes holds a negative number or one beyond 2^63. */
const widestVarint = 10;

/** Reads messages from bytes; what it hands out shares no memory with them. */
export class Reader {
  /** A Buffer, because its short strings are read several times faster than a TextDecoder's. */
  private readonly bytes: Buffer;
  private position = 0;
  private end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
  }

  message({ fields, byNumber }: Layout): Message {
    const message: Message = {};
    for (const field of fields) message[field.name] = zero(field);
    while (this.position < this.end) {
      const tag = this.varint();
      const field = byNumber[tag >>> 3];
      if (field) this.field(field, tag & 7, message);
      else this.skip(tag & 7);
    }
    return message;
  }

  private field(field: Field, type: number, message: Message): void {
    if (type === wire.varint && isPacked(field.kind)) return keep(message, field, this.number(field));
    if (type !== wire.bytes) return this.skip(type);
    const { end } = this;
    this.end = this.sectionEnd();
    if (isPacked(field.kind)) {
      while (this.position < this.end) keep(message, field, this.number(field));
    } else if (field.kind === "map") {
      const entry = this.message(mapEntry);
      (message[field.name] as Message)[entry["key"] as string] = entry["value"];
    } else keep(message, field, field.layout ? this.message(field.layout) : this.section(field.kind));
    this.position = this.end;
    this.end = end;
  }

  private section(kind: FieldKind): unknown {
    const { bytes, position, end } = this;
    if (kind === "bytes") return new Uint8Array(bytes.subarray(position, end));
    return bytes.toString(kind === "latin1" ? "latin1" : "utf8", position, end);
  }

  private sectionEnd(): number {
    const length = this.varint();
    const end = this.position + length;
    if (end > this.end) throw new RangeError("truncated message");
    return end;
  }

  private number({ kind, isSigned }: Field): number | boolean | string {
    const start = this.position;
    const value = this.varint();
    if (kind === "bool") return value !== 0;
    if (kind === "digits") {
      return Number.isSafeInteger(value) ? String(value) : String(this.wide(start, isSigned));
    }
    return isSigned && this.position - start === widestVarint ? Number(this.wide(start, true)) : value;
  }

  /** The varint that starts at `start` and ends where the reader stands, with all its digits. */
  private wide(start: number, isSigned: boolean): bigint {
    let value = 0n;
    for (let index = start; index < this.position; index++) {
      value |= BigInt(this.bytes[index]! & 127) << BigInt(7 * (index - start));
    }
    return isSigned ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  }

  private varint(): number {
    const first = this.position < this.end ? this.bytes[this.position]! : 128;
    if (first < 128) {
      this.position++;
      return first;
    }
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.position++];
      if (byte === undefined || this.position > this.end) throw new RangeError("truncated message");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      if (scale > 2 ** 63) throw new RangeError("a number is too long");
    }
  }

  private skip(type: number): void {
    if (type === wire.varint) this.varint();
    else if (type === wire.bytes) this.position = this.sectionEnd();
    else if (type === wire.fixed64) this.position += 8;
    else if (type === wire.fixed32) this.position += 4;
    else throw new RangeError(`unknown wire type ${type}`);
    if (this.position > this.end) throw new RangeError("truncated message");
  }
}

function keep(message: Message, field: Field, value: unknown): void {
  if (field.isRepeated) (message[field.name] as unknown[]).push(value);
  else message[field.name] = value;
}

const noBytes = new Uint8Array(0);
const zeros: Readonly<Record<FieldKind, unknown>> = {
  number: 0,
  bool: false,
  digits: "0",
  string: "",
  latin1: "",
  bytes: noBytes,
  map: undefined,
  message: undefined,
};

function zero({ isRepeated, kind, hasPresence }: Field): unknown {
  if (isRepeated) return [];
  if (hasPresence) return undefined;
  return kind === "map" ? {} : zeros[kind];
}
