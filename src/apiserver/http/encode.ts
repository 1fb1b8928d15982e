import { ApiError, versionNamed } from "../../apimachinery/index.ts";
import type { ListMeta } from "../../apimachinery/index.ts";
import { encodeCbor, encodeProtobuf, encodeYaml, hasProtobuf } from "../../apimachinery/codec/index.ts";
import type { StructType } from "../../apimachinery/index.ts";
import { schemas } from "../../api/index.ts";
import { writeNumber } from "../registry/decimal.ts";
import type { AnyObject, Entry } from "../registry/entry.ts";
import type { ServedResource } from "../registry/served.ts";
import type { Negotiated } from "./negotiate.ts";

/** Any object in the encoding agreed on; `type` where the caller knows it. */
export async function encodeAny(
  object: object,
  negotiated: Negotiated,
  type?: StructType,
): Promise<Uint8Array> {
  switch (negotiated.mediaType) {
    case "application/json":
      return encodeJsonText(object, negotiated.pretty);
    case "application/yaml":
      return Buffer.from(encodeYaml(object));
    case "application/vnd.kubernetes.protobuf":
      return encodeProto(object, type ?? typeOfObject(object));
    case "application/cbor":
      return encodeCbor(object, type ?? typeOfObject(object));
  }
}

export function encodeJsonText(object: object, pretty: boolean): Uint8Array {
  return Buffer.from(pretty ? JSON.stringify(object, undefined, 2) : `${JSON.stringify(object)}\n`);
}

export function encodeProto(object: object, type: StructType | undefined): Uint8Array {
  if (!type || !hasProtobuf(type)) {
    const { kind } = object as { readonly kind?: string };
    throw ApiError.notAcceptable(
      `object ${kind ?? ""} does not implement the protobuf marshalling interface`,
    );
  }
  return encodeProtobuf(object, type);
}

export function typeOfObject(object: object): StructType | undefined {
  const { apiVersion = "", kind = "" } = object as { readonly apiVersion?: string; readonly kind?: string };
  return schemas.typeOf({ ...versionNamed(apiVersion), kind });
}

/** Whether the stored bytes are the very bytes of this version. */
export function isStoredVersion(served: ServedResource): boolean {
  return served.apiVersion === served.storage.storedApiVersion && !served.reshapes;
}

/** How large the pieces are at least in which a long list is written: more than any stream takes without a wait. */
const pieceBytes = 256 * 1024;
/** Digits of the largest whole number. */
const longestVersion = 16;
const closing = "]}\n";
const comma = 0x2c;
/** What follows the version at the opening of an item. */
const versionEnd = Buffer.from('",');

/** An object in a list: built-in ones come without kind and apiVersion, as upstream's do; custom ones name them. */
export function itemOf(served: ServedResource, object: AnyObject): object {
  if (served.custom) return object;
  const { kind: _, apiVersion: __, ...rest } = object;
  return rest;
}

/** A part of a long body. */
export interface Piece {
  /** To be written out before the next piece is asked for: that may take its place in memory. */
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

/** A list in JSON, put together from the bytes that its items have already: in pieces, of which only one is held. */
export function* encodeJsonList(
  served: ServedResource,
  list: { readonly entries: readonly Entry[]; readonly metadata: ListMeta },
): Generator<Piece, void, void> {
  const head = `{"kind":${JSON.stringify(served.listKind)},"apiVersion":${JSON.stringify(served.apiVersion)},"metadata":${JSON.stringify(list.metadata)},"items":[`;
  if (!isStoredVersion(served)) {
    const items = list.entries.map(({ object }) => JSON.stringify(itemOf(served, served.fromStored(object))));
    yield { bytes: Buffer.from(`${head}${items.join(",")}]}\n`), last: true };
    return;
  }
  const open = served.custom
    ? `{"kind":${JSON.stringify(served.resource.kind)},"apiVersion":${JSON.stringify(served.apiVersion)},"metadata":{"resourceVersion":"`
    : '{"metadata":{"resourceVersion":"';
  const opening = Buffer.from(open);
  const { entries } = list;
  const beforeTail = 1 + opening.length + longestVersion + versionEnd.length;
  let [largest, total] = [0, 0];
  for (const { tailLength } of entries) {
    total += tailLength + beforeTail;
    if (tailLength > largest) largest = tailLength;
  }
  const frame = Buffer.byteLength(head) + closing.length;
  const capacity = Math.min(total, pieceBytes + largest + beforeTail) + frame;
  const bytes = Buffer.allocUnsafeSlow(capacity);
  let at = bytes.write(head);
  for (let index = 0; index < entries.length; index++) {
    const { revision, tail } = entries[index]!;
    if (at >= pieceBytes) {
      yield { bytes: bytes.subarray(0, at), last: false };
      at = 0;
    }
    if (index > 0) bytes[at++] = comma;
    bytes.set(opening, at);
    at = writeNumber(bytes, at + opening.length, revision);
    bytes.set(versionEnd, at);
    bytes.set(tail, at + versionEnd.length);
    at += versionEnd.length + tail.length;
  }
  at += bytes.write(closing, at, "latin1");
  yield { bytes: bytes.subarray(0, at), last: true };
}
