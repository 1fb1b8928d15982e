import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { ChannelOptions, ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";
import type { Milliseconds } from "../base/index.ts";
import type { Codec } from "./codec.ts";
import { GrpcError } from "./error.ts";
import type { Input, Methods, Output, Schema } from "./schema.ts";

/** A connection that is made when it is needed, and made again when it is lost. */
export type Channel = Client;

/** PEM text of who is trusted and who we are. */
export interface ClientTls {
  readonly authority?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** The name or address that the server's certificate must be for. */
  readonly host: string;
}

/** Connects to `target`, e.g. `dns:host:port` or `unix:///path`. Close what you opened. */
export function openChannel(
  target: string,
  options: { readonly tls?: ClientTls; readonly settings?: ChannelOptions } = {},
): Channel {
  const { tls, settings = {} } = options;
  const fixed = { "grpc.enable_retries": 0, ...settings };
  if (!tls) return new Client(target, credentials.createInsecure(), fixed);
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  const { host } = tls;
  const security = credentials.createSsl(pem(tls.authority), pem(tls.key), pem(tls.certificate), {
    checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
  });
  // An address cannot be a server's name in TLS; its certificate is checked against the address nevertheless.
  const name = isIP(host) === 0 ? host : "address.invalid";
  return new Client(target, security, { ...fixed, "grpc.ssl_target_name_override": name });
}

/** Options of one call. */
export interface CallOptions {
  /** The call fails with `deadlineExceeded` after it. */
  readonly timeout?: Milliseconds;
  readonly signal?: AbortSignal;
  /** Headers of the call. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The two ends of a call: what arrives is iterated, and is not read faster than that. */
export interface Stream<Request, Response> extends AsyncIterable<Response> {
  /** Sends a message; settles when there is room for the next one. */
  send(request: Request): Promise<void>;
  /** Says that no message follows. */
  end(): void;
  cancel(): void;
}

/** The calls of a protocol over one channel; all fail with a `GrpcError`. */
export interface Caller<S extends Schema, T extends Methods<S>> {
  unary<N extends keyof T & string>(
    method: N,
    request: Input<S, T[N][1]>,
    options?: CallOptions,
  ): Promise<Output<S, T[N][2]>>;
  /** A call with many answers. */
  responses<N extends keyof T & string>(
    method: N,
    request: Input<S, T[N][1]>,
    options?: CallOptions,
  ): AsyncIterable<Output<S, T[N][2]>>;
  /** A call with many questions and answers. */
  stream<N extends keyof T & string>(
    method: N,
    options?: CallOptions,
  ): Stream<Input<S, T[N][1]>, Output<S, T[N][2]>>;
}

/** Makes the calls of `methods` over a channel. */
export function createCaller<S extends Schema, const T extends Methods<S>>(
  channel: Channel,
  { codec, methods }: { readonly codec: Codec<S>; readonly methods: T },
): Caller<S, T> {
  const wireOf = <N extends keyof T & string>(method: N) => {
    const [service, request, response] = methods[method]!;
    return {
      path: `/${service}/${method}`,
      serialize: (message: Input<S, T[N][1]>) => codec.encode(request, message),
      deserialize: (bytes: Buffer) => codec.decode(response, bytes),
    };
  };
  return {
    unary: (method, request, options = {}) =>
      new Promise((resolve, reject) => {
        const { path, serialize, deserialize } = wireOf(method);
        const [metadata, settings] = settingsOf(options);
        const call = channel.makeUnaryRequest(
          path,
          serialize,
          deserialize,
          request,
          metadata,
          settings,
          (error, answer) => {
            release();
            if (error || answer === undefined) reject(GrpcError.from(error));
            else resolve(answer);
          },
        );
        const release = cancelledBy(options.signal, call);
      }),
    responses(method, request, options = {}) {
      const { path, serialize, deserialize } = wireOf(method);
      const [metadata, settings] = settingsOf(options);
      const call = channel.makeServerStreamRequest(path, serialize, deserialize, request, metadata, settings);
      return received(call, cancelledBy(options.signal, call));
    },
    stream(method, options = {}) {
      const { path, serialize, deserialize } = wireOf(method);
      const [metadata, settings] = settingsOf(options);
      const call = channel.makeBidiStreamRequest(path, serialize, deserialize, metadata, settings);
      const answers = received(call, cancelledBy(options.signal, call));
      return {
        send: (message) => sent(call, message),
        end: () => void call.end(),
        cancel: () => call.cancel(),
        [Symbol.asyncIterator]: () => answers,
      };
    },
  };
}

function settingsOf({ timeout, headers = {} }: CallOptions): [Metadata, { deadline?: number }] {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return [metadata, timeout === undefined ? {} : { deadline: Date.now() + timeout }];
}

function cancelledBy(signal: AbortSignal | undefined, call: { cancel(): void }): () => void {
  const cancel = () => call.cancel();
  if (signal?.aborted) cancel();
  else signal?.addEventListener("abort", cancel, { once: true });
  return () => signal?.removeEventListener("abort", cancel);
}

async function* received<Response>(
  call: ClientReadableStream<Response>,
  release: () => void,
): AsyncGenerator<Response, void> {
  try {
    for await (const answer of call) yield answer as Response;
  } catch (error) {
    throw GrpcError.from(error);
  } finally {
    release();
    call.cancel();
  }
}

/** Waits for room; a stream that breaks meanwhile tells so to who reads it. */
function sent<Request>(call: ClientDuplexStream<Request, unknown>, message: Request): Promise<void> {
  if (call.writableEnded || call.destroyed) return Promise.resolve();
  if (call.write(message)) return Promise.resolve();
  return new Promise((resolve) => {
    const settle = () => {
      call.off("drain", settle).off("close", settle).off("error", settle);
      resolve();
    };
    call.on("drain", settle).on("close", settle).on("error", settle);
  });
}
