import { createServer as createHttp1Server, type IncomingMessage } from "node:http";
import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Logger, Milliseconds } from "../base/index.ts";
import { GrpcError, grpcCode } from "./error.ts";
import { FrameReader } from "./frames.ts";
import { MendedConnection } from "./mended-connection.ts";
import { canceled, grpcType, OpenCall, timeoutOf } from "./open-call.ts";
import type { ServedMethod } from "./service.ts";

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
  /** What calls are refused with that a closing server ends. */
  readonly stoppedText: string;
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

/** Makes a server that serves the methods. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { logger } = options;
  const calls = new Set<OpenCall>();
  const connections = new Set<Duplex>();
  const http2 = http2Server(options, calls);
  const http1 = createHttp1Server((request, response) => {
    const answer = options.http(requestLine(request));
    response.writeHead(answer.status, { "content-type": answer.type, connection: "close" });
    response.end(request.method === "HEAD" ? undefined : answer.body);
  });
  let isClosing = false;
  return {
    accept(connection) {
      if (isClosing) return void connection.destroy();
      connections.add(connection);
      connection.on("close", () => connections.delete(connection));
      connection.on("error", (error) => logger.debug("A connection broke", { error }));
      void speaksHttp2(connection).then((isHttp2) => {
        if (isHttp2) return http2.open(connection);
        http1.emit("connection", connection);
        return connection.resume();
      });
    },
    async close() {
      isClosing = true;
      const stopped = new GrpcError(grpcCode.unavailable, options.stoppedText);
      for (const call of calls) call.end(stopped);
      http2.closeSessions();
      const late = setTimeout(() => connections.forEach((connection) => connection.destroy()), patience);
      await Promise.all([...connections].map((one) => new Promise((done) => one.once("close", done))));
      clearTimeout(late);
    },
  };
}

/** The side of HTTP/2, which adds calls to the set while they last. */
function http2Server(
  options: GrpcServerOptions,
  calls: Set<OpenCall>,
): { open(connection: Duplex): void; closeSessions(): void } {
  const { logger } = options;
  const methods = new Map(options.methods.map((method) => [method.path, method]));
  const sessions = new Set<ServerHttp2Session>();
  // A session is told of while its connection is handed over.
  let opening: Duplex | undefined;
  const peerNames = new WeakMap<object, string>();
  const http2 = createServer({
    maxSessionMemory: sessionMegabytes,
    settings: { initialWindowSize: streamWindow },
  });
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
    const peerName = stream.session && peerNames.get(stream.session);
    const call = new OpenCall(stream, { headers, peerName, encode: method?.encode ?? nothing });
    if (!method) return call.finish(unknownMethod(headers[":path"] ?? ""));
    calls.add(call);
    const release = endInTime(call, headers);
    stream.on("close", () => {
      release();
      calls.delete(call);
      call.end(gone);
    });
    void serveCall(call, { stream, method, options });
  });
  return {
    open(connection) {
      opening = connection;
      http2.emit("connection", new MendedConnection(connection));
    },
    closeSessions() {
      for (const session of sessions) session.close();
    },
  };
}

const nothing = () => new Uint8Array(0);

/** One for all: nobody looks where it came from. */
const gone = canceled();
const longestTimeout: Milliseconds = 2 ** 31 - 1;

/** Ends the call when its caller waits no longer; answers how to forget that. */
function endInTime(call: OpenCall, headers: IncomingHttpHeaders): () => void {
  const timeout = timeoutOf(headers);
  if (timeout === undefined || timeout > longestTimeout) return () => {};
  const timer = setTimeout(
    () => call.end(new GrpcError(grpcCode.deadlineExceeded, "context deadline exceeded")),
    timeout,
  );
  return () => clearTimeout(timer);
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

async function serveCall(
  call: OpenCall,
  {
    stream,
    method,
    options,
  }: { stream: ServerHttp2Stream; method: ServedMethod; options: GrpcServerOptions },
): Promise<void> {
  try {
    await handled(call, { stream, method, largest: options.largestRequest });
    call.finish(undefined);
  } catch (error) {
    if (error instanceof GrpcError) call.finish(error);
    else if (!call.endedBy) {
      options.logger.error("A call failed", { call: method.path, error });
      const message = error instanceof Error ? error.message : String(error);
      call.finish(new GrpcError(grpcCode.internal, message));
    }
  }
}

async function handled(
  call: OpenCall,
  { stream, method, largest }: { stream: ServerHttp2Stream; method: ServedMethod; largest: number },
): Promise<void> {
  if (method.streaming === "both") {
    return method.handle(messagesOf(stream, { decode: method.decode, largest }), call);
  }
  const bytes = await onlyMessage(stream, largest);
  call.requestBytes = bytes.length;
  const request = decoded(method.decode, bytes);
  if (method.streaming === "responses") return method.handle(request, call);
  call.answer(await method.handle(request, call));
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
    stream.once("close", () => {
      if (!stream.readableEnded) reject(canceled());
    });
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

/** The common name of a certificate that was verified. */
function peerNameOf(connection: Duplex): string | undefined {
  if (!(connection instanceof TLSSocket) || !connection.authorized) return undefined;
  const name: unknown = connection.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : undefined;
}
