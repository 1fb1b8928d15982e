import { createServer as createHttp1Server } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, DEFAULT_CIPHERS } from "node:tls";
import type { TlsOptions, TLSSocket } from "node:tls";
import type { Clock } from "../../base/index.ts";
import { ServerSession } from "../../http2/index.ts";
import type { SessionLimits } from "../../http2/index.ts";
import type { Exchange } from "./exchange.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { dateHeader, Http2Exchange } from "./http2-exchange.ts";

/** PEM texts of the server's identity and of the authority whose client certificates it believes. */
export interface ServerTls {
  readonly certificate: string;
  readonly key: string;
  readonly clientAuthority?: string;
  /** The authority of proxies that say who asks. */
  readonly proxyAuthority?: string;
}

/** A request to leave HTTP behind on its connection. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

export interface Listener {
  readonly address: { readonly host: string; readonly port: number };
  /** Takes no more requests and settles when those in progress have ended; after `patience` they are cut off. */
  close(options: { readonly patience: number }): Promise<void>;
}

/** As Go's server has them: tokens can be large, bodies may come slowly, idle connections stay for a while. */
const headerBytes = 1 << 20;
const http1Options = {
  keepAlive: true,
  maxHeaderSize: headerBytes,
  keepAliveTimeout: 90_000,
  headersTimeout: 32_000,
  requestTimeout: 0,
} as const;
/** Room for many watches on one connection, and for several large bodies. */
const http2Limits: SessionLimits = {
  concurrentStreams: 1_000,
  streamWindow: 1 << 20,
  connectionWindow: 1 << 22,
  headerBytes,
};

interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls;
  readonly clock: Clock;
  readonly onExchange: (exchange: Exchange) => void;
  readonly onUpgrade: (upgrade: Upgrade) => void;
  readonly onHandshakeError: () => void;
}

/** Listens with TLS and speaks HTTP/2 or HTTP/1.1, as the client prefers. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const sockets = new Set<TLSSocket>();
  const sessions = new Set<ServerSession>();
  const serveHttp2 = http2Server(options, sessions);
  const http1 = http1Server(options);
  const tls = createTlsServer(tlsOptions(options.tls));
  tls.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // A client that vanishes is no failure of the server.
    socket.on("error", () => socket.destroy());
    if (socket.alpnProtocol === "h2") serveHttp2(socket);
    else http1.emit("connection", socket);
  });
  tls.on("tlsClientError", (error, socket) => {
    options.onHandshakeError();
    if ((error as NodeJS.ErrnoException).code === "ERR_SSL_HTTP_REQUEST") answerPlainHttp(socket);
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    tls.once("error", reject);
    tls.listen({ host: options.host, port: options.port, backlog: 1024 }, resolve);
  });
  const bound = tls.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : options.port;
  return {
    address: { host: options.host, port },
    async close({ patience }) {
      const closed = new Promise<void>((resolve) => tls.close(() => resolve()));
      for (const session of sessions) session.close();
      http1.closeIdleConnections();
      http1.close();
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, patience);
      await closed;
      clearTimeout(cut);
    },
  };
}

/** Serves connections over HTTP/2; each is among the sessions as long as it lasts. */
function http2Server({ clock, onExchange }: ListenOptions, sessions: Set<ServerSession>) {
  const date = dateHeader(clock);
  return (socket: TLSSocket) => {
    const session = new ServerSession(socket, {
      clock,
      limits: http2Limits,
      onStream: (stream) => onExchange(new Http2Exchange(stream, { socket, session, date })),
      onClose: () => sessions.delete(session),
    });
    sessions.add(session);
  };
}

function http1Server({ onExchange, onUpgrade }: ListenOptions) {
  const http1 = createHttp1Server(http1Options, (request, response) =>
    onExchange(new Http1Exchange(request, response)),
  );
  http1.on("clientError", refuseUnreadable);
  http1.on("upgrade", (request, socket, head) => onUpgrade({ request, socket, head }));
  return http1;
}

/** Answers what is no HTTP as Go's server does. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const status =
    error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const lines = [`HTTP/1.1 ${status}`, "Content-Type: text/plain; charset=utf-8", "Connection: close"];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${status}`);
}

/** Tells a client that it forgot TLS; the socket below the failed one still carries what is written to it. */
function answerPlainHttp(failed: TLSSocket): void {
  const { _parent: raw } = failed as unknown as { readonly _parent?: Socket };
  raw?.on("error", () => raw.destroy());
  raw?.end("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
}

/** As Go's server prefers them: the shorter key costs less, and is as safe. */
const ciphers = `TLS_AES_128_GCM_SHA256:${DEFAULT_CIPHERS}`;

/** Certificates of clients are asked for and looked at, but none is required: tokens do as well. */
function tlsOptions(tls: ServerTls): TlsOptions {
  const authorities = [tls.clientAuthority, tls.proxyAuthority].filter((pem) => pem !== undefined);
  return {
    cert: tls.certificate,
    key: tls.key,
    ALPNProtocols: ["h2", "http/1.1"],
    minVersion: "TLSv1.2",
    ciphers,
    noDelay: true,
    requestCert: true,
    rejectUnauthorized: false,
    ...(authorities.length === 0 ? {} : { ca: authorities }),
  };
}
