import type { WebSocket } from "ws";
import { acceptWebSocket, chooseProtocol } from "./accept.ts";
import type { UpgradedRequest } from "./accept.ts";

/** The subprotocols in which a server sends one stream of bytes, a message each piece. */
const oneWayProtocols = [
  { name: "", base64: false },
  { name: "binary.k8s.io", base64: false },
  { name: "base64.binary.k8s.io", base64: true },
] as const;

/** Above this much that the client has not taken yet, writers wait. */
const highWater = 64 * 1024;

/** Bytes for a WebSocket's client, written piece by piece. */
export class OneWaySocket {
  private readonly socket: WebSocket;
  private readonly base64: boolean;
  private waiting: (() => void) | undefined;

  constructor(socket: WebSocket, { base64 }: { readonly base64: boolean }) {
    this.socket = socket;
    this.base64 = base64;
    socket.once("close", () => this.drained());
    // The empty message tells the client that the stream is open though nothing has come yet.
    this.write(new Uint8Array());
  }

  /** False: wait for `onDrain` before writing more. */
  write(bytes: Uint8Array): boolean {
    const message = this.base64 ? Buffer.from(bytes).toString("base64") : bytes;
    this.socket.send(message, { binary: !this.base64 }, () => {
      if (this.socket.bufferedAmount < highWater) this.drained();
    });
    return this.socket.bufferedAmount < highWater;
  }

  end(): void {
    this.socket.close();
  }

  /** Breaks off: the client sees that the stream is not whole. */
  abort(): void {
    this.socket.terminate();
  }

  onDrain(action: () => void): void {
    if (this.socket.bufferedAmount < highWater || this.socket.readyState !== this.socket.OPEN) action();
    else this.waiting = action;
  }

  private drained(): void {
    const action = this.waiting;
    this.waiting = undefined;
    action?.();
  }
}

/** Opens the WebSocket that a client asked for, to send it bytes; undefined when it knows none of the subprotocols. */
export async function acceptOneWay(upgrade: UpgradedRequest): Promise<OneWaySocket | undefined> {
  const protocol = chooseProtocol(upgrade.request.headers, oneWayProtocols);
  return protocol && new OneWaySocket(await acceptWebSocket(upgrade, protocol.name), protocol);
}
