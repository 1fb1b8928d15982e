import { SchemaAlternative } from "../schema/index.ts";
import type { ListType, MapType, ScalarType, StructType, Type } from "../schema/types.ts";
import { encodeBase64 } from "./base64.ts";
import { CborWriter, encodedFields, majorType, selfDescribed } from "./cbor-encode.ts";
import { CborMismatch, CborReader, duplicateKey, laterText, nameOfMajor, notTwice } from "./cbor-reader.ts";
import { alternative, completeStruct, goName, isOmitted, planOf, setKey } from "./convert.ts";
import { DecodeError } from "./decode-error.ts";
import type { Decoded, DecodeOptions } from "./json.ts";
import { convertScalar, zeroOfScalar } from "./scalars.ts";

/** An object in the encoding `application/cbor`; `type` tells bytes from text. */
export function encodeCbor(object: object, type?: StructType): Uint8Array {
  const writer = new CborWriter();
  writer.raw(selfDescribed);
  writer.value(object, type);
  return writer.finish();
}

/** One event of an `application/cbor-seq` watch; `object` is encoded already. */
export function encodeCborEvent(type: string, object: Uint8Array): Uint8Array {
  const writer = new CborWriter();
  writer.raw(selfDescribed);
  writer.head(majorType.map, 2);
  writer.text("type");
  writer.text(type);
  writer.text("object");
  writer.raw(object);
  return writer.finish();
}

/** Any CBOR item in the form of JSON: text, and base64 of bytes that are tagged so. Throws DecodeError. */
export function decodeCborValue(bytes: Uint8Array): unknown {
  const reader = new CborReader(bytes);
  reader.head();
  const value = inWords(
    () => reader.any(),
    () => "value",
  );
  reader.end();
  return value;
}

/** An object of a type from CBOR. Throws DecodeError in the words of upstream's decoder. */
export function decodeCbor(bytes: Uint8Array, type: StructType, options: DecodeOptions = {}): Decoded {
  try {
    const decoder = new TypedDecoder(bytes);
    const object = decoder.object(type);
    const { unknownField } = decoder;
    if (options.strict !== true || unknownField === undefined) return { object, problems: [] };
    return { object, problems: [`cbor: found unknown field at map element index ${unknownField}`] };
  } catch (error) {
    if (error instanceof DecodeError) cborNames(bytes);
    throw error;
  }
}

/** Kind and version of an object: upstream reads them in a pass of its own, which also finds what is malformed. */
export function cborNames(bytes: Uint8Array): { readonly kind?: string; readonly apiVersion?: string } {
  let field = "";
  const names: Record<string, string> = {};
  try {
    const reader = new CborReader(bytes);
    inWords(
      () => readKind(reader, { names, onField: (name) => (field = name) }),
      () => placeOf("v1.TypeMeta", field),
    );
    reader.end();
    return names;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(`unable to determine group/version/kind: ${error.message}`);
  }
}

function readKind(
  reader: CborReader,
  { names, onField }: { readonly names: Record<string, string>; readonly onField: (name: string) => void },
): void {
  reader.head();
  reader.tags();
  if (reader.major !== majorType.map) throw new CborMismatch(nameOfMajor(reader.major), "v1.TypeMeta");
  const keys = new Set<string>();
  reader.pairs((index) => {
    onField("");
    const key = reader.key();
    notTwice(keys, key, index);
    if (key !== "kind" && key !== "apiVersion") reader.skip();
    else {
      onField(key);
      reader.head();
      const name = readText(reader);
      if (typeof name === "string") names[key] = name;
    }
  });
}

const placeOf = (struct: string, field: string) =>
  field === "" ? "value" : `struct field ${struct}.${field}`;

/** Puts a mismatch into words. */
function inWords<T>(read: () => T, placeOfMismatch: () => string): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CborMismatch)) throw error;
    const { found, wanted, remark } = error;
    throw new DecodeError(
      `cbor: cannot unmarshal ${found} into Go ${placeOfMismatch()} of type ${wanted}${remark}`,
    );
  }
}

/** The text of a string item, its head read. */
function readText(reader: CborReader): string {
  const later = reader.tags();
  if (reader.isNull()) return "";
  if (reader.major !== majorType.bytes && reader.major !== majorType.text)
    throw new CborMismatch(nameOfMajor(reader.major), "string");
  if (later !== undefined && reader.major === majorType.bytes) return laterText(reader.bytes(), later);
  return reader.text();
}

class TypedDecoder {
  /** Where in its map the first field was that its type does not have. */
  unknownField: number | undefined;
  readonly #reader: CborReader;
  #level = 0;
  /** The field of the outermost struct that is being read. */
  #field = "";

  constructor(bytes: Uint8Array) {
    this.#reader = new CborReader(bytes);
  }

  object(type: StructType): object {
    const reader = this.#reader;
    reader.head();
    const result = inWords(
      () => this.#value(type),
      // Go names the outermost struct and its field.
      () => placeOf(goName(type), this.#field),
    );
    reader.end();
    return result as object;
  }

  /** A value, its head read. */
  #value(type: Type): unknown {
    switch (type.kind) {
      case "struct":
        return this.#struct(type);
      case "list":
        return this.#list(type);
      case "map":
        return this.#map(type);
      default:
        return this.#scalar(type);
    }
  }

