import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { constants } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { ApiError } from "../../apimachinery/index.ts";

/** Bodies larger than this are refused. */
export const maximumBodyBytes = 3 * 1024 * 1024;

export type ResponseHeaders = Readonly<Record<string, string | number | readonly string[]>>;

/** A body that is written piece by piece. */
export interface BodyStream {
  /** False: wait for `onDrain` before writing more. */
  write(bytes: Uint8Array): boolean;
  end(): void;
  /** Breaks off: the client sees that the answer is not whole. */
  abort(): void;
  onDrain(action: () => void): void;
}

/** One request and its answer, over HTTP/2 or HTTP/1.1 alike. */
export interface Exchange {
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  /** Path without query, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** All values of a header, in lower case, as often as it came. */
  valuesOf(header: string): readonly string[];
  /** Whether there is a header whose name begins so. */
  hasHeaders(prefix: string): boolean;
  readonly socket: TLSSocket;
  readonly remoteAddress: string;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  readonly answered: boolean;
  /** The status that was answered; 0 before. */
  readonly status: number;
  /** How many bytes of body were answered, before compression. */
  readonly written: number;
  /** The whole body; throws `RequestEntityTooLarge`. */
  body(): Promise<Uint8Array>;
  /** The body as it comes, of any size; instead of `body`. */
  bodyStream(): Readable;
  respond(status: number, headers: ResponseHeaders, body?: Uint8Array): void;
  stream(status: number, headers: ResponseHeaders): BodyStream;
  /** Breaks the answer off: the client sees that it is not whole. */
  reset(): void;
  /** The connection speaks another protocol from now on: nothing is answered through this. */
  leftHttp(): void;
  /** Has an HTTP/2 client take another connection for what comes next. */
  leave(): void;
}

/** The values of a header out of names and values that take turns. */
function rawValues(raw: readonly string[], header: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (raw[index]!.toLowerCase() === header) values.push(raw[index + 1]!);
  }
  return values;
}

/** What comes after the answer, of a handler that was too slow. */
const discarding: BodyStream = {
  write: () => true,
  end() {},
  abort() {},
  onDrain: (action) => action(),
};

/** Headers as Node wants them: it changes none, but its types do not say so. */
function outgoing(headers: ResponseHeaders, own: Readonly<Record<string, number>>): OutgoingHttpHeaders {
  return { ...headers, ...own } as OutgoingHttpHeaders;
}

const switchingProtocols = 101;
/** What may wait in a body that is written piece by piece: some events of a watch. */
const bufferedBytes = 64 * 1024;
const noQuery = new URLSearchParams();

/** Why signals of exchanges abort; one for all, for an error of their own with its stack costs more than many a request. */
const connectionClosed = new DOMException("The connection was closed", "AbortError");

function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const mark = target.indexOf("?");
  if (mark < 0) return { path: target, query: noQuery };
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}

/** Reads a body to its end; of one that is too large the rest is dropped, so that the answer still gets through. */
function collect(body: Readable, declared: string | undefined): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    let size = Number(declared ?? 0) > maximumBodyBytes ? maximumBodyBytes + 1 : 0;
    const refuse = () => {
      parts.length = 0;
      reject(ApiError.tooLarge(`limit is ${maximumBodyBytes}`));
    };
    if (size > 0) refuse();
    body.on("data", (chunk: Uint8Array) => {
      size += chunk.length;
      if (size <= maximumBodyBytes) parts.push(chunk);
      else refuse();
    });
    let ended = false;
    body.on("end", () => {
      ended = true;
      resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    });
    body.on("error", reject);
    body.on("close", () => {
      if (!ended) reject(ApiError.badRequest("the client went away"));
    });
  });
}

