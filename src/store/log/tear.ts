import { crc32, crc32c } from "./checksum.ts";
import { type FramePlace, frameHeaderLength, frameMagic, seedOf } from "./frame.ts";
import { decodeRecords } from "./record.ts";

/** What disks write as a whole; larger sectors lose several of these. */
const sector = 512;

/**
 * Whether a write that a crash cut short explains the unreadable frame that ends the log. Where frames are written,
 * in one write each, there were zeros or nothing before. So of a torn frame sectors are missing, as zeros or behind
 * the file's end, or its end is where the disk took only part of the write. A frame that has its last byte and
 * something in all of its sectors was written whole and may have been acknowledged: then its checksum is wrong
 * because bytes have changed since, which is not for the store to pass over.
 */
export function canBeTorn(bytes: Buffer, place: FramePlace): boolean {
  const { offset } = place;
  const hasMagic = offset + 4 <= bytes.length && bytes.readUInt32LE(offset) === frameMagic;
  if (!hasMagic) return offset + 4 > bytes.length || hasEmptySector(bytes, { from: offset, to: offset + 4 });
  if (offset + frameHeaderLength > bytes.length) return true;
  const end = offset + frameHeaderLength + bytes.readUInt32LE(offset + 4);
  if (end > bytes.length) return !isWholeBut(bytes, place);
  return bytes[end - 1] === 0 || hasEmptySector(bytes, { from: offset, to: end });
}

/** Whether what the sector holds of the range is nothing but zeros, for any of its sectors. */
function hasEmptySector(
  bytes: Buffer,
  { from, to }: { readonly from: number; readonly to: number },
): boolean {
  for (let start = from; start < to;) {
    const next = Math.min((Math.floor(start / sector) + 1) * sector, to);
    if (bytes.subarray(start, next).every((byte) => byte === 0)) return true;
    start = next;
  }
  return false;
}

/** Whether the frame is whole but for its length, which is not under the checksum and reaches beyond the file. */
function isWholeBut(bytes: Buffer, { file, format, offset }: FramePlace): boolean {
  const checksum = format < 2 ? crc32c : crc32;
  const wanted = bytes.readUInt32LE(offset + 8);
  const body = offset + frameHeaderLength;
  let end = bytes.length;
  while (end > body && bytes[end - 1] === 0) end--;
  // The last record may end with zeros: as many as a sector of them are tried.
  const seed = checksum(bytes, { start: offset + 12, end, seed: seedOf({ file, offset }) });
  for (let tried = end; tried <= Math.min(end + sector, bytes.length); tried++) {
    if (checksum(bytes, { start: end, end: tried, seed }) !== wanted) continue;
    try {
      decodeRecords(bytes.subarray(body, tried), () => {});
      return true;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return false;
}
