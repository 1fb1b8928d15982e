import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { BodyStream, Exchange, ResponseHeaders } from "./exchange.ts";
import { BodyCollector, bufferedBytes, discarding, HttpExchange } from "./http-exchange.ts";

/** An exchange over HTTP/1.1. */
export class Http1Exchange extends HttpExchange implements Exchange {
  private readonly request: IncomingMessage;
  private readonly makeResponse: () => ServerResponse;
  private made: ServerResponse | undefined;

  /** For an upgrade there is a response only when something is answered after all. */
  constructor(request: IncomingMessage, response: ServerResponse | (() => ServerResponse)) {
    const { method = "GET", url: target = "/", headers, rawHeaders: raw } = request;
    super({ method, target, headers, raw, socket: request.socket as TLSSocket });
    this.request = request;
    this.makeResponse = typeof response === "function" ? response : () => response;
  }

  private get response(): ServerResponse {
    return (this.made ??= this.makeResponse());
  }

  protected goneOr(action: () => void): boolean {
    if (!this.socket.destroyed) this.endOf().once("close", action);
    return this.socket.destroyed;
  }

  /** What closes when the client goes away: the response, or the bare connection of an upgrade. */
  private endOf(): Pick<ServerResponse, "once"> | TLSSocket {
    return this.request.headers.upgrade === undefined ? this.response : this.socket;
  }

  body(): Promise<Uint8Array> {
    const { request } = this;
    const collector = new BodyCollector(request.headers["content-length"]);
    request.on("data", (piece: Uint8Array) => collector.add(piece));
    request.on("end", () => collector.end());
    request.on("error", (error) => collector.fail(error));
    request.on("close", () => collector.fail());
    return collector.body;
  }

  bodyStream(): Readable {
    return this.request;
  }

  respond(status: number, headers: ResponseHeaders, body?: Uint8Array): void {
    if (this.response.destroyed || this.answered) return;
    this.status = status;
    this.written = body?.length ?? 0;
    this.response.writeHead(status, {
      ...headers,
      "content-length": body?.length ?? 0,
    } as OutgoingHttpHeaders);
    this.response.end(body);
  }

  stream(status: number, headers: ResponseHeaders): BodyStream {
    if (this.answered) return discarding;
    const { response } = this;
    this.status = status;
    response.writeHead(status, { ...headers } as OutgoingHttpHeaders);
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

  /** HTTP/1.1 clients open as many connections as they have requests. */
  leave(): void {}
}
