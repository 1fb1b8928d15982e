import type { WebSocket } from "ws";
import { acceptWebSocket, chooseProtocol } from "./accept.ts";
import type { UpgradedRequest } from "./accept.ts";
import { MessageSender } from "./sending.ts";

/** The subprotocols in which a server sends one stream of bytes, a message each piece. */
const oneWayProtocols = [
  { name: "", base64: false },
  { name: "binary.k8s.io", base64: false },
  { name: "base64.binary.k8s.io", base64: true },
] as const;

/** Bytes for a WebSocket's client, written piece by piece. */
export class OneWaySocket {
  private readonly sender: MessageSender;
  private readonly base64: boolean;

  constructor(socket: WebSocket, { base64 }: { readonly base64: boolean }) {
    this.sender = new MessageSender(socket);
    this.base64 = base64;
    // The empty message tells the client that the stream is open though nothing has come yet.
    this.write(new Uint8Array());
  }

  /** False: wait for `onDrain` before writing more. */
  write(bytes: Uint8Array): boolean {
    return this.sender.send(this.base64 ? Buffer.from(bytes).toString("base64") : bytes);
  }

  end(): void {
    this.sender.end();
  }

  /** Breaks off: the client sees that the stream is not whole. */
  abort(): void {
    this.sender.abort();
  }

  onDrain(action: () => void): void {
    this.sender.onDrain(action);
  }
}

/** Opens the WebSocket that a client asked for, to send it bytes; undefined when it knows none of the subprotocols. */
export async function acceptOneWay(upgrade: UpgradedRequest): Promise<OneWaySocket | undefined> {
  const protocol = chooseProtocol(upgrade.request.headers, oneWayProtocols);
  return protocol && new OneWaySocket(await acceptWebSocket(upgrade, protocol.name), protocol);
}
