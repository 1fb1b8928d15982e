import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { Clock, Milliseconds, Timer } from "../base/index.ts";
import { ConnectionError, errorCode } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";
import { flag, FrameReader, frameType, smallFrame, withoutPadding } from "./frames.ts";
import type { Frame } from "./frames.ts";
import { HeaderDecoder } from "./hpack/index.ts";
import { Outbox } from "./outbox.ts";
import { Patience } from "./patience.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { requestHead } from "./request-head.ts";
import type { RequestHead } from "./request-head.ts";
import { ServerStream } from "./server-stream.ts";
import type { StreamOwner } from "./server-stream.ts";
import { largestWindow, ownSettings, readSettings } from "./settings.ts";

/** What a server takes from one connection. */
export interface SessionLimits {
  readonly concurrentStreams: number;
  /** Bytes of body that a client may send ahead, for each stream. */
  readonly streamWindow: number;
  /** The same for all streams of the connection together. */
  readonly connectionWindow: number;
  /** Bytes of the headers of one request. */
  readonly headerBytes: number;
}

export interface SessionOptions {
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly onStream: (stream: ServerStream) => void;
  readonly onClose: () => void;
}

/** A client must have greeted by then, and connections without a stream are closed after a while, as Go's server does. */
const greetingTime: Milliseconds = 10_000;
const idleTime: Milliseconds = 90_000;
/** How long a client has to hear that the connection ends. */
const farewellTime: Milliseconds = 1_000;
const mostContinuations = 1_024;
/** Answers to settings and pings that may wait while a client does not read. */
const waitingControls = 1_000;
const defaultWindow = 65_535;
const noData = Buffer.alloc(0);

/** What is asked with headers that are too large: nobody reads them. */
const tooLarge: RequestHead = { method: "GET", path: "/", headers: {}, raw: [] };
const tooLargePage = Buffer.from("<h1>HTTP Error 431</h1><p>Request Header Field(s) Too Large</p>");

/** A block of headers of which not all frames have come. */
interface HeaderBlock {
  readonly stream: number;
  readonly isLast: boolean;
  readonly parts: Buffer[];
  size: number;
}

const protocolError = (message: string) => new ConnectionError(errorCode.protocolError, message);

/** The requests of one HTTP/2 connection (RFC 9113), as a server takes them. */
export class ServerSession implements StreamOwner {
  private readonly socket: Duplex;
  private readonly options: SessionOptions;
  private readonly streams = new Map<number, ServerStream>();
  private readonly reader = new FrameReader();
  private readonly decoder: HeaderDecoder;
  private readonly outbox = new Outbox((stream) => this.sent(stream));
  private readonly patience: Patience;
  private readonly received: ReceiveWindow;
  private lastStream = 0;
  private block: HeaderBlock | undefined;
  private hasSettings = false;
  /** The window of a new stream, as the client wishes it. */
  private sendWindow = defaultWindow;
  private isWriting = false;
  private isScheduled = false;
  private isLeaving = false;
  private isDeaf = false;
  private isEnding = false;
  private hasEnded = false;
  private isDestroyed = false;
  private active: Milliseconds;
  private timer: Timer;
  private readonly flushNow = () => this.flush();
  private readonly written = () => {
    this.isWriting = false;
    this.outbox.release();
    this.flush();
  };

  constructor(socket: Duplex, options: SessionOptions) {
    this.socket = socket;
    this.options = options;
    const { clock, limits } = options;
    this.decoder = new HeaderDecoder({ listBytes: limits.headerBytes });
    this.patience = new Patience(clock);
    this.received = new ReceiveWindow(limits.connectionWindow);
    this.active = clock.now();
    this.timer = clock.after(greetingTime, () => this.watchIdleness());
    socket.on("data", (chunk: Buffer) => this.receive(chunk));
    socket.once("close", () => this.destroyed());
    this.outbox.control(
      ownSettings({
        maxConcurrentStreams: limits.concurrentStreams,
        initialWindowSize: limits.streamWindow,
        maxHeaderListSize: limits.headerBytes,
      }),
    );
    this.open(0, limits.connectionWindow - defaultWindow);
    this.schedule();
  }

