import { createCaller, createCodec, GrpcError, openChannel } from "../grpc/index.ts";
import type { CallOptions } from "../grpc/index.ts";
import { CriError } from "./error.ts";
import type { Input, Output } from "./message.ts";
import { messages, methods, timeoutSeconds } from "./schema.ts";

type MethodTable = typeof methods;
type MethodName = keyof MethodTable;

/** The calls of a container runtime, one function each; they reject with `CriError`. */
export type CriClient = {
  readonly [M in MethodName as Uncapitalize<M>]: (
    request: Input<MethodTable[M][1]>,
    options?: Pick<CallOptions, "timeout" | "signal">,
  ) => Promise<Output<MethodTable[M][2]>>;
};

const largestMessage = 16 * 1024 * 1024;

/** Connects, lazily and again when the connection is lost, to the runtime that listens at `socketPath`; closed when `signal` aborts. */
export function createCriClient(options: { socketPath: string; signal: AbortSignal }): CriClient {
  const channel = openChannel(`unix://${options.socketPath}`, {
    settings: {
      "grpc.default_authority": "localhost",
      "grpc.max_receive_message_length": largestMessage,
      "grpc.max_send_message_length": largestMessage,
      "grpc.initial_reconnect_backoff_ms": 50,
      "grpc.max_reconnect_backoff_ms": 3000,
    },
  });
  options.signal.addEventListener("abort", () => channel.close(), { once: true });
  const caller = createCaller(channel, { codec: createCodec(messages), methods });
  const names = Object.keys(methods) as MethodName[];
  const calls = names.map((method) => [
    method[0]?.toLowerCase() + method.slice(1),
    async (request: object, options: CallOptions = {}) => {
      try {
        return await caller.unary(method, request, { timeout: timeoutSeconds(method) * 1000, ...options });
      } catch (error) {
        const { code, message } = GrpcError.from(error);
        throw new CriError({ method, code, message });
      }
    },
  ]);
  return Object.fromEntries(calls) as CriClient;
}