/** Whether one of the names, which take turns with values, begins so. */
function rawBegins(raw: readonly string[], prefix: string): boolean {
  const first = prefix.charCodeAt(0);
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!;
    // Lower case is one bit of a letter: most names are told apart by it.
    if ((name.charCodeAt(0) | 0x20) === first && name.slice(0, prefix.length).toLowerCase() === prefix)
      return true;
  }
  return false;
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
  private readonly http2: ServerHttp2Stream;
  private readonly raw: readonly string[];
  readonly leave: () => void;
  private controller: AbortController | undefined;

  constructor(
    stream: ServerHttp2Stream,
    request: { readonly headers: IncomingHttpHeaders; readonly raw: readonly string[] },
    connection: { readonly socket: TLSSocket; readonly leave: () => void },
  ) {
    const { headers } = request;
    const target = splitTarget(String(headers[constants.HTTP2_HEADER_PATH] ?? "/"));
    this.method = String(headers[constants.HTTP2_HEADER_METHOD] ?? "GET");
    this.path = target.path;
    this.query = target.query;
    this.headers = headers;
    this.raw = request.raw;
    this.socket = connection.socket;
    this.leave = connection.leave;
    this.http2 = stream;
    // A stream that the client resets fails; its close is all that matters here.
    stream.on("error", () => {});
  }

  get target(): string {
    return String(this.headers[constants.HTTP2_HEADER_PATH] ?? "/");
  }

  get remoteAddress(): string {
    return this.socket.remoteAddress ?? "";
  }

  valuesOf(header: string): readonly string[] {
    return rawValues(this.raw, header);
  }

  hasHeaders(prefix: string): boolean {
    return rawBegins(this.raw, prefix);
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      const controller = new AbortController();
      this.controller = controller;
      if (this.http2.destroyed) controller.abort(connectionClosed);
      else this.http2.once("close", () => controller.abort(connectionClosed));
    }
    return this.controller.signal;
  }

  get answered(): boolean {
    return this.status !== 0;
  }

  body(): Promise<Uint8Array> {
    return collect(this.http2, this.headers["content-length"]);
  }

  bodyStream(): Readable {
    return this.http2;
  }

  respond(status: number, headers: ResponseHeaders, body?: Uint8Array): void {
    if (this.http2.destroyed || this.answered) return;
    this.status = status;
    if (!body || body.length === 0 || this.method === "HEAD") {
      this.http2.respond(outgoing(headers, { ":status": status }), { endStream: true });
      return;
    }
    this.written = body.length;
    this.http2.respond(outgoing(headers, { ":status": status, "content-length": body.length }));
    this.http2.end(body);
  }

  stream(status: number, headers: ResponseHeaders): BodyStream {
    if (this.answered) return discarding;
    const stream = this.http2;
    this.status = status;
    if (!stream.destroyed) stream.respond(outgoing(headers, { ":status": status }));
    return {
      write: (bytes) => {
        this.written += bytes.length;
        return stream.destroyed || stream.write(bytes) || stream.writableLength < bufferedBytes;
      },
      end: () => {
        if (!stream.destroyed) stream.end();
      },
      abort: () => this.reset(),
      onDrain: (action) => void stream.once("drain", action),
    };
  }

  reset(): void {
    this.http2.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  leftHttp(): void {
    this.status = switchingProtocols;
  }
}

/** An exchange over HTTP/1.1. */
export class Http1Exchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly socket: TLSSocket;
  status = 0;
  written = 0;
  private readonly request: IncomingMessage;
  private readonly makeResponse: () => ServerResponse;
  private made: ServerResponse | undefined;
  private controller: AbortController | undefined;

  /** For an upgrade there is a response only when something is answered after all. */
  constructor(request: IncomingMessage, response: ServerResponse | (() => ServerResponse)) {
    const target = splitTarget(request.url ?? "/");
    this.method = request.method ?? "GET";
    this.path = target.path;
    this.query = target.query;
    this.headers = request.headers;
    this.socket = request.socket as TLSSocket;
    this.request = request;
    this.makeResponse = typeof response === "function" ? response : () => response;
  }

  private get response(): ServerResponse {
    return (this.made ??= this.makeResponse());
  }

  get target(): string {
    return this.request.url ?? "/";
  }

  get remoteAddress(): string {
    return this.socket.remoteAddress ?? "";
  }

  valuesOf(header: string): readonly string[] {
    return rawValues(this.request.rawHeaders, header);
  }

  hasHeaders(prefix: string): boolean {
    return rawBegins(this.request.rawHeaders, prefix);
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      const controller = new AbortController();
      this.controller = controller;
      if (this.socket.destroyed) controller.abort(connectionClosed);
      else this.endOf().once("close", () => controller.abort(connectionClosed));
    }
    return this.controller.signal;
  }

  /** What closes when the client goes away: the response, or the bare connection of an upgrade. */
  private endOf(): Pick<ServerResponse, "once"> | TLSSocket {
    return this.request.headers.upgrade === undefined ? this.response : this.socket;
  }

  get answered(): boolean {
    return this.status !== 0;
  }

  body(): Promise<Uint8Array> {
    return collect(this.request, this.headers["content-length"]);
  }

  bodyStream(): Readable {
    return this.request;
  }

  respond(status: number, headers: ResponseHeaders, body?: Uint8Array): void {
    if (this.response.destroyed || this.answered) return;
    this.status = status;
    this.written = body?.length ?? 0;
    this.response.writeHead(status, outgoing(headers, { "content-length": body?.length ?? 0 }));
    this.response.end(body);
  }

  stream(status: number, headers: ResponseHeaders): BodyStream {
    if (this.answered) return discarding;
    const { response } = this;
    this.status = status;
    response.writeHead(status, outgoing(headers, {}));
    response.flushHeaders();
    return {
      write: (bytes) => {
        this.written += bytes.length;
        return response.destroyed || response.write(bytes) || response.writableLength < bufferedBytes;
      },
      end: () => void (response.destroyed || response.end()),
      abort: () => this.reset(),
      onDrain: (action) => void response.once("drain", action),
    };
  }

  reset(): void {
    this.response.destroy();
  }

  leftHttp(): void {
    this.status = switchingProtocols;
  }

  /** HTTP/1.1 clients open as many connections as they have requests. */
  leave(): void {}
}
