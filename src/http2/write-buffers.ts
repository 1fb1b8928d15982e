import { Buffer } from "node:buffer";

/**
 * Buffers for writes, by size: when a write is done, the next takes its buffer. Made anew for each, their memory, which
 * V8 counts as its own, would have it collect all garbage every few seconds.
 */
const sizes = [
  { bytes: 8 * 1024, most: 256, free: [] as Buffer[] },
  { bytes: 32 * 1024, most: 64, free: [] as Buffer[] },
  { bytes: 128 * 1024, most: 16, free: [] as Buffer[] },
] as const;
const largest = sizes[2];

/** What a write takes at most. */
export const largestWrite = largest.bytes;

/** A buffer of so many bytes at least, or the largest there is. */
export function borrow(bytes: number): Buffer {
  const size = sizes.find((each) => bytes <= each.bytes) ?? largest;
  return size.free.pop() ?? Buffer.allocUnsafeSlow(size.bytes);
}

/** A borrowed buffer that nobody reads any more. */
export function giveBack(buffer: Buffer): void {
  const size = sizes.find((each) => buffer.length === each.bytes);
  if (size && size.free.length < size.most) size.free.push(buffer);
}
