import { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../base/index.ts";
import type { ServerSession, ServerStream } from "../../http2/index.ts";
import type { BodyStream, Exchange, ResponseHeaders } from "./exchange.ts";
import { BodyCollector, discarding, HttpExchange } from "./http-exchange.ts";

/** Tells the time of day as headers show it, which is made once a second. */
export function dateHeader(clock: Clock): () => string {
  let shown = "";
  let second = 0;
  return () => {
    const now = Math.floor(clock.now() / 1_000);
    if (now !== second) shown = new Date(now * 1_000).toUTCString();
    second = now;
    return shown;
  };
}

/** An exchange over one HTTP/2 stream. */
export class Http2Exchange extends HttpExchange implements Exchange {
  private readonly http2: ServerStream;
  private readonly session: ServerSession;
  private readonly date: () => string;

  constructor(
    stream: ServerStream,
    connection: {
      readonly socket: TLSSocket;
      readonly session: ServerSession;
      readonly date: () => string;
    },
  ) {
    const { method, path: target, headers, raw } = stream.head;
    super({ method, target, headers, raw, socket: connection.socket });
    this.http2 = stream;
    this.session = connection.session;
    this.date = connection.date;
  }

  protected goneOr(action: () => void): boolean {
    if (!this.http2.closed) this.http2.onClose(action);
    return this.http2.closed;
  }

  body(): Promise<Uint8Array> {
    const stream = this.http2;
    const collector = new BodyCollector(this.headers["content-length"]);
    stream.read({
      data(piece) {
        collector.add(piece);
        stream.consumed(piece.length);
      },
      end: () => collector.end(),
      broken: () => collector.fail(),
    });
    return collector.body;
  }

  bodyStream(): Readable {
    const stream = this.http2;
    let waiting = 0;
    const readable = new Readable({
      read() {
        stream.consumed(waiting);
        waiting = 0;
      },
    });
    stream.read({
      data(piece) {
        if (readable.push(piece)) stream.consumed(piece.length);
        else waiting += piece.length;
      },
      end: () => void readable.push(null),
      broken: () => void readable.destroy(),
    });
    return readable;
  }

  respond(status: number, headers: ResponseHeaders, body?: Uint8Array): void {
    if (this.http2.closed || this.answered) return;
    this.status = status;
    if (!body || body.length === 0 || this.method === "HEAD") {
      this.http2.respond(status, { date: this.date(), ...headers });
      return;
    }
    this.written = body.length;
    this.http2.respond(status, { "content-length": body.length, date: this.date(), ...headers }, body);
  }

  stream(status: number, headers: ResponseHeaders): BodyStream {
    if (this.answered) return discarding;
    const stream = this.http2;
    this.status = status;
    stream.begin(status, { date: this.date(), ...headers });
    return {
      write: (bytes) => {
        this.written += bytes.length;
        return stream.write(bytes);
      },
      end: () => stream.end(),
      abort: () => stream.reset(),
      onDrain: (action) => stream.onDrain(action),
    };
  }

  reset(): void {
    this.http2.reset();
  }

  leave(): void {
    this.session.leave();
  }
}
