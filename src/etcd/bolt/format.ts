/** The file format of bbolt, version 2: pages of branches and leaves below two meta pages; little endian. */
export const boltMagic = 0xed0cdaed;
export const boltVersion = 2;

/** Size of the pages that are written; files with others are read. */
export const pageSize = 4096;
export const pageHeaderSize = 16;
/** Size of an element of a branch or of a leaf, before its key. */
export const elementSize = 16;
/** A bucket's value in its parent: root page and sequence. */
export const bucketHeaderSize = 16;
/** Up to where the checksum of a meta page covers it. */
export const metaChecksumOffset = 56;
export const metaSize = metaChecksumOffset + 8;

export const pageFlag = { branch: 0x01, leaf: 0x02, meta: 0x04, freelist: 0x10 } as const;
/** Flag of a leaf's element that is a bucket. */
export const bucketFlag = 0x01;

/** A page's number; it lies at that many page sizes. */
export type PageId = number;

export interface BoltEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const fnvOffset = 0xcbf29ce484222325n;
const fnvPrime = 0x100000001b3n;

/** FNV-1a of 64 bits, as meta pages are sealed with. */
export function fnv64a(bytes: Uint8Array): bigint {
  let hash = fnvOffset;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * fnvPrime);
  return hash;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Order of keys: that of their bytes. */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const shared = Math.min(one.length, other.length);
  for (let at = 0; at < shared; at++) {
    if (one[at] !== other[at]) return one[at]! - other[at]!;
  }
  return one.length - other.length;
}
