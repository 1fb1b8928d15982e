import { Buffer } from "node:buffer";
import { ConnectionError, errorCode } from "./errors.ts";

/** RFC 9113, section 6. */
export const frameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  resetStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const flag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const frameHeadBytes = 9;
/** The largest payload that everybody takes, and that is taken here. */
export const defaultFrameBytes = 16_384;

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const streamMask = 0x7fffffff;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** A view of what was received: copy what is kept. */
  readonly payload: Buffer;
}

const nothing = Buffer.alloc(0);

/** Cuts what a client sends into frames. */
export class FrameReader {
  private received: Buffer = nothing;
  private at = 0;
  private isGreeted = false;

  /** Adds what came; `next` then answers the frames in it. */
  push(chunk: Buffer): void {
    const isRead = this.at === this.received.length;
    this.received = isRead ? chunk : Buffer.concat([this.received.subarray(this.at), chunk]);
    this.at = 0;
  }

  /** The next frame; undefined when it is not there as a whole. */
  next(): Frame | undefined {
    if (!this.isGreeted && !this.greet()) return undefined;
    const { received, at } = this;
    const start = at + frameHeadBytes;
    if (start > received.length) {
      // What was read must not be held by a connection that is quiet.
      if (at === received.length) this.push(nothing);
      return undefined;
    }
    const length = (received[at]! << 16) | (received[at + 1]! << 8) | received[at + 2]!;
    if (length > defaultFrameBytes)
      throw new ConnectionError(errorCode.frameSizeError, "the frame is too large");
    const end = start + length;
    if (end > received.length) return undefined;
    this.at = end;
    return {
      type: received[at + 3]!,
      flags: received[at + 4]!,
      stream: received.readUInt32BE(at + 5) & streamMask,
      payload: received.subarray(start, end),
    };
  }

  private greet(): boolean {
    const { received } = this;
    const length = Math.min(received.length, preface.length);
    if (received.compare(preface, 0, length, 0, length) !== 0)
      throw new ConnectionError(errorCode.protocolError, "the client does not greet as one of HTTP/2");
    if (received.length < preface.length) return false;
    this.at = preface.length;
    this.isGreeted = true;
    return true;
  }
}

/** What remains of a payload without its padding. */
export function withoutPadding({ flags, payload }: Frame): Buffer {
  if (!(flags & flag.padded)) return payload;
  const padding = payload[0] ?? 0;
  if (padding >= payload.length)
    throw new ConnectionError(errorCode.protocolError, "more padding than there is payload");
  return payload.subarray(1, payload.length - padding);
}

/** Writes the head of a frame at a place and answers where its payload begins. */
export function writeFrameHead(
  target: Buffer,
  at: number,
  head: { readonly type: number; readonly flags: number; readonly stream: number; readonly length: number },
): number {
  target[at] = head.length >>> 16;
  target[at + 1] = head.length >>> 8;
  target[at + 2] = head.length;
  target[at + 3] = head.type;
  target[at + 4] = head.flags;
  target.writeUInt32BE(head.stream, at + 5);
  return at + frameHeadBytes;
}

/** A frame of a few numbers, 32 bits each. */
export function smallFrame(
  head: { readonly type: number; readonly flags?: number; readonly stream?: number },
  ...words: readonly number[]
): Buffer {
  const frame = Buffer.allocUnsafe(frameHeadBytes + words.length * 4);
  const { type, flags = 0, stream = 0 } = head;
  let at = writeFrameHead(frame, 0, { type, flags, stream, length: words.length * 4 });
  for (const word of words) at = frame.writeUInt32BE(word, at);
  return frame;
}
