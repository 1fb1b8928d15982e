import { encodeBase64 } from "./base64.ts";
import { cborTag, majorType, type EncodedField } from "./cbor-encode.ts";
import { DecodeError } from "./decode-error.ts";
import { normalizeTime } from "./time.ts";
import { setKey } from "./convert.ts";

/** Limits of upstream's decoder. */
const maximumNesting = 64;
const maximumElements = 1024;
const maximumPairs = 1024;

const textDecoder = new TextDecoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Up to this length a loop beats TextDecoder. */
const shortText = 12;
/** How many of an indefinite item there are is said by a break at its end. */
const indefinite = -1;
/** The last second that RFC 3339 can write. */
const lastSecond = 253_402_300_799;

const names: Readonly<Record<number, string>> = {
  [majorType.unsigned]: "positive integer",
  [majorType.negative]: "negative integer",
  [majorType.bytes]: "byte string",
  [majorType.text]: "UTF-8 text string",
  [majorType.array]: "array",
  [majorType.map]: "map",
  [majorType.tag]: "tag",
  [majorType.primitive]: "primitives",
};

/** What upstream calls a kind of item. */
export const nameOfMajor = (major: number): string => names[major] ?? "";

function notAccepted(major: number, message: string): DecodeError {
  const name = nameOfMajor(major);
  return new DecodeError(`cbor: data item of cbor type ${name} is not accepted by protocol: ${message}`);
}

/** A value was of another kind than its place wants; the place is put into words further up. */
export class CborMismatch extends Error {
  override readonly name = "CborMismatch";
  readonly found: string;
  readonly wanted: string;
  readonly remark: string;

  constructor(found: string, wanted: string, remark = "") {
    super();
    this.found = found;
    this.wanted = wanted;
    this.remark = remark === "" ? "" : ` (${remark})`;
  }
}

