import { connect } from "node:http2";
import type { ClientHttp2Session, ClientSessionOptions } from "node:http2";
import { Duplex, duplexPair as pairOf } from "node:stream";
import { VirtualClock } from "../base/index.ts";
import { flag, frameHeadBytes, frameType, writeFrameHead } from "./frames.ts";
import { ServerSession } from "./server-session.ts";
import type { SessionLimits } from "./server-session.ts";
import type { ServerStream } from "./server-stream.ts";

const usualLimits: SessionLimits = {
  concurrentStreams: 10,
  streamWindow: 70_000,
  connectionWindow: 200_000,
  headerBytes: 20_000,
};

export interface Wire {
  readonly clock: VirtualClock;
  readonly session: ServerSession;
  readonly streams: ServerStream[];
  readonly client: Duplex;
  readonly server: Duplex;
}

/** A session at one end of a line in memory. */
export function openWire(
  onStream: (stream: ServerStream) => void = () => {},
  limits: Partial<SessionLimits> = {},
): Wire {
  const [client, server] = pairOf();
  const { _write: write } = server;
  // As a socket does, the line keeps nothing of what was written.
  const copying: typeof write = (chunk: Buffer, encoding, done) =>
    write.call(server, Buffer.from(chunk), encoding, done);
  Object.assign(server, { _write: copying });
  const clock = new VirtualClock();
  const streams: ServerStream[] = [];
  const session = new ServerSession(server, {
    clock,
    limits: { ...usualLimits, ...limits },
    onStream(stream) {
      streams.push(stream);
      onStream(stream);
    },
    onClose() {},
  });
  return { clock, session, streams, client, server };
}

/** Node.js's own client at the other end. */
export function nodeClient({ client }: Wire, options: ClientSessionOptions = {}): ClientHttp2Session {
  return connect("http://test", { ...options, createConnection: () => client });
}

export interface ShownFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A client that sends frames as it likes. */
export function rawClient({ client }: Wire) {
  let received = Buffer.alloc(0);
  client.on("data", (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
  client.on("error", () => {});
  return {
    send(...parts: readonly Buffer[]): void {
      client.write(Buffer.concat(parts));
    },
    /** All frames that came so far. */
    frames(): ShownFrame[] {
      const frames: ShownFrame[] = [];
      for (let at = 0; at + frameHeadBytes <= received.length;) {
        const end = at + frameHeadBytes + received.readUIntBE(at, 3);
        frames.push({
          type: received[at + 3]!,
          flags: received[at + 4]!,
          stream: received.readUInt32BE(at + 5),
          payload: received.subarray(at + frameHeadBytes, end),
        });
        at = end;
      }
      return frames;
    },
  };
}

export const greeting = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export function frame(
  type: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(0),
  flags = 0,
): Buffer {
  const bytes = Buffer.alloc(frameHeadBytes + payload.length);
  bytes.set(payload, writeFrameHead(bytes, 0, { type, flags, stream, length: payload.length }));
  return bytes;
}

export const settings = (payload?: Uint8Array) => frame(frameType.settings, 0, payload);

/** Literals that stay out of the table. */
export function block(headers: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

export const getHead = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/"],
] as const;
export const postHead = [[":method", "POST"], ...getHead.slice(1)] as const;

export const headers = (
  stream: number,
  list: readonly (readonly [string, string])[],
  flags: number = flag.endHeaders,
) => frame(frameType.headers, stream, block(list), flags);

/** Lets what is under way on the line arrive. */
export const settle = () =>
  new Promise<void>((resolve) => void setImmediate(() => setImmediate(() => setImmediate(resolve))));
