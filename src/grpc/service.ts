import type { Codec } from "./codec.ts";
import type { Input, Methods, Output, Schema, Streaming } from "./schema.ts";

/** What a handler knows of a call besides its messages. */
export interface Call {
  /** Aborts when the caller has gone, its deadline has passed or the server closes. */
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The common name of the caller's certificate, where one was verified. */
  readonly peerName: string | undefined;
  /** Length of the question's bytes, where there is but one. */
  readonly requestBytes: number;
}

/** Takes the answers of a call. */
export interface Sender<Response> {
  /** Settles when there is room for the next answer, or nobody is left to take it. */
  send(response: Response): Promise<void>;
}

interface HandlerOf<Request, Response> {
  readonly unary: (request: Request, call: Call) => Promise<Response>;
  readonly responses: (request: Request, call: Call & Sender<Response>) => Promise<void>;
  readonly both: (requests: AsyncIterable<Request>, call: Call & Sender<Response>) => Promise<void>;
}

/** What carries out the calls of a protocol; they throw a `GrpcError` to refuse. A call that has no handler is not implemented. */
export type Handlers<S extends Schema, T extends Methods<S>> = {
  readonly [N in keyof T]?: HandlerOf<Output<S, T[N][1]>, Input<S, T[N][2]>>[T[N][3]];
};

type Served = {
  readonly [K in Streaming]: { readonly streaming: K; readonly handle: HandlerOf<object, object>[K] };
}[Streaming];

/** A call with its handler, free of the types of its messages. */
export type ServedMethod = Served & {
  readonly path: string;
  readonly decode: (bytes: Uint8Array) => object;
  readonly encode: (message: object) => Uint8Array;
};

/** Binds handlers to the calls of a protocol. */
export function serveMethods<const S extends Schema, const T extends Methods<S>>(
  { codec, methods }: { readonly codec: Codec<S>; readonly methods: T },
  handlers: Handlers<S, T>,
): readonly ServedMethod[] {
  return Object.entries(methods).flatMap(([name, [service, request, response, streaming]]) => {
    const handle = handlers[name];
    if (!handle) return [];
    return [
      {
        ...({ streaming, handle } as Served),
        path: `/${service}/${name}`,
        decode: (bytes: Uint8Array) => codec.decode(request, bytes) as object,
        encode: (message: object) => codec.encode(response, message),
      },
    ];
  });
}
