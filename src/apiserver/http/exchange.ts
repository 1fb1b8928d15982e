import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";

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
