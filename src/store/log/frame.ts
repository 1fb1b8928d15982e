import { StoreError } from "../store.ts";
import { crc32, crc32c } from "./checksum.ts";

/**
 * A file is a header and then frames. A frame holds the records of one group commit under one checksum, and it
 * is written only when the frame before it is on disk. So a frame that cannot be read is a torn write, never
 * acknowledged, when no whole frame follows it; when one does, it is damage.
 *
 *     header: magic 8 | format version 4 | file number 8 | checksum 4
 *     frame:  magic 4 | length of the records 4 | checksum 4 | sequence 8 | records
 *
 * The checksum of a frame also covers where it stands, so that bytes copied into a value never pass for a frame.
 */
/**
 * 2: several changes may make one revision, leases note what is left of them, and frames have CRC-32 instead of
 * CRC32C, which Node.js computes itself. 3: snapshots keep the place of a change in its transaction. Files of earlier
 * formats are read too.
 */
export const formatVersion = 3;
export const fileHeaderLength = 24;
export const frameHeaderLength = 20;
/** How a frame begins. */
export const frameMagic = 0xf5a7b2c9;
const fileMagics = { log: "kubetsLG", snapshot: "kubetsSN" } as const;

/** What a file holds. */
export type FileKind = keyof typeof fileMagics;

export function encodeFileHeader(kind: FileKind, number: number): Buffer {
  const header = Buffer.alloc(fileHeaderLength);
  header.write(fileMagics[kind], 0, "latin1");
  header.writeUInt32LE(formatVersion, 8);
  header.writeDoubleLE(number, 12);
  header.writeUInt32LE(crc32c(header, { end: 20 }), 20);
  return header;
}

/** Throws unless the file begins as a file of the kind and number does; returns its format. */
export function checkFileHeader(
  bytes: Buffer,
  file: { readonly kind: FileKind; readonly number: number; readonly path: string },
): number {
  const damaged = (reason: string) => corrupt({ path: file.path, offset: 0, reason });
  if (bytes.length < fileHeaderLength) throw damaged("the file is shorter than its header");
  if (bytes.toString("latin1", 0, 8) !== fileMagics[file.kind]) throw damaged(`not a ${file.kind} file`);
  if (bytes.readUInt32LE(20) !== crc32c(bytes, { end: 20 })) throw damaged("the header's checksum is wrong");
  const version = bytes.readUInt32LE(8);
  if (version > formatVersion) {
    const message = `${file.path} was written in format ${version} by a newer kubets; this one reads up to format ${formatVersion}: use the newer one, or restore a backup of before the upgrade`;
    throw new StoreError("unavailable", message);
  }
  if (bytes.readDoubleLE(12) !== file.number) throw damaged("the file was renamed: its number is another");
  return version;
}

/** Fills in the header of a frame whose records stand behind it. */
export function sealFrame(
  frame: Buffer,
  place: { readonly file: number; readonly offset: number; readonly sequence: number },
): void {
  frame.writeUInt32LE(frameMagic, 0);
  frame.writeUInt32LE(frame.length - frameHeaderLength, 4);
  frame.writeDoubleLE(place.sequence, 12);
  frame.writeUInt32LE(crc32(frame, { start: 12, seed: seedOf(place) }), 8);
}

/** What a frame's checksum begins with: where the frame stands. */
export function seedOf(place: { readonly file: number; readonly offset: number }): number {
  return (Math.imul(place.file, 0x9e3779b1) ^ Math.imul(place.offset, 0x85ebca6b)) >>> 0;
}

/** A place in a file, and the file's format. */
export interface FramePlace {
  readonly file: number;
  readonly format: number;
  readonly offset: number;
}

/** What stands at an offset of a file. */
export type FrameRead =
  | { readonly type: "frame"; readonly sequence: number; readonly records: Buffer; readonly next: number }
  /** Nothing but zeros, or the file's end. */
  | { readonly type: "end" }
  | { readonly type: "damaged"; readonly reason: string };

export function readFrame(bytes: Buffer, place: FramePlace): FrameRead {
  const { format, offset } = place;
  if (offset + 4 > bytes.length || bytes.readUInt32LE(offset) !== frameMagic) {
    return isZero(bytes, offset) ? { type: "end" } : { type: "damaged", reason: "no frame begins here" };
  }
  if (offset + frameHeaderLength > bytes.length) return { type: "damaged", reason: "a frame is cut short" };
  const next = offset + frameHeaderLength + bytes.readUInt32LE(offset + 4);
  if (next > bytes.length) return { type: "damaged", reason: "a frame is longer than the file" };
  const checksum = format < 2 ? crc32c : crc32;
  if (
    bytes.readUInt32LE(offset + 8) !== checksum(bytes, { start: offset + 12, end: next, seed: seedOf(place) })
  ) {
    return { type: "damaged", reason: "a frame's checksum is wrong" };
  }
  const sequence = bytes.readDoubleLE(offset + 12);
  return { type: "frame", sequence, records: bytes.subarray(offset + frameHeaderLength, next), next };
}

const magicBytes = Buffer.alloc(4);
magicBytes.writeUInt32LE(frameMagic);

/** The offset of the next whole frame behind a damaged one. */
export function findFrame(bytes: Buffer, place: FramePlace): number | undefined {
  let offset = bytes.indexOf(magicBytes, place.offset + 1);
  for (; offset >= 0; offset = bytes.indexOf(magicBytes, offset + 1)) {
    if (readFrame(bytes, { ...place, offset }).type === "frame") return offset;
  }
  return undefined;
}

function isZero(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** Damage that is not repaired silently: where, and what. */
export function corrupt(place: {
  readonly path: string;
  readonly offset: number;
  readonly reason: string;
}): StoreError {
  const { path, offset, reason } = place;
  const directory = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
  return new StoreError(
    "corrupt",
    `${path} is damaged at byte ${offset}: ${reason}; ${repairHint(directory)}`,
  );
}

/** What whoever finds a damaged store can do. */
export function repairHint(directory: string): string {
  return `restore a backup, or keep what can be read by "kubets store repair --dir ${directory}"`;
}
