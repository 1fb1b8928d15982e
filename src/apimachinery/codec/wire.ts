import { DecodeError } from "./decode-error.ts";

/** Protobuf wire types that Kubernetes uses. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();
const initialSize = 4096;
/** Up to this length a loop beats TextEncoder and TextDecoder. */
const shortText = 48;

/**
 * Writes a message from its last byte to its first, so that lengths are known when they are written: nothing is
 * measured twice and nothing is moved.
 */
export class BackwardWriter {
  #bytes = new Uint8Array(initialSize);
  #start = initialSize;

  /** Bytes written so far; the difference of two is a length. */
  get length(): number {
    return this.#bytes.length - this.#start;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(this.#start);
  }

  tag(field: number, wire: number): void {
    this.uint32((field << 3) | wire);
  }

  /** Length and tag of what has been written since `before`. */
  delimit(field: number, before: number): void {
    this.uint32(this.length - before);
    this.tag(field, wireType.bytes);
  }

  /** Unsigned, below 2³². */
  uint32(value: number): void {
    if (value < 0x80) {
      this.#reserve(1);
      this.#bytes[--this.#start] = value;
      return;
    }
    const size = value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
    this.#reserve(size);
    this.#start -= size;
    let rest = value;
    for (let index = 0; index < size - 1; index++) {
      this.#bytes[this.#start + index] = (rest & 0x7f) | 0x80;
      rest = rest >>> 7;
    }
    this.#bytes[this.#start + size - 1] = rest;
  }

  /** An integer as int32, int64 or uint64 write it; negative ones take ten bytes. */
  integer(value: number): void {
    if (value >= 0 && value < 0x8000_0000) this.uint32(value);
    else this.bigint(BigInt(value));
  }

  bigint(value: bigint): void {
    const groups: number[] = [];
    let rest = BigInt.asUintN(64, value);
    do {
      groups.push(Number(rest & 0x7fn));
      rest >>= 7n;
    } while (rest > 0n);
    this.#reserve(groups.length);
    this.#start -= groups.length;
    for (const [index, group] of groups.entries())
      this.#bytes[this.#start + index] = index < groups.length - 1 ? group | 0x80 : group;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#start -= 8;
    new DataView(this.#bytes.buffer).setFloat64(this.#start, value, true);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#start -= value.length;
    this.#bytes.set(value, this.#start);
  }

  /** Text in UTF-8, without its length. */
  text(value: string): void {
    const { length } = value;
    if (length > shortText) {
      this.bytes(textEncoder.encode(value));
      return;
    }
    this.#reserve(length);
    const start = this.#start - length;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        this.bytes(textEncoder.encode(value));
        return;
      }
      this.#bytes[start + index] = code;
    }
    this.#start = start;
  }

  #reserve(size: number): void {
    if (size <= this.#start) return;
    const used = this.length;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, used + size + initialSize));
    grown.set(this.#bytes.subarray(this.#start), grown.length - used);
    this.#start = grown.length - used;
    this.#bytes = grown;
  }
}

export const fieldOf = (tag: number): number => tag >>> 3;
export const wireOf = (tag: number): number => tag & 7;

/** Reads a message, never past its end; throws DecodeError when it is malformed. */
export class Reader {
  readonly #bytes: Uint8Array;
  #position: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#position >= this.#end;
  }

  /** Field number and wire type in one number: `fieldOf` and `wireOf` take it apart. */
  tag(): number {
    const tag = this.uint32();
    if (tag < 8) throw new DecodeError("proto: illegal tag 0");
    return tag;
  }

  /** Lengths and tags. */
  uint32(): number {
    const value = this.integer();
    if (value < 0 || value > 0xffff_ffff) throw new DecodeError("proto: integer overflow");
    return value;
  }

  integer(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return Number(this.#large(value));
  }

  bigint(): bigint {
    return this.#large(0, 0);
  }

  double(): number {
    const start = this.#advance(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getFloat64(start, true);
  }

  bytes(): Uint8Array {
    const length = this.uint32();
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  text(): string {
    const length = this.uint32();
    const start = this.#advance(length);
    if (length > shortText) return textDecoder.decode(this.#bytes.subarray(start, start + length));
    let text = "";
    for (let index = start; index < start + length; index++) {
      const code = this.#bytes[index] ?? 0;
      if (code > 0x7f) return textDecoder.decode(this.#bytes.subarray(start, start + length));
      text += String.fromCharCode(code);
    }
    return text;
  }

  /** A nested message. */
  message(): Reader {
    const length = this.uint32();
    const start = this.#advance(length);
    return new Reader(this.#bytes, start, start + length);
  }

  skip(wire: number): void {
    if (wire === wireType.varint) this.integer();
    else if (wire === wireType.fixed64) this.#advance(8);
    else if (wire === wireType.fixed32) this.#advance(4);
    else if (wire === wireType.bytes) this.#advance(this.uint32());
    else throw new DecodeError(`proto: illegal wireType ${wire}`);
  }

  /** The rest of a varint of which four groups are in `low`, or all of it. */
  #large(low: number, from = 28): bigint {
    let value = BigInt(low);
    for (let shift = from; shift < 70; shift += 7) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new DecodeError("proto: integer overflow");
  }

  #byte(): number {
    const byte = this.#position < this.#end ? this.#bytes[this.#position] : undefined;
    if (byte === undefined) throw new DecodeError("unexpected EOF");
    this.#position++;
    return byte;
  }

  #advance(length: number): number {
    const start = this.#position;
    if (length > this.#end - start) throw new DecodeError("unexpected EOF");
    this.#position = start + length;
    return start;
  }
}
