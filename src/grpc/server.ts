import { setMaxListeners } from "node:events";
import { createServer as createHttp1Server, type IncomingMessage } from "node:http";
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Logger, Milliseconds } from "../base/index.ts";
import { GrpcError, grpcCode } from "./error.ts";
import { FrameReader, framed } from "./frames.ts";
import { MendedConnection } from "./mended-connection.ts";
import type { Call, Sender, ServedMethod } from "./service.ts";

/** A page of the plain HTTP that is served on the same connections. */
export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** What a server is made of. */
export interface GrpcServerOptions {
  readonly methods: readonly ServedMethod[];
  readonly largestRequest: number;
  readonly logger: Logger;
  /** Answers requests that are no calls. */
  readonly http: (request: { readonly method: string; readonly path: string }) => HttpAnswer;
}

/** Serves calls, and HTTP beside them, on connections that others accept. */
export interface GrpcServer {
  /** Takes a connection, with TLS or without; HTTP/2 or HTTP/1.1 is told by its first bytes or by ALPN. */
  accept(connection: Duplex): void;
  /** Tells all callers, and settles when all connections have ended. */
  close(): Promise<void>;
}

const prefaceStart = "PRI ";
const readyIn: Milliseconds = 10_000;
/** How long connections may take to end when the server closes. */
const patience: Milliseconds = 2_000;
/** What Node.js lets a connection hold, in MB; its default cuts off streams that wait for slow readers. */
const sessionMegabytes = 256;
const streamWindow = 1024 * 1024;

const grpcType = "application/grpc";

/** Makes a server that serves the methods. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { logger } = options;
  const methods = new Map(options.methods.map((method) => [method.path, method]));
  const closing = new AbortController();
  // Every call listens.
  setMaxListeners(0, closing.signal);
  const sessions = new Set<ServerHttp2Session>();
  const connections = new Set<Duplex>();
  const http2 = createServer({
    maxSessionMemory: sessionMegabytes,
    settings: { initialWindowSize: streamWindow },
  });
  const http1 = createHttp1Server((request, response) => {
    const answer = options.http(requestLine(request));
    response.writeHead(answer.status, { "content-type": answer.type, connection: "close" });
    response.end(request.method === "HEAD" ? undefined : answer.body);
  });
  // A session is told of while its connection is handed over.
  let opening: Duplex | undefined;
  const peerNames = new WeakMap<object, string>();
  http2.on("session", (session) => {
    sessions.add(session);
    const peerName = opening && peerNameOf(opening);
    if (peerName !== undefined) peerNames.set(session, peerName);
    session.on("close", () => sessions.delete(session));
    session.on("error", (error) => logger.debug("A connection broke", { error }));
  });
  http2.on("stream", (stream, headers) => {
    stream.on("error", (error) => logger.debug("A stream broke", { error }));
    if (!headers["content-type"]?.startsWith(grpcType)) return answerHttp(stream, headers, options);
    const method = methods.get(headers[":path"] ?? "");
    if (!method) return finish(stream, unknownMethod(headers[":path"] ?? ""));
    const peerName = stream.session && peerNames.get(stream.session);
    void serveCall(stream, { method, headers, peerName, closing: closing.signal, options });
  });
  return {
    accept(connection) {
      if (closing.signal.aborted) return void connection.destroy();
      connections.add(connection);
      connection.on("close", () => connections.delete(connection));
      connection.on("error", (error) => logger.debug("A connection broke", { error }));
      void speaksHttp2(connection).then((isHttp2) => {
        if (isHttp2) {
          opening = connection;
          return http2.emit("connection", new MendedConnection(connection));
        }
        http1.emit("connection", connection);
        return connection.resume();
      });
    },
    async close() {
      closing.abort(new GrpcError(grpcCode.unavailable, "etcdserver: server stopped"));
      for (const session of sessions) session.close();
      const late = setTimeout(() => connections.forEach((connection) => connection.destroy()), patience);
      await Promise.all([...connections].map((one) => new Promise((done) => one.once("close", done))));
      clearTimeout(late);
    },
  };
}

function requestLine({ method = "GET", url = "/" }: IncomingMessage): { method: string; path: string } {
  return { method, path: url.split("?")[0]! };
}

/** Whether a connection starts as HTTP/2 does. What was read of it is put back. */
function speaksHttp2(connection: Duplex): Promise<boolean> {
  if (connection instanceof TLSSocket && connection.alpnProtocol) {
    return Promise.resolve(connection.alpnProtocol === "h2");
  }
  return new Promise((resolve) => {
    const late = setTimeout(() => connection.destroy(), readyIn);
    late.unref();
    connection.once("close", () => clearTimeout(late));
    connection.once("data", (chunk: Buffer) => {
      clearTimeout(late);
      connection.pause();
      connection.unshift(chunk);
      resolve(chunk.toString("latin1").startsWith(prefaceStart));
    });
    // Whoever hands a connection over may have held it.
    connection.resume();
  });
}

