import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../base/index.ts";
import type { ServerSession, ServerStream } from "../../http2/index.ts";
import type { BodyStream, Exchange, ResponseHeaders } from "./exchange.ts";
import {
  BodyCollector,
  discarding,
  rawBegins,
  rawValues,
  signalOf,
  splitTarget,
  switchingProtocols,
} from "./exchange-parts.ts";

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
export class Http2Exchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly socket: TLSSocket;
  status = 0;
  written = 0;
  private readonly http2: ServerStream;
  private readonly session: ServerSession;
  private readonly date: () => string;
  private aborting: AbortSignal | undefined;

  constructor(
    stream: ServerStream,
    connection: {
      readonly socket: TLSSocket;
      readonly session: ServerSession;
      readonly date: () => string;
    },
  ) {
    const { method, path, headers } = stream.head;
    const target = splitTarget(path);
    this.method = method;
    this.path = target.path;
    this.query = target.query;
    this.headers = headers;
    this.socket = connection.socket;
    this.session = connection.session;
    this.date = connection.date;
    this.http2 = stream;
  }

  get target(): string {
    return this.http2.head.path;
  }

  get remoteAddress(): string {
    return this.socket.remoteAddress ?? "";
  }

  valuesOf(header: string): readonly string[] {
    return rawValues(this.http2.head.raw, header);
  }

  hasHeaders(prefix: string): boolean {
    return rawBegins(this.http2.head.raw, prefix);
  }

  get signal(): AbortSignal {
    this.aborting ??= signalOf(this.http2.closed, (action) => this.http2.onClose(action));
    return this.aborting;
  }

  get answered(): boolean {
    return this.status !== 0;
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
      this.http2.respond(status, { ...headers, date: this.date() });
      return;
    }
    this.written = body.length;
    this.http2.respond(status, { ...headers, "content-length": body.length, date: this.date() }, body);
  }

  stream(status: number, headers: ResponseHeaders): BodyStream {
    if (this.answered) return discarding;
    const stream = this.http2;
    this.status = status;
    stream.begin(status, { ...headers, date: this.date() });
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

  leftHttp(): void {
    this.status = switchingProtocols;
  }

  leave(): void {
    this.session.leave();
  }
}
