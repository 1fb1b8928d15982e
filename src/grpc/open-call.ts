import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Milliseconds } from "../base/index.ts";
import { GrpcError, grpcCode } from "./error.ts";
import { framed } from "./frames.ts";
import type { Call, Sender } from "./service.ts";

/** The type of content that makes a request a call. */
export const grpcType = "application/grpc";

/** A call on a stream: its answers, its end, and who is told of it. */
export class OpenCall implements Call, Sender<object> {
  readonly headers: Call["headers"];
  readonly peerName: string | undefined;
  requestBytes = 0;
  private readonly stream: ServerHttp2Stream;
  private readonly encode: (message: object) => Uint8Array;
  /** Made when somebody asks: most calls are over before anybody does. */
  private controller: AbortController | undefined;
  private reason: GrpcError | undefined;

  constructor(
    stream: ServerHttp2Stream,
    options: {
      readonly headers: IncomingHttpHeaders;
      readonly peerName: string | undefined;
      readonly encode: (message: object) => Uint8Array;
    },
  ) {
    this.stream = stream;
    this.headers = options.headers as Call["headers"];
    this.peerName = options.peerName;
    this.encode = options.encode;
    this.send = this.send.bind(this);
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.reason) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  /** Why the call is over, if it ended from outside. */
  get endedBy(): GrpcError | undefined {
    return this.reason;
  }

  /** Ends the call whatever its handler does. */
  end(reason: GrpcError): void {
    this.reason ??= reason;
    this.finish(reason);
    this.controller?.abort(reason);
  }

  async send(response: object): Promise<void> {
    const { stream } = this;
    if (stream.destroyed || stream.writableEnded) return;
    // Headers go before the first message; the trailers tell how it ended.
    if (!stream.headersSent) {
      stream.respond({ ":status": 200, "content-type": grpcType }, { waitForTrailers: true });
    }
    if (!stream.write(framed(this.encode(response)))) await drained(stream);
  }

  /** Sends the only answer, and that the call has ended well. */
  answer(response: object): void {
    const { stream } = this;
    if (stream.destroyed || stream.writableEnded) return;
    stream.respond({ ":status": 200, "content-type": grpcType }, { waitForTrailers: true });
    this.endWith({ "grpc-status": 0 });
    stream.end(framed(this.encode(response)));
  }

  /** Tells the caller how the call ended. */
  finish(error: GrpcError | undefined): void {
    const { stream } = this;
    if (stream.destroyed || stream.closed || stream.writableEnded) return;
    const trailers = error
      ? { "grpc-status": error.code, "grpc-message": percentEncoded(error.message) }
      : { "grpc-status": 0 };
    if (!stream.headersSent) {
      stream.respond({ ":status": 200, "content-type": grpcType, ...trailers }, { endStream: true });
      stream.close(constants.NGHTTP2_NO_ERROR);
      return;
    }
    this.endWith(trailers);
    stream.end();
  }

  private endWith(trailers: OutgoingHttpHeaders): void {
    const { stream } = this;
    stream.once("wantTrailers", () => {
      stream.sendTrailers(trailers);
      // A caller that still sends is told that nobody listens, once the trailers are on their way.
      if (!stream.readableEnded) setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
    });
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

/** How long the caller waits. */
export function timeoutOf(headers: IncomingHttpHeaders): Milliseconds | undefined {
  const [, amount, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(String(headers["grpc-timeout"])) ?? [];
  return amount === undefined ? undefined : Number(amount) * timeoutUnits[unit]!;
}

/** What a call ends with whose caller has gone, or that is over. */
export function canceled(): GrpcError {
  return new GrpcError(grpcCode.canceled, "context canceled");
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
