import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { BodyStream, Exchange, ResponseHeaders } from "../exchange.ts";

/** What is answered, as it goes out. */
export interface AnswerObserver {
  /** The head of the answer is out. */
  onHead(status: number): void;
  /** A part of the body; heard only by those who want it. */
  readonly onBody?: ((bytes: Uint8Array, headers: ResponseHeaders) => void) | undefined;
}

/** An exchange that another watches; all else is the one behind it. */
export class AuditedExchange implements Exchange {
  /** The body of the request, when it was read. */
  read: Uint8Array | undefined;
  private readonly behind: Exchange;
  private readonly observer: AnswerObserver;

  constructor(behind: Exchange, observer: AnswerObserver) {
    this.behind = behind;
    this.observer = observer;
  }

  get method(): string {
    return this.behind.method;
  }
  get target(): string {
    return this.behind.target;
  }
  get path(): string {
    return this.behind.path;
  }
  get query(): URLSearchParams {
    return this.behind.query;
  }
  get headers(): IncomingHttpHeaders {
    return this.behind.headers;
  }
  get socket(): TLSSocket {
    return this.behind.socket;
  }
  get remoteAddress(): string {
    return this.behind.remoteAddress;
  }
  get signal(): AbortSignal {
    return this.behind.signal;
  }
  get answered(): boolean {
    return this.behind.answered;
  }
  get status(): number {
    return this.behind.status;
  }
  get written(): number {
    return this.behind.written;
  }
  valuesOf(header: string): readonly string[] {
    return this.behind.valuesOf(header);
  }
  hasHeaders(prefix: string): boolean {
    return this.behind.hasHeaders(prefix);
  }
  async body(): Promise<Uint8Array> {
    this.read = await this.behind.body();
    return this.read;
  }
  bodyStream(): Readable {
    return this.behind.bodyStream();
  }
  respond(status: number, headers: ResponseHeaders, body?: Uint8Array): void {
    const isFirst = !this.behind.answered;
    this.behind.respond(status, headers, body);
    if (!isFirst) return;
    if (body) this.observer.onBody?.(body, headers);
    this.observer.onHead(status);
  }
  stream(status: number, headers: ResponseHeaders): BodyStream {
    const { onBody } = this.observer;
    const isFirst = !this.behind.answered;
    const body = this.behind.stream(status, headers);
    if (isFirst) this.observer.onHead(status);
    if (!onBody) return body;
    return {
      write(bytes) {
        onBody(bytes, headers);
        return body.write(bytes);
      },
      end: () => body.end(),
      abort: () => body.abort(),
      onDrain: (action) => body.onDrain(action),
    };
  }
  reset(): void {
    this.behind.reset();
  }
  leftHttp(): void {
    this.behind.leftHttp();
    this.observer.onHead(this.behind.status);
  }
  leave(): void {
    this.behind.leave();
  }
}
