import { SchemaAlternative } from "../schema/index.ts";
import type { StructType, Type } from "../schema/types.ts";
import { decodeBase64 } from "./base64.ts";
import { DecodeError } from "./decode-error.ts";

/** Kinds of data items, by the top three bits of their first byte (RFC 8949, section 3.1). */
export const majorType = {
  unsigned: 0x00,
  negative: 0x20,
  bytes: 0x40,
  text: 0x60,
  array: 0x80,
  map: 0xa0,
  tag: 0xc0,
  primitive: 0xe0,
} as const;

/** Tags that mean something to Kubernetes (RFC 8949, section 3.4). */
export const cborTag = {
  timeText: 0,
  timeNumber: 1,
  positiveBignum: 2,
  negativeBignum: 3,
  laterBase64Url: 21,
  laterBase64: 22,
  laterHexadecimal: 23,
} as const;

/** The tag of self-described CBOR, 55799: what every encoded object begins with. */
export const selfDescribed: Uint8Array = Uint8Array.of(0xd9, 0xd9, 0xf7);

const textEncoder = new TextEncoder();
const initialSize = 4096;
/** Up to this length a loop beats TextEncoder. */
const shortText = 48;

/** A field's encoded name and its type. */
export interface EncodedField {
  readonly name: string;
  readonly key: Uint8Array;
  readonly type: Type;
}

interface Plan {
  readonly fields: readonly EncodedField[];
  readonly byName: ReadonlyMap<string, EncodedField>;
}

/** Derived from types alone, so that it may outlive what uses it. */
const plans = new WeakMap<StructType, Plan>();

function planOf(type: StructType): Plan {
  const known = plans.get(type);
  if (known !== undefined) return known;
  const fields = type.fields.map((field): EncodedField => {
    const writer = new CborWriter();
    writer.text(field.name);
    return { name: field.name, key: writer.finish(), type: field.type };
  });
  const plan = { fields, byName: new Map(fields.map((field) => [field.name, field])) };
  plans.set(type, plan);
  return plan;
}

/** The fields of a type in order, their names as they are written. */
export const encodedFields = (type: StructType): readonly EncodedField[] => planOf(type).fields;

/**
 * Writes values as upstream does: text and keys as byte strings, base64 of byte fields as the bytes themselves under
 * tag 22, floats in the fewest bytes. Keys keep the object's order: upstream sorts what it stores, not what it serves.
 */
export class CborWriter {
  #bytes = new Uint8Array(initialSize);
  #length = 0;

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** First byte and argument of an item. */
  head(major: number, argument: number): void {
    this.#reserve(9);
    const bytes = this.#bytes;
    if (argument < 24) {
      bytes[this.#length++] = major | argument;
    } else if (argument < 0x100) {
      bytes[this.#length++] = major | 24;
      bytes[this.#length++] = argument;
    } else if (argument < 0x1_0000) {
      bytes[this.#length++] = major | 25;
      bytes[this.#length++] = argument >>> 8;
      bytes[this.#length++] = argument & 0xff;
    } else if (argument < 0x1_0000_0000) {
      bytes[this.#length++] = major | 26;
      this.#view(4).setUint32(0, argument);
    } else {
      bytes[this.#length++] = major | 27;
      this.#view(8).setBigUint64(0, BigInt(argument));
    }
  }

  /** Text as a byte string: nothing says that it has been checked to be UTF-8. */
  text(value: string): void {
    const { length } = value;
    if (length > shortText) {
      this.#byteString(textEncoder.encode(value));
      return;
    }
    const before = this.#length;
    this.head(majorType.bytes, length);
    this.#reserve(length);
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        this.#length = before;
        this.#byteString(textEncoder.encode(value));
        return;
      }
      this.#bytes[this.#length++] = code;
    }
  }

  /** A value of a type; without a type as its own form says. */
  value(value: unknown, type?: Type): void {
    switch (typeof value) {
      case "string":
        if (type?.kind === "bytes") {
          this.head(majorType.tag, cborTag.laterBase64);
          this.#byteString(decodeBase64(value));
        } else this.text(value);
        return;
      case "number":
        if (type?.kind !== "float64" && isInteger(value)) this.#integer(value);
        else this.#float(value);
        return;
      case "boolean":
        this.head(majorType.primitive, value ? 21 : 20);
        return;
      default:
        if (value === null || value === undefined) this.head(majorType.primitive, 22);
        else if (Array.isArray(value)) this.#list(value, type);
        else this.#object(value as Readonly<Record<string, unknown>>, type);
    }
  }

  #byteString(bytes: Uint8Array): void {
    this.head(majorType.bytes, bytes.length);
    this.raw(bytes);
  }

  #list(list: readonly unknown[], type: Type | undefined): void {
    this.head(majorType.array, list.length);
    const element = elementOf(type);
    for (const value of list) this.value(value, element);
  }

  #object(object: Readonly<Record<string, unknown>>, type: Type | undefined): void {
    const struct = type instanceof SchemaAlternative ? type.schema : type;
    const plan = struct?.kind === "struct" ? planOf(struct) : undefined;
    const element = type?.kind === "map" ? type.value : undefined;
    let pairs = 0;
    for (const key in object) if (object[key] !== undefined) pairs++;
    this.head(majorType.map, pairs);
    for (const key in object) {
      const value = object[key];
      if (value === undefined) continue;
      const field = plan?.byName.get(key);
      if (field === undefined) {
        this.text(key);
        this.value(value, element);
      } else {
        this.raw(field.key);
        this.value(value, field.type);
      }
    }
  }

  #integer(value: number): void {
    if (value >= 0) this.head(majorType.unsigned, value);
    else this.head(majorType.negative, -1 - value);
  }

  #float(value: number): void {
    if (!Number.isFinite(value)) throw new DecodeError("cbor: unsupported value: NaN or infinity");
    const half = halfOf(value);
    if (half !== undefined) {
      this.#primitive(25, 2).setUint16(0, half);
    } else if (Math.fround(value) === value) {
      this.#primitive(26, 4).setFloat32(0, value);
    } else this.#primitive(27, 8).setFloat64(0, value);
  }

  #primitive(information: number, size: number): DataView {
    this.#reserve(9);
    this.#bytes[this.#length++] = majorType.primitive | information;
    return this.#view(size);
  }

  /** The next bytes, which count as written. */
  #view(size: number): DataView {
    this.#length += size;
    return new DataView(this.#bytes.buffer, this.#length - size, size);
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size + initialSize));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Whether a number is one of Go's int64; larger ones are floats there, too. */
const isInteger = (value: number) => Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;

function elementOf(type: Type | undefined): Type | undefined {
  if (type instanceof SchemaAlternative) return type.form === "schemas" ? type.schema : undefined;
  return type?.kind === "list" ? type.element : undefined;
}

const floatView = new DataView(new ArrayBuffer(4));

/** The sixteen bits of a number that a half precision float holds exactly. */
function halfOf(value: number): number | undefined {
  if (Math.fround(value) !== value) return undefined;
  floatView.setFloat32(0, value);
  const bits = floatView.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (magnitude === 0) return sign;
  // Below 2⁻¹⁴ halves have no exponent: they are multiples of 2⁻²⁴.
  if (magnitude < 2 ** -14) {
    const multiple = magnitude * 2 ** 24;
    return Number.isInteger(multiple) ? sign | multiple : undefined;
  }
  if (magnitude > 65_504 || (bits & 0x1fff) !== 0) return undefined;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  return sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}
