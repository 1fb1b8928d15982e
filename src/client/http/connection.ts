import { connect, constants } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import type { Readable } from "node:stream";
import type { Clock, Milliseconds, Timer } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";

/** How to reach and trust the server, and what to show it. */
export interface ConnectionOptions {
  /** Base URL, e.g. `https://127.0.0.1:6443`; a path in it goes before every request's path. */
  readonly server: string;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Name to check the server's certificate against, instead of the URL's host. */
  readonly tlsServerName?: string | undefined;
  /** Whether to trust any server; default no. */
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly clock: Clock;
}

export interface HttpExchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
  /** No answer's head within this time fails the request; absent: no limit. */
  readonly timeout?: Milliseconds | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly stream: Readable;
}

/** Brings requests to a server. */
export interface Transport {
  /** Sends a request; settles at the answer's head. */
  exchange(exchange: HttpExchange): Promise<HttpAnswer>;
  /** Requests under way fail, later ones too. */
  close(): void;
}

const pingInterval: Milliseconds = 30_000;
const pingTimeout: Milliseconds = 15_000;

/** One HTTP/2 session, opened when first needed, opened again when lost, and proven alive by pings. */
export class Connection implements Transport {
  private readonly options: ConnectionOptions;
  private readonly url: URL;
  private session: ClientHttp2Session | undefined;
  private ping: Timer | undefined;
  private closed = false;

  constructor(options: ConnectionOptions) {
    this.options = options;
    this.url = new URL(options.server);
  }

  /** Sends a request; settles at the answer's head. */
  exchange(exchange: HttpExchange): Promise<HttpAnswer> {
    const { signal, timeout, body } = exchange;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.closed) return reject(ApiError.serviceUnavailable("the client is closed"));
      const prefix = this.url.pathname.replace(/\/$/, "");
      const stream = this.open().request(
        {
          ":method": exchange.method,
          ":path": prefix + exchange.path,
          ":authority": this.url.host,
          ...exchange.headers,
        },
        { endStream: body === undefined },
      );
      const limit =
        timeout === undefined
          ? undefined
          : this.options.clock.after(timeout, () => {
              stream.close(constants.NGHTTP2_CANCEL);
              reject(ApiError.timeout(`request did not complete within ${timeout / 1000}s`));
            });
      const onAbort = () => {
        stream.close(constants.NGHTTP2_CANCEL);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      stream.once("close", () => {
        limit?.cancel();
        signal?.removeEventListener("abort", onAbort);
        reject(unreachable(this.url, "connection lost"));
      });
      stream.once("error", (error) => reject(unreachable(this.url, error.message)));
      stream.once("response", (headers) => {
        limit?.cancel();
        resolve({ status: Number(headers[":status"]), headers, stream });
      });
      if (body !== undefined) stream.end(body);
    });
  }

  /** Ends the session; requests under way fail. */
  close(): void {
    this.closed = true;
    this.ping?.cancel();
    this.session?.destroy();
    this.session = undefined;
  }

  private open(): ClientHttp2Session {
    const known = this.session;
    if (known && !known.closed && !known.destroyed) return known;
    const { ca, cert, key, tlsServerName, insecureSkipTlsVerify } = this.options;
    const session = connect(this.url.origin, {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
      rejectUnauthorized: insecureSkipTlsVerify !== true,
      settings: { enablePush: false, initialWindowSize: 1 << 20 },
    });
    const forget = () => {
      if (this.session !== session) return;
      this.session = undefined;
      this.ping?.cancel();
    };
    session.on("connect", () => session.setLocalWindowSize(1 << 22));
    // Streams report the failure to whoever waits; the session's own event must only not be unhandled.
    session.on("error", forget);
    session.on("goaway", forget);
    session.on("close", forget);
    this.session = session;
    this.keepAlive(session);
    return session;
  }

  private keepAlive(session: ClientHttp2Session): void {
    const { clock } = this.options;
    this.ping = clock.after(pingInterval, () => {
      if (session.destroyed || session.closed) return;
      const limit = clock.after(pingTimeout, () => session.destroy(new Error("no answer to ping")));
      session.ping((error) => {
        limit.cancel();
        if (error === null && this.session === session) this.keepAlive(session);
      });
      this.ping = limit;
    });
  }
}

function unreachable(url: URL, why: string): ApiError {
  return ApiError.serviceUnavailable(`failed to reach ${url.origin}: ${why}`);
}
