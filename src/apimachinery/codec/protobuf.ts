import { versionNamed } from "../resource.ts";
import type { GroupVersionKind } from "../resource.ts";
import { protoOf } from "../schema/index.ts";
import type { StructType } from "../schema/types.ts";
import { DecodeError } from "./decode-error.ts";
import { rawJson, readStruct, type RawDecoder } from "./protobuf-decode.ts";
import { writeStruct, writeTypeMeta } from "./protobuf-encode.ts";
import { BackwardWriter, fieldOf, Reader, wireOf, wireType } from "./wire.ts";

/** `k8s\0`: what every encoded object begins with. */
const magic = Uint8Array.of(0x6b, 0x38, 0x73, 0);

/** An object may hold raw objects that hold raw objects. */
const maximumEnvelopes = 8;

/** Finds the type of a kind. */
export interface TypeSource {
  typeOf(kind: GroupVersionKind): StructType | undefined;
}

/** Whether objects of the type can be sent as protobuf. */
export function hasProtobuf(type: StructType): boolean {
  return protoOf(type) !== undefined;
}

/** Whether the bytes are an envelope. */
export function isProtobuf(bytes: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/** An object in the envelope `application/vnd.kubernetes.protobuf`; its kind comes from the object. */
export function encodeProtobuf(object: object, type: StructType): Uint8Array {
  const writer = new BackwardWriter();
  writer.delimit(4, writer.length);
  writer.delimit(3, writer.length);
  const before = writer.length;
  writeStruct(writer, object, type);
  writer.delimit(2, before);
  writeTypeMeta(writer, 1, object);
  writer.bytes(magic);
  return writer.finish();
}

/**
 * A watch event whose object is encoded already (with its envelope). Streams carry the event's bare message, after
 * its length in four bytes, big endian; the answer is that frame.
 */
export function encodeWatchFrame(type: string, object: Uint8Array): Uint8Array {
  const writer = new BackwardWriter();
  const raw = writer.length;
  writer.bytes(object);
  writer.delimit(1, raw);
  writer.delimit(2, raw);
  const text = writer.length;
  writer.text(type);
  writer.delimit(1, text);
  const { length } = writer;
  writer.bytes(Uint8Array.of(length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff));
  return writer.finish();
}

/** The type and the encoded object of a watch event's bare message. */
export function decodeWatchEvent(message: Uint8Array): {
  readonly type: string;
  readonly object: Uint8Array;
} {
  const reader = new Reader(message);
  let type = "";
  let object = new Uint8Array(0);
  while (!reader.done) {
    const tag = reader.tag();
    const [field, wire] = [fieldOf(tag), wireOf(tag)];
    if (wire === wireType.bytes && field === 1) type = reader.text();
    else if (wire === wireType.bytes && field === 2) object = readRawBytes(reader.message());
    else reader.skip(wire);
  }
  return { type, object };
}

function readRawBytes(reader: Reader): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(0);
  while (!reader.done) {
    const tag = reader.tag();
    const [field, wire] = [fieldOf(tag), wireOf(tag)];
    if (wire === wireType.bytes && field === 1) bytes = reader.bytes() as Uint8Array<ArrayBuffer>;
    else reader.skip(wire);
  }
  return bytes;
}

export interface ProtobufEnvelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly contentType: string;
  readonly raw: Uint8Array;
}

/** Opens an envelope without looking into the object. */
export function readEnvelope(bytes: Uint8Array): ProtobufEnvelope {
  if (bytes.length === 0) throw new DecodeError("empty data");
  if (!isProtobuf(bytes))
    throw new DecodeError(
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    );
  if (bytes.length === magic.length) throw new DecodeError("empty body");
  const reader = new Reader(bytes, magic.length);
  let [apiVersion, kind, contentType] = ["", "", ""];
  let raw = new Uint8Array(0);
  while (!reader.done) {
    const tag = reader.tag();
    const [field, wire] = [fieldOf(tag), wireOf(tag)];
    if (wire !== wireType.bytes) reader.skip(wire);
    else if (field === 1) [apiVersion, kind] = readTypeMeta(reader.message());
    else if (field === 2) raw = reader.bytes() as Uint8Array<ArrayBuffer>;
    else if (field === 4) contentType = reader.text();
    else reader.skip(wire);
  }
  return { apiVersion, kind, contentType, raw };
}

function readTypeMeta(reader: Reader): [apiVersion: string, kind: string] {
  const names: [string, string] = ["", ""];
  while (!reader.done) {
    const tag = reader.tag();
    const [field, wire] = [fieldOf(tag), wireOf(tag)];
    if (wire === wireType.bytes && (field === 1 || field === 2)) names[field - 1] = reader.text();
    else reader.skip(wire);
  }
  return names;
}

/**
 * The object in an envelope, in the same form as JSON decoding gives. `fallback` names the kind where the envelope
 * does not. Throws DecodeError when the bytes are malformed or the kind is unknown.
 */
export function decodeProtobuf(
  bytes: Uint8Array,
  types: TypeSource,
  fallback?: { readonly apiVersion: string; readonly kind: string },
): object {
  return decodeNested(bytes, { types, fallback, level: 0 });
}

interface Nesting {
  readonly types: TypeSource;
  readonly fallback: { readonly apiVersion: string; readonly kind: string } | undefined;
  readonly level: number;
}

function decodeNested(bytes: Uint8Array, nesting: Nesting): object {
  if (nesting.level > maximumEnvelopes) throw new DecodeError("exceeded max depth");
  const envelope = readEnvelope(bytes);
  const apiVersion = envelope.apiVersion || (nesting.fallback?.apiVersion ?? "");
  const kind = envelope.kind || (nesting.fallback?.kind ?? "");
  const type = nesting.types.typeOf({ ...versionNamed(apiVersion), kind });
  if (type === undefined)
    throw new DecodeError(`no kind "${kind}" is registered for version "${apiVersion}" in scheme`);
  const raw: RawDecoder = (inner) =>
    isProtobuf(inner)
      ? decodeNested(inner, { types: nesting.types, fallback: undefined, level: nesting.level + 1 })
      : rawJson(inner);
  const object = readStruct(new Reader(envelope.raw), type, raw);
  return { kind, apiVersion, ...object };
}
