import { Duplex } from "node:stream";
import { SpdyDecoder, SpdyEncoder, resetStatus } from "./frames.ts";
import type { SpdyFrame } from "./frames.ts";
import type { SpdyHeaders } from "./header-block.ts";

/** More streams than this at once are refused. */
const mostStreams = 1024;
/** Larger writes are cut, so that streams take turns. */
const largestWrite = 64 * 1024;

type Done = (error?: Error | null) => void;

/** What a stream asks of its connection. */
interface Link {
  write(stream: number, data: Uint8Array, done: Done): void;
  end(stream: number, done: Done): void;
  reset(stream: number): void;
  wantsMore(stream: SpdyStream): void;
}

/** One stream of a connection. The peer's reset, like the connection's loss, is the end of what can be read. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  private readonly link: Link;
  /** Nothing that is written arrives any more. */
  private deaf = false;
  private remoteEnded = false;

  constructor(link: Link, options: { readonly id: number; readonly headers: SpdyHeaders }) {
    super({ allowHalfOpen: true });
    this.link = link;
    this.id = options.id;
    this.headers = options.headers;
    // A failed connection shows as the streams' end; who has no interest in the reason need not listen.
    this.on("error", () => undefined);
  }

  /** Answers whether more is welcome. */
  receive(data: Uint8Array): boolean {
    return this.remoteEnded || this.destroyed || this.push(data);
  }

  receiveEnd(): void {
    if (this.remoteEnded) return;
    this.remoteEnded = true;
    this.push(null);
  }

  /** The peer neither sends nor reads any more. */
  abandon(): void {
    this.deaf = true;
    this.receiveEnd();
    this.end();
  }

  override _read(): void {
    this.link.wantsMore(this);
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    if (this.deaf) return done();
    this.link.write(this.id, chunk, done);
  }

  override _final(done: Done): void {
    if (this.deaf) return done();
    this.link.end(this.id, done);
  }

  override _destroy(error: Error | null, done: Done): void {
    const over = this.deaf || (this.remoteEnded && this.writableFinished);
    if (!over) this.link.reset(this.id);
    this.link.wantsMore(this);
    done(error);
  }
}

/** How a connection is used. */
export interface SpdyConnectionOptions {
  /** Who asked for the connection: its streams have odd numbers. */
  readonly role: "client" | "server";
  /** Bytes that came with the upgrade's head. */
  readonly head?: Uint8Array;
  /** Given each stream that the peer opens, once it has been accepted. */
  readonly onStream?: (stream: SpdyStream) => void;
}

/**
 * A SPDY/3.1 connection as Kubernetes uses it: streams without windows of flow control (no peer sends updates of them),
 * so a stream that is not read stops the whole connection.
 */
export class SpdyConnection {
  /** Settles when the connection has ended and all its streams with it. */
  readonly closed: Promise<void>;
  private readonly socket: Duplex;
  private readonly options: SpdyConnectionOptions;
  private readonly encoder = new SpdyEncoder();
  private readonly decoder = new SpdyDecoder();
  private readonly streams = new Map<number, SpdyStream>();
  private readonly full = new Set<SpdyStream>();
  private nextStream: number;
  private lastRemote = 0;
  private over = false;

  constructor(socket: Duplex, options: SpdyConnectionOptions) {
    this.socket = socket;
    this.options = options;
    this.nextStream = options.role === "client" ? 1 : 2;
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.finish();
        resolve();
      });
    });
    socket.on("error", () => socket.destroy());
    socket.on("end", () => this.finish());
    if (options.head && options.head.length > 0) socket.unshift(Buffer.from(options.head));
    socket.on("data", (chunk: Uint8Array) => this.receive(chunk));
  }

  /** Opens a stream; what is written to it follows. */
  createStream(headers: SpdyHeaders): SpdyStream {
    const id = this.nextStream;
    this.nextStream += 2;
    this.send({ type: "synStream", stream: id, headers, last: false });
    const stream = this.add(id, headers);
    if (this.over) stream.abandon();
    return stream;
  }

  /** Says goodbye and ends the connection when everything written has gone out. */
  close(): void {
    if (!this.over) this.send({ type: "goAway", lastStream: this.lastRemote, status: 0 });
    this.finish();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private add(id: number, headers: SpdyHeaders): SpdyStream {
    const stream = new SpdyStream(this.link, { id, headers });
    this.streams.set(id, stream);
    stream.once("close", () => this.streams.delete(id));
    return stream;
  }

  private readonly link: Link = {
    write: (stream, data, done) => this.writeData(stream, data, done),
    end: (stream, done) => this.send({ type: "data", stream, data: new Uint8Array(), last: true }, done),
    reset: (stream) => this.send({ type: "reset", stream, status: resetStatus.cancel }),
    wantsMore: (stream) => {
      if (this.full.delete(stream) && this.full.size === 0) this.socket.resume();
    },
  };

  private send(frame: SpdyFrame, done: Done = () => undefined): void {
    if (this.over || !this.socket.writable) return done();
    this.socket.write(this.encoder.encode(frame), done);
  }

  private writeData(stream: number, data: Uint8Array, done: Done): void {
    if (this.over || !this.socket.writable) return done();
    this.socket.cork();
    for (let at = 0; at < data.length; at += largestWrite) {
      const piece = data.subarray(at, at + largestWrite);
      this.socket.write(this.encoder.dataHead({ type: "data", stream, data: piece, last: false }));
      const isLast = at + largestWrite >= data.length;
      this.socket.write(piece, isLast ? done : undefined);
    }
    this.socket.uncork();
    if (data.length === 0) done();
  }

  private receive(chunk: Uint8Array): void {
    try {
      for (const frame of this.decoder.push(chunk)) this.handle(frame);
    } catch (error) {
      this.socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private handle(frame: SpdyFrame): void {
    switch (frame.type) {
      case "synStream":
        return this.accept(frame);
      case "data": {
        const stream = this.streams.get(frame.stream);
        if (!stream) return;
        if (frame.data.length > 0 && !stream.receive(frame.data)) {
          this.full.add(stream);
          this.socket.pause();
        }
        if (frame.last) stream.receiveEnd();
        return;
      }
      case "synReply":
      case "headers":
        if (frame.last) this.streams.get(frame.stream)?.receiveEnd();
        return;
      case "reset":
        return this.streams.get(frame.stream)?.abandon();
      case "ping": {
        // The peer's pings have the parity of its streams; others are answers to ours, and we send none.
        const fromPeer = frame.id % 2 === (this.options.role === "server" ? 1 : 0);
        if (fromPeer) this.send(frame);
        return;
      }
      case "goAway":
      case "settings":
      case "windowUpdate":
    }
  }

  private accept(frame: Extract<SpdyFrame, { type: "synStream" }>): void {
    const { stream: id, headers } = frame;
    const { onStream } = this.options;
    if (!onStream || this.streams.size >= mostStreams || id <= this.lastRemote) {
      return this.send({ type: "reset", stream: id, status: resetStatus.refusedStream });
    }
    this.lastRemote = id;
    this.send({ type: "synReply", stream: id, headers: {}, last: false });
    const stream = this.add(id, headers);
    if (frame.last) stream.receiveEnd();
    onStream(stream);
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    for (const stream of this.streams.values()) stream.abandon();
    this.socket.end();
  }
}