  /** Has the client take another connection for what comes next; what it has sent by then is still answered. */
  leave(): void {
    if (this.isLeaving || this.isEnding) return;
    this.isLeaving = true;
    this.goAway(errorCode.noError, largestWindow);
    this.schedule();
    this.options.clock.after(farewellTime, () => this.close());
  }

  /** Takes no more requests, and ends when those in progress have been answered. */
  close(): void {
    if (this.isEnding || this.isDestroyed) return;
    this.isEnding = true;
    this.goAway(errorCode.noError, this.lastStream);
    this.schedule();
  }

  send(stream: ServerStream): void {
    this.outbox.add(stream);
    this.schedule();
  }

  consumed(stream: ServerStream, bytes: number): void {
    if (this.isDestroyed) return;
    this.open(0, this.received.give(bytes));
    if (!stream.isReceived && !stream.closed) this.open(stream.id, stream.receiveWindow.give(bytes));
  }

  reset(stream: ServerStream, code: ErrorCode): void {
    this.refuse(stream.id, code);
    this.drop(stream);
  }

  private schedule(): void {
    if (this.isScheduled || this.isDestroyed) return;
    this.isScheduled = true;
    // All answers of this turn of the event loop go out together.
    process.nextTick(this.flushNow);
  }

  private flush(): void {
    this.isScheduled = false;
    // What gets ready while a write is under way goes out together after it.
    if (this.isWriting || this.isDestroyed || this.hasEnded) return;
    const bytes = this.outbox.pack();
    if (bytes.length > 0) {
      this.isWriting = true;
      this.socket.write(bytes, this.written);
      return;
    }
    this.outbox.release();
    if (this.isEnding && this.streams.size === 0) this.end();
  }

  /** Nothing more is said; a client that does not hang up either is cut off. */
  private end(): void {
    if (this.hasEnded || this.isDestroyed) return;
    this.hasEnded = true;
    this.socket.end();
    this.cutOffSoon();
  }

  private cutOffSoon(): void {
    this.timer.cancel();
    this.timer = this.options.clock.after(farewellTime, () => this.socket.destroy());
  }

  private receive(chunk: Buffer): void {
    if (this.isDeaf) return;
    this.active = this.options.clock.now();
    try {
      this.reader.push(chunk);
      for (let frame = this.reader.next(); frame && !this.isDeaf; frame = this.reader.next())
        this.take(frame);
      if (this.outbox.controlCount > waitingControls) this.patience.lose();
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.fail(error);
    }
  }

  /** The client broke the rules: all ends here. */
  private fail({ code, message }: ConnectionError): void {
    this.goAway(code, this.lastStream, message);
    this.isEnding = true;
    this.isDeaf = true;
    this.dropAll();
    this.schedule();
    this.cutOffSoon();
  }

  private destroyed(): void {
    this.isDestroyed = true;
    this.timer.cancel();
    this.dropAll();
    this.options.onClose();
  }

  private watchIdleness(): void {
    if (!this.hasSettings) return void this.socket.destroy();
    const idle = this.streams.size > 0 ? 0 : this.options.clock.now() - this.active;
    if (idle >= idleTime) {
      this.close();
      return this.cutOffSoon();
    }
    this.timer = this.options.clock.after(idleTime - idle, () => this.watchIdleness());
  }

  private take(frame: Frame): void {
    const { type } = frame;
    if (this.block && (type !== frameType.continuation || frame.stream !== this.block.stream))
      throw protocolError("a frame within a block of headers");
    if (!this.hasSettings && type !== frameType.settings) throw protocolError("settings must come first");
    switch (type) {
      case frameType.data:
        return this.takeData(frame);
      case frameType.headers:
        return this.takeHeaders(frame);
      case frameType.continuation:
        return this.takeContinuation(frame);
      case frameType.resetStream:
        return this.takeReset(frame);
      case frameType.settings:
        return this.takeSettings(frame);
      case frameType.ping:
        return this.takePing(frame);
      case frameType.windowUpdate:
        return this.takeWindowUpdate(frame);
      case frameType.priority:
        return this.takePriority(frame);
      case frameType.pushPromise:
        throw protocolError("clients promise nothing");
      default:
    }
  }

