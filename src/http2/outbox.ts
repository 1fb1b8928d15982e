import { Buffer } from "node:buffer";
import { flag, frameHeadBytes, frameType, defaultFrameBytes, writeFrameHead } from "./frames.ts";
import { HeaderEncoder } from "./hpack/index.ts";
import type { AnswerHead, ServerStream } from "./server-stream.ts";
import { borrow, giveBack, largestWrite } from "./write-buffers.ts";

const nothing = Buffer.alloc(0);
/** Data is not cut smaller only to fill a write to its end. */
const smallestRoom = 1_024;

/** What one connection has to send: frames of its own first, then those of streams in turns, within their windows. */
export class Outbox {
  /** How much the peer takes of all streams together. */
  window = 65_535;
  readonly encoder = new HeaderEncoder();
  private maxFrameBytes = defaultFrameBytes;
  private controls: Buffer[] = [];
  private readonly ready = new Set<ServerStream>();
  private readonly onSent: (stream: ServerStream) => void;
  private target: Buffer = nothing;
  private borrowed: Buffer | undefined;
  private at = 0;

  /** `onSent` hears that the answer of a stream is out as a whole. */
  constructor(onSent: (stream: ServerStream) => void) {
    this.onSent = onSent;
  }

  /** How many frames of its own wait. */
  get controlCount(): number {
    return this.controls.length;
  }

  control(frame: Buffer): void {
    this.controls.push(frame);
  }

  add(stream: ServerStream): void {
    this.ready.add(stream);
  }

  remove(stream: ServerStream): void {
    this.ready.delete(stream);
  }

  /** Frames larger than this gain nothing, whatever the peer takes. */
  limitFrames(bytes: number): void {
    this.maxFrameBytes = Math.min(bytes, largestWrite / 2);
  }

  /** What was packed last has been written: its memory may serve others. */
  release(): void {
    if (this.borrowed) giveBack(this.borrowed);
    this.borrowed = undefined;
    this.target = nothing;
  }

  /** Frames for one write; empty when nothing waits or no window is open. They hold until `release`. */
  pack(): Uint8Array {
    const waiting = this.waitingBytes();
    if (waiting === 0) return nothing;
    this.target = this.borrowed = borrow(waiting);
    this.at = 0;
    for (const frame of this.controls) this.at += frame.copy(this.target, this.at);
    this.controls = [];
    // A stream that has more comes again at the end: so they take turns.
    for (const stream of this.ready) {
      const state = this.packOne(stream);
      if (state === "no room") break;
      if (state !== "waits") this.ready.delete(stream);
      if (state === "has more") this.ready.add(stream);
    }
    return this.target.subarray(0, this.at);
  }

  /** What waits at most, or more than one write takes. */
  private waitingBytes(): number {
    let waiting = 0;
    for (const frame of this.controls) waiting += frame.length;
    for (const { pending, queued } of this.ready) {
      waiting +=
        queued + (Math.floor(queued / defaultFrameBytes) + 1) * frameHeadBytes + (pending?.bound ?? 0);
      if (waiting > largestWrite) break;
    }
    return waiting;
  }

  /** Packs the head of an answer, and one frame of its body. */
  private packOne(stream: ServerStream): "done" | "has more" | "waits" | "no room" {
    const { pending } = stream;
    if (pending) {
      const isWhole = stream.isEnded && stream.queued === 0;
      if (!this.packHead(stream.id, pending, isWhole)) return "no room";
      stream.pending = undefined;
      if (isWhole) return this.sent(stream);
    }
    const room = this.target.length - this.at - frameHeadBytes;
    if (room < 0) return "no room";
    const window = Math.max(0, Math.min(stream.sendWindow, this.window));
    const size = Math.min(stream.queued, window, this.maxFrameBytes, room);
    if (size === room && size < stream.queued && size < smallestRoom) return "no room";
    // A window of its own that opens brings the stream back; for that of all it stays.
    if (size === 0 && stream.queued > 0) return stream.sendWindow <= 0 ? "done" : "waits";
    if (size === 0 && !stream.isEnded) return "done";
    const isLast = stream.isEnded && size === stream.queued;
    const head = {
      type: frameType.data,
      flags: isLast ? flag.endStream : 0,
      stream: stream.id,
      length: size,
    };
    this.at = writeFrameHead(this.target, this.at, head);
    stream.take(this.target, this.at, size);
    this.at += size;
    stream.sendWindow -= size;
    this.window -= size;
    if (isLast) return this.sent(stream);
    return stream.queued > 0 ? "has more" : "done";
  }

  private sent(stream: ServerStream): "done" {
    this.onSent(stream);
    return "done";
  }

  /** Packs a head, in as many frames as it takes; false: there is no room. */
  private packHead(stream: number, pending: AnswerHead, isWhole: boolean): boolean {
    const { bound } = pending;
    if (this.target.length - this.at < bound) {
      if (this.at > 0) return false;
      this.target = Buffer.allocUnsafeSlow(bound);
    }
    const start = this.at + frameHeadBytes;
    const end = this.encoder.encode(this.target, start, pending);
    const first = Math.min(end - start, defaultFrameBytes);
    const flags = (isWhole ? flag.endStream : 0) | (start + first === end ? flag.endHeaders : 0);
    writeFrameHead(this.target, this.at, { type: frameType.headers, flags, stream, length: first });
    this.at = start + first;
    const rest = Buffer.from(this.target.subarray(this.at, end));
    for (let sent = 0; sent < rest.length; sent += defaultFrameBytes) {
      const part = rest.subarray(sent, sent + defaultFrameBytes);
      const isLast = sent + part.length === rest.length;
      const head = {
        type: frameType.continuation,
        flags: isLast ? flag.endHeaders : 0,
        stream,
        length: part.length,
      };
      this.at = writeFrameHead(this.target, this.at, head);
      this.at += part.copy(this.target, this.at);
    }
    return true;
  }
}