function answerHttp(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  options: GrpcServerOptions,
): void {
  const method = String(headers[":method"]);
  const { status, type, body } = options.http({ method, path: String(headers[":path"]).split("?")[0]! });
  stream.respond({ ":status": status, "content-type": type });
  stream.end(method === "HEAD" ? undefined : body);
}

function unknownMethod(path: string): GrpcError {
  const [, service = "", method = ""] = path.split("/");
  return new GrpcError(grpcCode.unimplemented, `unknown method ${method} for service ${service}`);
}

interface CallSettings {
  readonly method: ServedMethod;
  readonly headers: IncomingHttpHeaders;
  readonly peerName: string | undefined;
  readonly closing: AbortSignal;
  readonly options: GrpcServerOptions;
}

async function serveCall(stream: ServerHttp2Stream, settings: CallSettings): Promise<void> {
  const { method, headers, peerName, closing, options } = settings;
  const { signal, release } = lifetimeOf(stream, { headers, closing });
  // Ends what the handler reads, too.
  signal.addEventListener("abort", () => finish(stream, GrpcError.from(signal.reason)), { once: true });
  const call: Call = { signal, headers: headers as Call["headers"], peerName, requestBytes: 0 };
  try {
    await handled(stream, { method, call, largest: options.largestRequest });
    finish(stream, undefined);
  } catch (error) {
    if (error instanceof GrpcError) finish(stream, error);
    else if (signal.aborted) finish(stream, GrpcError.from(signal.reason));
    else {
      options.logger.error("A call failed", { call: method.path, error });
      finish(
        stream,
        new GrpcError(grpcCode.internal, error instanceof Error ? error.message : String(error)),
      );
    }
  } finally {
    release();
  }
}

async function handled(
  stream: ServerHttp2Stream,
  { method, call, largest }: { method: ServedMethod; call: Call; largest: number },
): Promise<void> {
  const sender: Sender<object> = {
    send(response) {
      if (stream.destroyed || stream.writableEnded) return Promise.resolve();
      open(stream);
      return stream.write(framed(method.encode(response))) ? Promise.resolve() : drained(stream);
    },
  };
  if (method.streaming === "both") {
    const requests = messagesOf(stream, { decode: method.decode, largest });
    return method.handle(requests, { ...call, ...sender });
  }
  const bytes = await onlyMessage(stream, largest);
  const request = decoded(method.decode, bytes);
  const asked = { ...call, requestBytes: bytes.length };
  if (method.streaming === "responses") return method.handle(request, { ...asked, ...sender });
  const answer = await method.handle(request, asked);
  if (stream.destroyed) return;
  open(stream);
  stream.write(framed(method.encode(answer)));
}

/** Headers go before the first message; the trailers tell how it ended. */
function open(stream: ServerHttp2Stream): void {
  if (stream.headersSent) return;
  stream.respond({ ":status": 200, "content-type": grpcType }, { waitForTrailers: true });
}

