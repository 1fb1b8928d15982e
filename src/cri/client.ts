import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { Milliseconds } from "../base/index.ts";
import { decode, encode } from "./codec.ts";
import { CriError } from "./error.ts";
import type { Input, MessageName, Output } from "./message.ts";
import { methods } from "./schema.ts";

type Methods = typeof methods;
type Uncapitalized<T extends string> = Uncapitalize<T>;

/** Options of one call. */
interface CallOptions {
  /** Instead of the method's own deadline. */
  readonly timeout?: Milliseconds;
  readonly signal?: AbortSignal;
}

/** The calls of a container runtime, one function each; they reject with `CriError`. */
export type CriClient = {
  readonly [M in keyof Methods as Uncapitalized<M>]: (
    request: Input<Methods[M][1]>,
    options?: CallOptions,
  ) => Promise<Output<Methods[M][2]>>;
};

const largestMessage = 16 * 1024 * 1024;

/** Connects, lazily and again when the connection is lost, to the runtime that listens at `socketPath`; closed when `signal` aborts. */
export function createCriClient(options: { socketPath: string; signal: AbortSignal }): CriClient {
  const channel = new Client(`unix://${options.socketPath}`, credentials.createInsecure(), {
    "grpc.default_authority": "localhost",
    "grpc.max_receive_message_length": largestMessage,
    "grpc.max_send_message_length": largestMessage,
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 3000,
    "grpc.enable_retries": 0,
  });
  options.signal.addEventListener("abort", () => channel.close(), { once: true });
  const calls = Object.entries(methods).map(([name, [service, request, response, seconds]]) => [
    name[0]?.toLowerCase() + name.slice(1),
    caller(channel, { name, service, request, response, timeout: seconds * 1000 }),
  ]);
  return Object.fromEntries(calls) as CriClient;
}

interface Method {
  readonly name: string;
  readonly service: string;
  readonly request: MessageName;
  readonly response: MessageName;
  readonly timeout: Milliseconds;
}

function caller(channel: Client, method: Method) {
  const path = `/runtime.v1.${method.service}/${method.name}`;
  const serialize = (message: object) => Buffer.from(encode(method.request, message));
  const deserialize = (bytes: Buffer) => decode(method.response, bytes);
  return (request: object, options: CallOptions = {}) =>
    new Promise<object>((resolve, reject) => {
      const deadline = Date.now() + (options.timeout ?? method.timeout);
      const cancel = () => call.cancel();
      const call = channel.makeUnaryRequest(
        path,
        serialize,
        deserialize,
        request,
        new Metadata(),
        { deadline },
        (error, answer) => {
          options.signal?.removeEventListener("abort", cancel);
          if (error) reject(new CriError({ method: method.name, code: error.code, message: error.details }));
          else resolve(answer ?? {});
        },
      );
      if (options.signal?.aborted) cancel();
      else options.signal?.addEventListener("abort", cancel, { once: true });
    });
}
