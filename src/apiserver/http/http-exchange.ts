import type { IncomingHttpHeaders } from "node:http";
import type { TLSSocket } from "node:tls";
import { ApiError } from "../../apimachinery/index.ts";
import { maximumBodyBytes } from "./exchange.ts";
import type { BodyStream } from "./exchange.ts";

const noQuery = new URLSearchParams();

/** Why signals of exchanges abort; one for all, for an error of their own with its stack costs more than many a request. */
const connectionClosed = new DOMException("The connection was closed", "AbortError");

/** What waits in a body that is written piece by piece: some events of a watch. */
export const bufferedBytes = 64 * 1024;

const switchingProtocols = 101;

/** What comes after the answer, of a handler that was too slow. */
export const discarding: BodyStream = {
  write: () => true,
  end() {},
  abort() {},
  onDrain: (action) => action(),
};

/** The values of a header out of names and values that take turns. */
function rawValues(raw: readonly string[], header: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (raw[index]!.toLowerCase() === header) values.push(raw[index + 1]!);
  }
  return values;
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

/** What a request is, whichever the protocol. */
export interface AskedWith {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values of headers, which take turns, as they came. */
  readonly raw: readonly string[];
  readonly socket: TLSSocket;
}

/** What exchanges have in common. */
export abstract class HttpExchange {
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly socket: TLSSocket;
  status = 0;
  written = 0;
  private readonly raw: readonly string[];
  private aborting: AbortSignal | undefined;

  constructor({ method, target, headers, raw, socket }: AskedWith) {
    const mark = target.indexOf("?");
    this.method = method;
    this.target = target;
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.query = mark < 0 ? noQuery : new URLSearchParams(target.slice(mark + 1));
    this.headers = headers;
    this.raw = raw;
    this.socket = socket;
  }

  /** Whether the client has gone; calls `action` once when it goes. */
  protected abstract goneOr(action: () => void): boolean;

  get remoteAddress(): string {
    return this.socket.remoteAddress ?? "";
  }

  get answered(): boolean {
    return this.status !== 0;
  }

  get signal(): AbortSignal {
    if (this.aborting) return this.aborting;
    const controller = new AbortController();
    this.aborting = controller.signal;
    const abort = () => controller.abort(connectionClosed);
    if (this.goneOr(abort)) abort();
    return this.aborting;
  }

  valuesOf(header: string): readonly string[] {
    return rawValues(this.raw, header);
  }

  hasHeaders(prefix: string): boolean {
    return rawBegins(this.raw, prefix);
  }

  leftHttp(): void {
    this.status = switchingProtocols;
  }
}

/** Gathers a body; of one that is too large the rest is dropped, so that the answer still gets through. */
export class BodyCollector {
  readonly body: Promise<Uint8Array>;
  private readonly parts: Uint8Array[] = [];
  private size: number;
  private resolve: (body: Uint8Array) => void = () => {};
  private reject: (error: Error) => void = () => {};

  /** `declared` is what the request says of its length. */
  constructor(declared: string | undefined) {
    this.body = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.size = Number(declared ?? 0) > maximumBodyBytes ? maximumBodyBytes + 1 : 0;
    if (this.size > 0) this.refuse();
  }

  add(piece: Uint8Array): void {
    this.size += piece.length;
    if (this.size <= maximumBodyBytes) this.parts.push(piece);
    else this.refuse();
  }

  end(): void {
    const { parts } = this;
    this.resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  }

  /** Does nothing after the end. */
  fail(error: Error = ApiError.badRequest("the client went away")): void {
    this.reject(error);
  }

  private refuse(): void {
    this.parts.length = 0;
    this.reject(ApiError.tooLarge(`limit is ${maximumBodyBytes}`));
  }
}