function finish(stream: ServerHttp2Stream, error: GrpcError | undefined): void {
  if (stream.destroyed || stream.closed || stream.writableEnded) return;
  const trailers = error
    ? { "grpc-status": error.code, "grpc-message": percentEncoded(error.message) }
    : { "grpc-status": 0 };
  if (!stream.headersSent) {
    stream.respond({ ":status": 200, "content-type": grpcType, ...trailers }, { endStream: true });
    stream.close(constants.NGHTTP2_NO_ERROR);
    return;
  }
  stream.once("wantTrailers", () => {
    stream.sendTrailers(trailers);
    // A caller that still sends is told that nobody listens, once the trailers are on their way.
    if (!stream.readableEnded) setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  });
  stream.end();
}

function onlyMessage(stream: ServerHttp2Stream, largest: number): Promise<Buffer> {
  const reader = new FrameReader(largest);
  return new Promise((resolve, reject) => {
    let found: Buffer | undefined;
    stream.on("data", (chunk: Buffer) => {
      try {
        reader.add(chunk);
        found ??= reader.next();
      } catch (error) {
        stream.removeAllListeners("data").resume();
        reject(GrpcError.from(error));
      }
    });
    stream.once("end", () => {
      if (found) resolve(found);
      else reject(new GrpcError(grpcCode.internal, "the request is missing or cut short"));
    });
    stream.once("close", () => reject(new GrpcError(grpcCode.canceled, "context canceled")));
  });
}

async function* messagesOf(
  stream: ServerHttp2Stream,
  { decode, largest }: { readonly decode: ServedMethod["decode"]; readonly largest: number },
): AsyncGenerator<object, void> {
  const reader = new FrameReader(largest);
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    reader.add(chunk as Buffer);
    for (let message = reader.next(); message; message = reader.next()) yield decoded(decode, message);
  }
  if (reader.isTorn) throw new GrpcError(grpcCode.internal, "the last message is cut short");
}

function decoded(decode: ServedMethod["decode"], message: Buffer): object {
  try {
    return decode(message);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new GrpcError(grpcCode.internal, `grpc: error while unmarshalling request: ${error.message}`);
  }
}

function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      stream.off("drain", settle).off("close", settle);
      resolve();
    };
    stream.on("drain", settle).on("close", settle);
  });
}

const timeoutUnits: Readonly<Record<string, Milliseconds>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};
const longestTimeout: Milliseconds = 2 ** 31 - 1;

function lifetimeOf(
  stream: ServerHttp2Stream,
  { headers, closing }: { headers: IncomingHttpHeaders; closing: AbortSignal },
): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const onClosing = () => controller.abort(closing.reason);
  const onClose = () => controller.abort(new GrpcError(grpcCode.canceled, "context canceled"));
  closing.addEventListener("abort", onClosing, { once: true });
  stream.once("close", onClose);
  const [, amount, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(String(headers["grpc-timeout"])) ?? [];
  const delay = amount === undefined ? Infinity : Number(amount) * timeoutUnits[unit]!;
  const onLate = () =>
    controller.abort(new GrpcError(grpcCode.deadlineExceeded, "context deadline exceeded"));
  const timer = delay < longestTimeout ? setTimeout(onLate, delay) : undefined;
  const release = () => {
    closing.removeEventListener("abort", onClosing);
    stream.off("close", onClose);
    clearTimeout(timer);
    onClose();
  };
  return { signal: controller.signal, release };
}

/** The common name of a certificate that was verified. */
function peerNameOf(connection: Duplex): string | undefined {
  if (!(connection instanceof TLSSocket) || !connection.authorized) return undefined;
  const name: unknown = connection.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : undefined;
}

/** As the protocol wants it for texts in headers. */
function percentEncoded(text: string): string {
  const encoded = [...Buffer.from(text)].map((byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  );
  return encoded.join("");
}
