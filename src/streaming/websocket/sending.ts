import type { WebSocket } from "ws";

/** Above this much that the client has not taken yet, writers wait. */
const highWater = 64 * 1024;

const normalClosure = 1000;

/** Messages to a WebSocket's client, no faster than it takes them. */
export class MessageSender {
  private readonly socket: WebSocket;
  private waiting: (() => void) | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.once("close", () => this.drained());
  }

  /** Sends text or bytes as one message; false: wait for `onDrain` before sending more. */
  send(message: string | Uint8Array): boolean {
    this.socket.send(message, { binary: typeof message !== "string" }, () => {
      if (this.socket.bufferedAmount < highWater) this.drained();
    });
    return this.socket.bufferedAmount < highWater;
  }

  end(): void {
    this.socket.close(normalClosure);
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