/** Reads data items one after the other; the head of the current one is in `major` and `argument`. */
export class CborReader {
  major = 0;
  /** Length, count, tag or value; `indefinite` when a break ends the item. */
  argument = 0;
  #large = 0n;
  #information = 0;
  #position = 0;
  #depth = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length === 0) throw new DecodeError("EOF");
  }

  /** Throws when bytes follow the item. */
  end(): void {
    const rest = this.#bytes.length - this.#position;
    if (rest > 0)
      throw new DecodeError(`cbor: ${rest} bytes of extraneous data starting at index ${this.#position}`);
  }

  /** Reads the head of the next item. */
  head(): void {
    const first = this.#bytes[this.#position];
    if (first === undefined) throw new DecodeError("unexpected EOF");
    this.#position++;
    this.major = first & 0xe0;
    this.#information = first & 0x1f;
    if (this.#information < 24) this.argument = this.#information;
    else this.#longArgument();
  }

  #longArgument(): void {
    const size = 1 << (this.#information - 24);
    switch (this.#information) {
      case 24:
        this.argument = this.#view.getUint8(this.#advance(size));
        if (this.major === majorType.primitive && this.argument < 32)
          throw new DecodeError(`cbor: invalid simple value ${this.argument} for type primitives`);
        return;
      case 25:
        this.argument = this.#view.getUint16(this.#advance(size));
        return;
      case 26:
        this.argument = this.#view.getUint32(this.#advance(size));
        return;
      case 27:
        this.#large = this.#view.getBigUint64(this.#advance(size));
        this.argument = Number(this.#large);
        return;
      default: {
        const { major } = this;
        if (this.#information === 31) {
          if (major === majorType.primitive) throw new DecodeError('cbor: unexpected "break" code');
          if (major >= majorType.bytes && major <= majorType.map) {
            this.argument = indefinite;
            return;
          }
        }
        throw new DecodeError(
          `cbor: invalid additional information ${this.#information} for type ${nameOfMajor(major)}`,
        );
      }
    }
  }

  /** The exact value of an integer item. */
  #exact(): bigint {
    const value = this.#information === 27 ? this.#large : BigInt(this.argument);
    return this.major === majorType.negative ? -1n - value : value;
  }

  isNull(): boolean {
    return this.major === majorType.primitive && this.#information === 22;
  }

  /** Passes the tags around an item; answers the last that says how bytes become text. */
  tags(): number | undefined {
    let later: number | undefined;
    while (this.major === majorType.tag) {
      const tag = this.argument;
      if (tag === cborTag.positiveBignum || tag === cborTag.negativeBignum)
        throw notAccepted(majorType.tag, "bignum");
      if (tag >= cborTag.laterBase64Url && tag <= cborTag.laterHexadecimal) later = tag;
      this.#enter();
      this.head();
      this.#depth--;
    }
    return later;
  }

  /** The bytes of a string item, however many chunks it comes in. */
  bytes(): Uint8Array {
    if (this.argument !== indefinite) {
      const start = this.#advance(this.argument);
      return this.#bytes.subarray(start, this.#position);
    }
    const { major } = this;
    const chunks: number[] = [];
    while (!this.#isBreak()) {
      this.head();
      if (this.major !== major) {
        const found = nameOfMajor(this.major);
        throw new DecodeError(
          `cbor: wrong element type ${found} for indefinite-length ${nameOfMajor(major)}`,
        );
      }
      if (this.argument === indefinite)
        throw new DecodeError(`cbor: indefinite-length ${nameOfMajor(major)} chunk is not definite-length`);
      for (const byte of this.bytes()) chunks.push(byte);
    }
    this.major = major;
    return Uint8Array.from(chunks);
  }

  /** The text of a string item: text strings must be UTF-8, byte strings become it. */
  text(): string {
    const { major } = this;
    const bytes = this.bytes();
    if (bytes.length <= shortText) {
      let text = "";
      let index = 0;
      for (; index < bytes.length; index++) {
        const code = bytes[index] ?? 0;
        if (code > 0x7f) break;
        text += String.fromCharCode(code);
      }
      if (index === bytes.length) return text;
    }
    if (major === majorType.bytes) return textDecoder.decode(bytes);
    try {
      return strictDecoder.decode(bytes);
    } catch {
      throw new DecodeError("cbor: invalid UTF-8 string");
    }
  }

  /** The value of a float item; false for other primitives. */
  float(): number | false {
    if (this.major !== majorType.primitive) return false;
    let value: number;
    if (this.#information === 25) value = fromHalf(this.argument);
    else if (this.#information === 26) value = this.#view.getFloat32(this.#position - 4);
    else if (this.#information === 27) value = this.#view.getFloat64(this.#position - 8);
    else return false;
    if (Number.isNaN(value)) throw notAccepted(majorType.primitive, "floating-point NaN");
    if (!Number.isFinite(value)) throw notAccepted(majorType.primitive, "floating-point infinity");
    return value;
  }

  /** The value of a primitive that is no float: true or false. */
  simple(): boolean {
    if (this.argument !== 20 && this.argument !== 21)
      throw notAccepted(majorType.primitive, `simple value ${this.argument} is not recognized`);
    return this.argument === 21;
  }

  /** Calls `read` for each element of an array. */
  elements(read: (index: number) => void): void {
    this.#each(maximumElements, { what: "number of elements", of: "array" }, read);
  }

  /** Calls `read` for each pair of a map. */
  pairs(read: (index: number) => void): void {
    this.#each(maximumPairs, { what: "number of key-value pairs", of: "map" }, read);
  }

  #each(
    limit: number,
    names: { readonly what: string; readonly of: string },
    read: (index: number) => void,
  ): void {
    const count = this.argument;
    this.#enter();
    for (let index = 0; count === indefinite ? !this.#isBreak() : index < count; index++) {
      if (index === limit || count > limit)
        throw new DecodeError(`cbor: exceeded max ${names.what} ${limit} for CBOR ${names.of}`);
      read(index);
    }
    this.#depth--;
  }

  /** Any item, its head read, in the form of JSON. */
  any(): unknown {
    const time = this.#time();
    if (time !== undefined) return time;
    const later = this.tags();
    switch (this.major) {
      case majorType.unsigned:
      case majorType.negative:
        return this.integer();
      case majorType.bytes:
        return later === undefined ? this.text() : laterText(this.bytes(), later);
      case majorType.text:
        return this.text();
      case majorType.array: {
        const list: unknown[] = [];
        this.elements(() => {
          this.head();
          list.push(this.any());
        });
        return list;
      }
      case majorType.map: {
        const object: Record<string, unknown> = {};
        this.pairs((index) => {
          const key = this.key();
          if (Object.hasOwn(object, key)) throw duplicateKey(key, index);
          this.head();
          setKey(object, key, this.any());
        });
        return object;
      }
      default: {
        if (this.isNull()) return null;
        const float = this.float();
        return float === false ? this.simple() : float;
      }
    }
  }

  /** Passes the next item, of which only the form must be right. */
  skip(): void {
    this.head();
    while (this.major === majorType.tag) this.head();
    if (this.major === majorType.bytes || this.major === majorType.text) this.bytes();
    else if (this.major === majorType.array) this.elements(() => this.skip());
    else if (this.major === majorType.map) {
      this.pairs(() => {
        this.skip();
        this.skip();
      });
    }
  }

  /** An integer of 64 bits, with its sign. */
  integer(): number {
    const { argument, major } = this;
    // Near 2⁶³ a number is too coarse to tell.
    if (argument >= 2 ** 63 && this.#large >= 1n << 63n) {
      const remark = `${this.#exact()} overflows Go's int64`;
      throw new CborMismatch(nameOfMajor(major), "int64", remark);
    }
    return major === majorType.negative ? -1 - argument : argument;
  }

  /**
   * The field whose encoded name comes next: most often the one after the last, for encoders keep an order.
   * Undefined, and nothing read, when there is none or it is written in another way.
   */
  field(fields: readonly EncodedField[], after: number): number | undefined {
    const { length } = fields;
    for (let step = 1; step <= length; step++) {
      const index = (after + step) % length;
      const key = fields[index]?.key;
      if (key === undefined || !this.#startsWith(key)) continue;
      this.#position += key.length;
      return index;
    }
    return undefined;
  }

  #startsWith(key: Uint8Array): boolean {
    const bytes = this.#bytes;
    const start = this.#position;
    for (let at = 0; at < key.length; at++) if (bytes[start + at] !== key[at]) return false;
    return true;
  }

  /** The text of a map's next key. */
  key(): string {
    this.head();
    this.tags();
    if (this.major !== majorType.bytes && this.major !== majorType.text)
      throw new CborMismatch(nameOfMajor(this.major), "string");
    return this.text();
  }

  /** The time of an item that is tagged as one. */
  #time(): string | undefined {
    if (this.major !== majorType.tag || this.argument > cborTag.timeNumber) return undefined;
    const tag = this.argument;
    this.head();
    this.tags();
    return tag === cborTag.timeText ? this.#timeOfText() : this.#timeOfNumber();
  }

  #timeOfText(): string {
    if (this.major === majorType.text || this.major === majorType.bytes) {
      const text = this.text();
      normalizeTime(text);
      return text;
    }
    const found = nameOfMajor(this.major);
    throw new DecodeError(`cbor: tag number 0 must be followed by text string, got ${found}`);
  }

  #timeOfNumber(): string {
    const isInteger = this.major === majorType.unsigned || this.major === majorType.negative;
    const seconds = isInteger ? this.integer() : this.float();
    if (seconds !== false && Math.abs(seconds) <= lastSecond)
      return new Date(seconds * 1000).toISOString().replace(/\.?0*Z$/, "Z");
    const found = nameOfMajor(this.major);
    throw new DecodeError(
      `cbor: tag number 1 must be followed by integer or floating-point number, got ${found}`,
    );
  }

  #isBreak(): boolean {
    const byte = this.#bytes[this.#position];
    if (byte === undefined) throw new DecodeError("unexpected EOF");
    if (byte !== 0xff) return false;
    this.#position++;
    return true;
  }

  #enter(): void {
    if (++this.#depth > maximumNesting)
      throw new DecodeError(`cbor: exceeded max nested level ${maximumNesting}`);
  }

  #advance(length: number): number {
    const start = this.#position;
    if (length > this.#bytes.length - start) throw new DecodeError("unexpected EOF");
    this.#position = start + length;
    return start;
  }
}

/** A map may have a key but once. */
export const duplicateKey = (key: string, index: number): DecodeError =>
  new DecodeError(`cbor: found duplicate map key "${key}" at map element index ${index}`);

/** Notes a key; a map that has it already is refused. */
export function notTwice(keys: Set<string>, key: string, index: number): void {
  if (keys.has(key)) throw duplicateKey(key, index);
  keys.add(key);
}

/** Bytes as the text that their tag asks for. */
export function laterText(bytes: Uint8Array, tag: number): string {
  if (tag === cborTag.laterHexadecimal)
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const text = encodeBase64(bytes);
  if (tag === cborTag.laterBase64) return text;
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The number in sixteen bits of half precision. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
