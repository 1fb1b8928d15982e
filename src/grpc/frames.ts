import { GrpcError, grpcCode } from "./error.ts";

/** A flag for compression and the length, before each message. */
const prefixLength = 5;

/** Bytes of a message as they go over the wire. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(prefixLength + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, prefixLength);
  return frame;
}

/** Takes messages out of a stream of bytes; throws a `GrpcError` for what cannot be taken. */
export class FrameReader {
  private readonly largest: number;
  private chunks: Buffer[] = [];
  private length = 0;

  constructor(largestMessage: number) {
    this.largest = largestMessage;
  }

  /** Whether bytes of a message that is not whole are left. */
  get isTorn(): boolean {
    return this.length > 0;
  }

  add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  /** The next message that has arrived whole. */
  next(): Buffer | undefined {
    if (this.length < prefixLength) return undefined;
    const head = this.chunks[0]!.length >= prefixLength ? this.chunks[0]! : this.whole();
    const size = head.readUInt32BE(1);
    if (size > this.largest) {
      const message = `grpc: received message larger than max (${size} vs. ${this.largest})`;
      throw new GrpcError(grpcCode.resourceExhausted, message);
    }
    if (head[0] !== 0) {
      throw new GrpcError(grpcCode.unimplemented, "grpc: compressed messages are not taken");
    }
    const end = prefixLength + size;
    if (this.length < end) return undefined;
    const whole = this.whole();
    this.chunks = whole.length > end ? [whole.subarray(end)] : [];
    this.length -= end;
    return whole.subarray(prefixLength, end);
  }

  private whole(): Buffer {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks, this.length)];
    return this.chunks[0]!;
  }
}