  #struct(type: StructType): object {
    const reader = this.#reader;
    reader.tags();
    const result: Record<string, unknown> = {};
    if (!reader.isNull()) {
      if (reader.major !== majorType.map) throw new CborMismatch(nameOfMajor(reader.major), goName(type));
      // Keys of fields that the result does not show, which are few.
      const hidden = new Set<string>();
      this.#level++;
      const fields = encodedFields(type);
      let last = -1;
      reader.pairs((index) => {
        const field = reader.field(fields, last);
        if (field !== undefined) last = field;
        const key = field === undefined ? this.#fieldName(type) : (fields[field]?.name ?? "");
        if (Object.hasOwn(result, key)) throw duplicateKey(key, index);
        if (this.#level === 1) this.#field = key;
        this.#member(result, key, { type, index });
        if (!Object.hasOwn(result, key)) notTwice(hidden, key, index);
      });
      this.#level--;
    }
    completeStruct(result, type);
    return result;
  }

  #fieldName(type: StructType): string {
    const reader = this.#reader;
    reader.head();
    reader.tags();
    const { major } = reader;
    if (major === majorType.bytes || major === majorType.text) return reader.text();
    const found = nameOfMajor(major);
    const remark = `map key is of type ${found} and cannot be used to match struct ${goName(type)} field name`;
    throw new CborMismatch(found, "string", remark);
  }

  #member(
    result: Record<string, unknown>,
    key: string,
    { type, index }: { readonly type: StructType; readonly index: number },
  ): void {
    const reader = this.#reader;
    const step = planOf(type).steps.get(key);
    if (step === undefined) {
      if (type.preserveUnknown) {
        reader.head();
        setKey(result, key, reader.any());
      } else {
        this.unknownField ??= index;
        reader.skip();
      }
      return;
    }
    reader.head();
    // Null leaves a field as it was: at its zero value.
    if (reader.isNull()) return;
    const value = this.#value(step.field.type);
    if (!step.field.omitEmpty || !isOmitted(value, step.field)) result[key] = value;
  }

  #list(type: ListType): readonly unknown[] | null {
    const reader = this.#reader;
    reader.tags();
    if (reader.isNull()) return null;
    if (reader.major !== majorType.array) throw new CborMismatch(nameOfMajor(reader.major), goName(type));
    const result: unknown[] = [];
    reader.elements(() => {
      reader.head();
      result.push(this.#value(type.element));
    });
    return result;
  }

  #map(type: MapType): object | null {
    const reader = this.#reader;
    reader.tags();
    if (reader.isNull()) return null;
    if (reader.major !== majorType.map) throw new CborMismatch(nameOfMajor(reader.major), goName(type));
    const result: Record<string, unknown> = {};
    reader.pairs((index) => {
      const key = reader.key();
      if (Object.hasOwn(result, key)) throw duplicateKey(key, index);
      reader.head();
      setKey(result, key, this.#value(type.value));
    });
    return result;
  }

  #scalar(type: ScalarType): unknown {
    if (type instanceof SchemaAlternative) return alternative(this.#reader.any(), type);
    switch (type.kind) {
      case "raw":
      case "json":
      case "fieldsV1":
        return this.#reader.any();
      case "bytes":
        return this.#bytes();
      case "string":
        return readText(this.#reader);
      default: {
        const reader = this.#reader;
        reader.tags();
        return reader.isNull() ? zeroOfScalar(type) : this.#converted(type);
      }
    }
  }

  /** Byte strings hold base64, unless a tag says that they are the bytes themselves. */
  #bytes(): unknown {
    const reader = this.#reader;
    const later = reader.tags();
    if (reader.isNull()) return null;
    if (reader.major !== majorType.bytes) throw new CborMismatch(nameOfMajor(reader.major), "[]uint8");
    if (later !== undefined) return encodeBase64(reader.bytes());
    try {
      return convertScalar(reader.text(), { kind: "bytes" });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new DecodeError(`cbor: failed to decode base64 from byte string: ${error.message}`);
    }
  }

  #converted(type: ScalarType): unknown {
    const reader = this.#reader;
    const { major } = reader;
    const found = nameOfMajor(major);
    const value = this.#plain(type);
    const converted = convertScalar(value, type);
    if (converted !== undefined) return converted;
    const wanted = type.kind === "intOrString" ? "int32" : goName(type);
    if (major !== majorType.unsigned && major !== majorType.negative) throw new CborMismatch(found, wanted);
    const isNumber = /^u?int/.test(type.kind) || type.kind === "intOrString";
    throw new CborMismatch(found, wanted, isNumber ? `${value} overflows ${wanted}` : "");
  }

  /** The value of an item that can only be a scalar. */
  #plain(type: ScalarType): string | number | boolean {
    const reader = this.#reader;
    switch (reader.major) {
      case majorType.unsigned:
      case majorType.negative:
        return reader.integer();
      case majorType.bytes:
      case majorType.text:
        return reader.text();
      case majorType.primitive: {
        const float = reader.float();
        if (float === false) return reader.simple();
        // Go converts no floats to integers, be they whole.
        if (type.kind !== "float64") throw new CborMismatch(nameOfMajor(reader.major), goName(type));
        return float;
      }
      default:
        throw new CborMismatch(nameOfMajor(reader.major), goName(type));
    }
  }
}
