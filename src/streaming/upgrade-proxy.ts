import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";

/** A request that wants to leave HTTP: its head, and the connection it came on. */
export interface UpgradeRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: Duplex;
  /** Bytes that the client sent after the head. */
  readonly head: Uint8Array;
}

/** Headers that say who asks: they are for this server, not for the next. */
const identityHeaders = /^(authorization|impersonate-.*|x-remote-.*|host|content-length)$/;

/** Whether the client asks to switch protocols (SPDY/3.1 or WebSocket). */
export function wantsUpgrade(headers: IncomingHttpHeaders): boolean {
  const connection = headers.connection?.toLowerCase() ?? "";
  return headers.upgrade !== undefined && connection.split(",").some((token) => token.trim() === "upgrade");
}

/**
 * Passes the request on to another server and then every byte both ways, the answer's head included, so that any
 * protocol works that both ends agree on. Settles when both directions have ended.
 */
export async function proxyUpgrade(
  request: UpgradeRequest,
  options: {
    readonly backend: Duplex;
    readonly host: string;
    readonly path: string;
    /** Headers that tell the other server who asks. */
    readonly identity?: Readonly<Record<string, readonly string[]>>;
  },
): Promise<void> {
  const { backend, host, path, identity = {} } = options;
  const lines = [`${request.method} ${path} HTTP/1.1`, `Host: ${host}`];
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(":") || identityHeaders.test(name)) continue;
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  }
  for (const [name, values] of Object.entries(identity)) {
    for (const value of values) lines.push(`${name}: ${value}`);
  }
  backend.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (request.head.length > 0) backend.write(request.head);
  await join(request.socket, backend);
}

/** Pipes two connections into one another; an error or an abrupt end of either ends both. Settles when both are closed. */
export function join(one: Duplex, other: Duplex): Promise<void> {
  one.pipe(other);
  other.pipe(one);
  const closed = (stream: Duplex, peer: Duplex) =>
    new Promise<void>((resolve) => {
      stream.on("error", () => peer.destroy());
      stream.once("close", () => {
        // What the peer has still to write goes out first.
        peer.end();
        resolve();
      });
    });
  return Promise.all([closed(one, other), closed(other, one)]).then(() => undefined);
}

/** Answers on a raw connection where no HTTP response object exists any more, and closes it. */
export function refuseUpgrade(
  socket: Duplex,
  answer: { code: number; reason: string; body: string; contentType: string },
): void {
  const body = Buffer.from(answer.body);
  socket.end(
    Buffer.concat([
      Buffer.from(
        `HTTP/1.1 ${answer.code} ${answer.reason}\r\nContent-Type: ${answer.contentType}\r\n` +
          `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
      ),
      body,
    ]),
  );
}