  private takeData(frame: Frame): void {
    const { stream: id, payload, flags } = frame;
    if (id === 0 || id > this.lastStream) throw protocolError("data of no stream");
    if (!this.received.take(payload.length))
      throw new ConnectionError(errorCode.flowControlError, "more data than the window");
    const data = withoutPadding(frame);
    const stream = this.streams.get(id);
    if (!stream) return this.open(0, this.received.give(payload.length));
    if (stream.isReceived) return this.reset(stream, errorCode.streamClosed);
    if (!stream.receiveWindow.take(payload.length)) return this.reset(stream, errorCode.flowControlError);
    const isLast = (flags & flag.endStream) !== 0;
    if (data.length === 0 && !isLast) this.patience.lose();
    this.consumed(stream, payload.length - data.length);
    if (!stream.receive(data, isLast)) this.reset(stream, errorCode.protocolError);
  }

  private takeHeaders(frame: Frame): void {
    const { stream, flags } = frame;
    if (stream % 2 === 0) throw protocolError("a request of no stream that a client may open");
    const payload = withoutPadding(frame);
    const priorityBytes = (flags & flag.priority) === 0 ? 0 : 5;
    if (payload.length < priorityBytes)
      throw new ConnectionError(errorCode.frameSizeError, "headers are cut off");
    const isLast = (flags & flag.endStream) !== 0;
    const part = payload.subarray(priorityBytes);
    if (flags & flag.endHeaders) return this.takeBlock(stream, isLast, part);
    this.block = { stream, isLast, parts: [Buffer.from(part)], size: part.length };
  }

  private takeContinuation({ flags, payload }: Frame): void {
    const { block } = this;
    if (!block) throw protocolError("nothing to continue");
    block.parts.push(Buffer.from(payload));
    block.size += payload.length;
    if (block.size > this.options.limits.headerBytes || block.parts.length > mostContinuations)
      throw new ConnectionError(errorCode.enhanceYourCalm, "headers without end");
    if (!(flags & flag.endHeaders)) return;
    this.block = undefined;
    this.takeBlock(block.stream, block.isLast, Buffer.concat(block.parts));
  }

  /** The headers of a request, or what comes after its body. */
  private takeBlock(id: number, isLast: boolean, bytes: Buffer): void {
    const raw = this.decoder.decode(bytes);
    if (id <= this.lastStream) return this.takeTrailers(id, isLast);
    this.lastStream = id;
    // Who was told that the connection ends asks again elsewhere.
    if (this.isEnding) return;
    if (this.streams.size >= this.options.limits.concurrentStreams) {
      this.patience.lose();
      return this.refuse(id, errorCode.refusedStream);
    }
    const head = raw ? requestHead(raw) : tooLarge;
    if (!head) {
      this.patience.lose();
      return this.refuse(id, errorCode.protocolError);
    }
    const { streamWindow: receiveBytes } = this.options.limits;
    const stream = new ServerStream({ id, head }, { owner: this, sendWindow: this.sendWindow, receiveBytes });
    this.streams.set(id, stream);
    if (isLast && !stream.receive(noData, true)) return this.reset(stream, errorCode.protocolError);
    if (head === tooLarge) stream.respond(431, { "content-type": "text/html; charset=utf-8" }, tooLargePage);
    else this.options.onStream(stream);
  }

  private takeTrailers(id: number, isLast: boolean): void {
    const stream = this.streams.get(id);
    // A stream that was reset here may still be spoken to: the client had not heard of it.
    if (!stream) return;
    if (stream.isReceived) return this.reset(stream, errorCode.streamClosed);
    if (!isLast || !stream.receive(noData, true)) this.reset(stream, errorCode.protocolError);
  }

  private takeReset({ stream: id, payload }: Frame): void {
    if (payload.length !== 4) throw new ConnectionError(errorCode.frameSizeError, "no reset of a stream");
    if (id === 0 || id > this.lastStream) throw protocolError("reset of no stream");
    const stream = this.streams.get(id);
    if (!stream) return;
    this.drop(stream);
    this.patience.lose();
  }

