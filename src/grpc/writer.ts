import { isPacked } from "./layout.ts";
import type { Field, Layout } from "./layout.ts";

type Values = Readonly<Record<string, unknown>>;

const scratchSize = 16 * 1024;
/** Up to this many units a string is written by a loop, which is quicker than a call into the runtime. */
const shortText = 48;

/** Writes a message from its end to its start, so that the length of what is nested is known when it is due. */
export class Writer {
  private readonly scratch = Buffer.allocUnsafeSlow(scratchSize);
  private bytes = this.scratch;
  /** Where the written part starts. */
  private start = scratchSize;

  /** The bytes of a message, which nobody else holds. */
  message(layout: Layout, values: Values): Buffer {
    this.bytes = this.scratch;
    this.start = scratchSize;
    this.fields(layout, values);
    const written = this.bytes.subarray(this.start);
    const isShared = this.bytes === this.scratch;
    this.bytes = this.scratch;
    return isShared ? Buffer.from(written) : written;
  }

  private fields({ fields }: Layout, values: Values): void {
    for (let index = fields.length - 1; index >= 0; index--) {
      const field = fields[index]!;
      const value = values[field.name];
      if (value === undefined) continue;
      if (field.kind === "map") this.map(field, value as Readonly<Record<string, string>>);
      else if (!field.isRepeated) this.single(field, value);
      else if (isPacked(field.kind)) this.packed(field, value as readonly unknown[]);
      else this.list(field, value as readonly unknown[]);
    }
  }

  /** A zero is left out, as proto3 does, unless its presence is told. */
  private single(field: Field, value: unknown): void {
    if (!field.hasPresence && isZero(field, value)) return;
    this.value(field, value);
    this.varint(field.tag);
  }

  private list(field: Field, items: readonly unknown[]): void {
    for (let index = items.length - 1; index >= 0; index--) {
      this.value(field, items[index]);
      this.varint(field.tag);
    }
  }

  private packed(field: Field, items: readonly unknown[]): void {
    if (items.length === 0) return;
    const end = this.length;
    for (let index = items.length - 1; index >= 0; index--) this.value(field, items[index]);
    this.varint(this.length - end);
    this.varint(field.tag);
  }

  private map(field: Field, entries: Readonly<Record<string, string>>): void {
    for (const [key, value] of Object.entries(entries).toReversed()) {
      const end = this.length;
      this.text(value, "utf8");
      this.varint(0x12);
      this.text(key, "utf8");
      this.varint(0x0a);
      this.varint(this.length - end);
      this.varint(field.tag);
    }
  }

  private value(field: Field, value: unknown): void {
    switch (field.kind) {
      case "number":
        return this.varint(value as number);
      case "bool":
        return this.varint(value ? 1 : 0);
      case "digits":
        return this.digits(value as string);
      case "string":
        return this.text(value as string, "utf8");
      case "latin1":
        return this.text(value as string, "latin1");
      case "bytes":
        return this.raw(value as Uint8Array);
      default: {
        const end = this.length;
        this.fields(field.layout!, value as Values);
        this.varint(this.length - end);
      }
    }
  }

  private get length(): number {
    return this.bytes.length - this.start;
  }

  private raw(value: Uint8Array): void {
    this.make(value.length);
    this.bytes.set(value, this.start);
    this.varint(value.length);
  }

  private text(value: string, encoding: "utf8" | "latin1"): void {
    if (value.length <= shortText && this.shortAscii(value)) return this.varint(value.length);
    const length = encoding === "latin1" ? value.length : Buffer.byteLength(value);
    this.make(length);
    this.bytes.write(value, this.start, length, encoding);
    this.varint(length);
  }

  /** Writes what both encodings write alike; nothing when a unit differs. */
  private shortAscii(value: string): boolean {
    const { length } = value;
    for (let index = 0; index < length; index++) if (value.charCodeAt(index) > 127) return false;
    this.make(length);
    const { bytes, start } = this;
    for (let index = 0; index < length; index++) bytes[start + index] = value.charCodeAt(index);
    return true;
  }

  private digits(value: string): void {
    const number = Number(value);
    if (Number.isSafeInteger(number)) this.varint(number);
    else this.wide(BigInt(value));
  }

  private varint(value: number): void {
    if (value < 0) return this.wide(BigInt(value));
    let length = 1;
    for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length++;
    this.make(length);
    let position = this.start;
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.bytes[position++] = (rest % 128) | 128;
    this.bytes[position] = rest;
  }

  private wide(value: bigint): void {
    const written: number[] = [];
    let rest = BigInt.asUintN(64, value);
    for (; rest > 127n; rest >>= 7n) written.push(Number(rest & 127n) | 128);
    written.push(Number(rest));
    this.make(written.length);
    this.bytes.set(written, this.start);
  }

  /** Makes room in front of what is written. */
  private make(length: number): void {
    if (this.start < length) {
      const used = this.length;
      const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, used + length + scratchSize));
      this.bytes.copy(grown, grown.length - used, this.start);
      this.bytes = grown;
      this.start = grown.length - used;
    }
    this.start -= length;
  }
}

function isZero({ kind }: Field, value: unknown): boolean {
  if (typeof value === "object") return value instanceof Uint8Array && value.length === 0;
  return value === 0 || value === "" || value === false || (kind === "digits" && value === "0");
}
