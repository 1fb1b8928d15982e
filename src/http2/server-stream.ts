import { errorCode } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";
import { defaultFrameBytes, frameHeadBytes } from "./frames.ts";
import { encodedBound } from "./hpack/index.ts";
import type { HeaderList } from "./hpack/index.ts";
import { ReceiveWindow } from "./receive-window.ts";
import type { RequestHead } from "./request-head.ts";

/** Takes the body of a request, piece by piece. */
export interface BodyReader {
  /** Pieces that are kept must be counted with `consumed` once there is room for more. */
  data(piece: Uint8Array): void;
  end(): void;
  /** The client gave up, or broke the rules. */
  broken(): void;
}

/** What a stream asks of its connection. */
export interface StreamOwner {
  /** The stream has something to send. */
  send(stream: ServerStream): void;
  /** So many bytes of the request's body have been read. */
  consumed(stream: ServerStream, bytes: number): void;
  reset(stream: ServerStream, code: ErrorCode): void;
}

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: HeaderList;
  /** What it takes at most, in bytes, with the heads of its frames. */
  readonly bound: number;
}

function headBound(status: number, headers: HeaderList): number {
  const block = encodedBound(status, headers);
  return block + (Math.floor(block / defaultFrameBytes) + 1) * frameHeadBytes;
}

/** What waits in a stream before `write` asks to stop. */
const highWaterBytes = 64 * 1024;

/** One request and its answer. */
export class ServerStream {
  readonly id: number;
  readonly head: RequestHead;
  private readonly owner: StreamOwner;
  private isClosed = false;
  private closers: (() => void)[] = [];

  /** The request: what came before there was a reader, and what its length must be. */
  isReceived = false;
  readonly receiveWindow: ReceiveWindow;
  private pieces: Uint8Array[] = [];
  private reader: BodyReader | undefined;
  private awaited: number | undefined;

  /** The answer: its head until that is sent, and what waits to be sent of its body. */
  sendWindow: number;
  pending: AnswerHead | undefined;
  isEnded = false;
  queued = 0;
  private queue: Uint8Array[] = [];
  /** What of the first piece has been sent. */
  private offset = 0;
  private onRoom: (() => void)[] = [];

  constructor(
    request: { readonly id: number; readonly head: RequestHead },
    connection: {
      readonly owner: StreamOwner;
      readonly sendWindow: number;
      readonly receiveBytes: number;
    },
  ) {
    this.id = request.id;
    this.head = request.head;
    this.owner = connection.owner;
    this.sendWindow = connection.sendWindow;
    this.receiveWindow = new ReceiveWindow(connection.receiveBytes);
    const length = request.head.headers["content-length"];
    this.awaited = length === undefined ? undefined : Number(length);
  }

  /** Whether nothing can be read or answered any more. */
  get closed(): boolean {
    return this.isClosed;
  }

  /** Calls `action` when the stream has closed, however. */
  onClose(action: () => void): void {
    if (this.isClosed) action();
    else this.closers.push(action);
  }

  /** Has the body read; only one can. */
  read(reader: BodyReader): void {
    this.reader = reader;
    for (const piece of this.pieces.splice(0)) reader.data(piece);
    if (this.isReceived) reader.end();
    else if (this.isClosed) reader.broken();
  }

  consumed(bytes: number): void {
    this.owner.consumed(this, bytes);
  }

  /** Answers with a body that is there as a whole; without one the head ends the answer. */
  respond(status: number, headers: HeaderList, body?: Uint8Array): void {
    if (body) this.enqueue(body);
    this.isEnded = true;
    this.begin(status, headers);
  }

  /** Answers with a body that is written piece by piece. */
  begin(status: number, headers: HeaderList): void {
    if (this.isClosed) return;
    this.pending = { status, headers, bound: headBound(status, headers) };
    this.owner.send(this);
  }

  /** False: wait for `onDrain`. Until then the bytes must not change. */
  write(bytes: Uint8Array): boolean {
    if (this.isClosed) return true;
    this.enqueue(bytes);
    this.owner.send(this);
    return this.queued < highWaterBytes;
  }

  end(): void {
    if (this.isClosed || this.isEnded) return;
    this.isEnded = true;
    this.owner.send(this);
  }

  /** Calls `action` once when all that was written has left. */
  onDrain(action: () => void): void {
    if (this.isClosed) action();
    else this.onRoom.push(action);
  }

  /** Breaks off: the client sees that the answer is not whole. */
  reset(code: ErrorCode = errorCode.internalError): void {
    if (!this.isClosed) this.owner.reset(this, code);
  }

  private enqueue(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.queue.push(bytes);
    this.queued += bytes.length;
  }

  /** For the connection: a piece of the body came. False: more or less than its length said. */
  receive(piece: Uint8Array, isLast: boolean): boolean {
    if (this.awaited !== undefined) {
      this.awaited -= piece.length;
      if (this.awaited < 0 || (isLast && this.awaited > 0)) return false;
    }
    if (piece.length > 0) {
      if (this.reader) this.reader.data(piece);
      else this.pieces.push(piece);
    }
    if (isLast) {
      this.isReceived = true;
      this.reader?.end();
    }
    return true;
  }

  /** For the connection: moves up to `count` bytes that wait to `target`; `queued` tells how many there are. */
  take(target: Uint8Array, at: number, count: number): void {
    this.queued -= count;
    let left = count;
    let place = at;
    while (left > 0) {
      const piece = this.queue[0]!;
      const size = Math.min(left, piece.length - this.offset);
      const isWhole = size === piece.length;
      target.set(isWhole ? piece : piece.subarray(this.offset, this.offset + size), place);
      place += size;
      left -= size;
      this.offset += size;
      if (this.offset < piece.length) break;
      this.queue.shift();
      this.offset = 0;
    }
    if (this.onRoom.length > 0 && this.queued === 0) this.hearOfRoom();
  }

  private hearOfRoom(): void {
    for (const action of this.onRoom.splice(0)) action();
  }

  /** For the connection: it is over. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.queue = [];
    this.queued = 0;
    this.pieces = [];
    if (!this.isReceived) this.reader?.broken();
    this.hearOfRoom();
    for (const action of this.closers.splice(0)) action();
  }
}