  private takeSettings({ stream, flags, payload }: Frame): void {
    if (stream !== 0) throw protocolError("settings of a stream");
    this.hasSettings = true;
    if (flags & flag.ack) {
      if (payload.length > 0) throw new ConnectionError(errorCode.frameSizeError, "an answer with settings");
      return;
    }
    const { headerTableSize, initialWindowSize, maxFrameSize } = readSettings(payload);
    if (headerTableSize !== undefined) this.outbox.encoder.resize(headerTableSize);
    if (maxFrameSize !== undefined) this.outbox.limitFrames(maxFrameSize);
    if (initialWindowSize !== undefined) {
      const change = initialWindowSize - this.sendWindow;
      this.sendWindow = initialWindowSize;
      for (const each of this.streams.values()) this.widen(each, change);
    }
    this.answer(smallFrame({ type: frameType.settings, flags: flag.ack }));
  }

  private takePing({ stream, flags, payload }: Frame): void {
    if (stream !== 0) throw protocolError("a ping of a stream");
    if (payload.length !== 8) throw new ConnectionError(errorCode.frameSizeError, "no ping");
    if (flags & flag.ack) return;
    const words = [payload.readUInt32BE(0), payload.readUInt32BE(4)];
    this.answer(smallFrame({ type: frameType.ping, flags: flag.ack }, ...words));
  }

  private takeWindowUpdate({ stream: id, payload }: Frame): void {
    if (payload.length !== 4) throw new ConnectionError(errorCode.frameSizeError, "no change of a window");
    if (id > this.lastStream) throw protocolError("the window of no stream");
    const change = payload.readUInt32BE(0) & largestWindow;
    if (id === 0) {
      if (change === 0) throw protocolError("a window that does not change");
      this.outbox.window += change;
      if (this.outbox.window > largestWindow)
        throw new ConnectionError(errorCode.flowControlError, "the window is too large");
      this.schedule();
      return;
    }
    const stream = this.streams.get(id);
    if (!stream) return;
    if (change === 0) return this.reset(stream, errorCode.protocolError);
    this.widen(stream, change);
  }

  private takePriority({ stream, payload }: Frame): void {
    if (stream === 0) throw protocolError("priority of no stream");
    if (payload.length !== 5) throw new ConnectionError(errorCode.frameSizeError, "no priority");
    this.patience.lose();
  }

  /** The client takes more of a stream. */
  private widen(stream: ServerStream, change: number): void {
    stream.sendWindow += change;
    if (stream.sendWindow > largestWindow) return this.reset(stream, errorCode.flowControlError);
    if (stream.queued > 0) this.send(stream);
  }

  /** The client may send more, of one stream or of all. */
  private open(stream: number, bytes: number): void {
    if (bytes === 0) return;
    this.outbox.control(smallFrame({ type: frameType.windowUpdate, stream }, bytes));
    this.schedule();
  }

  private answer(frame: Buffer): void {
    this.patience.lose();
    this.outbox.control(frame);
    this.schedule();
  }

  private refuse(stream: number, code: ErrorCode): void {
    this.outbox.control(smallFrame({ type: frameType.resetStream, stream }, code));
    this.schedule();
  }

  private goAway(code: ErrorCode, last: number, text = ""): void {
    const head = smallFrame({ type: frameType.goAway }, last, code);
    const said = Buffer.from(text);
    head[2] = 8 + said.length;
    this.outbox.control(Buffer.concat([head, said]));
  }

  /** The answer is out as a whole. */
  private sent(stream: ServerStream): void {
    // What the client still has to say changes nothing any more.
    if (!stream.isReceived) this.refuse(stream.id, errorCode.noError);
    this.drop(stream);
  }

  /** Nothing is left of any stream, nor of what it was about to send. */
  private dropAll(): void {
    for (const stream of this.streams.values()) this.drop(stream);
  }

  private drop(stream: ServerStream): void {
    this.streams.delete(stream.id);
    this.outbox.remove(stream);
    stream.close();
    if (this.isEnding) this.schedule();
  }
}
