import type { Readable, Writable } from "node:stream";
import type { RawData, WebSocket } from "ws";
import { decodeChannel, encodeChannel } from "./channels.ts";
import type { ChannelMessage, ChannelProtocol } from "./channels.ts";

const normalClosure = 1000;

/** A WebSocket whose messages belong to channels. */
export class ChannelSocket {
  /** Settles when the connection has ended. */
  readonly closed: Promise<void>;
  private readonly socket: WebSocket;
  private readonly protocol: ChannelProtocol;

  constructor(socket: WebSocket, protocol: ChannelProtocol) {
    this.socket = socket;
    this.protocol = protocol;
    this.closed = new Promise((resolve) => {
      if (socket.readyState === socket.CLOSED) resolve();
      else socket.once("close", () => resolve());
    });
  }

  /** Calls `take` with each message that makes sense. */
  onMessage(take: (message: ChannelMessage) => void): void {
    this.socket.on("message", (raw: RawData) => {
      const message = decodeChannel(this.protocol, raw as Buffer);
      if (message) take(message);
    });
  }

  /** Settles when the message is out. */
  send(channel: number, data: Uint8Array): Promise<void> {
    const message = encodeChannel(this.protocol, { channel, data });
    return new Promise((resolve) => {
      this.socket.send(message, () => resolve());
    });
  }

  /** Sends what the stream gives, no faster than the client takes it; settles at its end. */
  async sendAll(channel: number, stream: Readable): Promise<void> {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      if (this.socket.readyState !== this.socket.OPEN) return;
      await this.send(channel, chunk as Uint8Array);
    }
  }

  /** Writes to the stream; takes no more messages while the stream is full. */
  forward(data: Uint8Array, stream: Writable): void {
    if (stream.destroyed || stream.writableEnded || stream.write(data)) return;
    this.socket.pause();
    const go = () => {
      stream.off("drain", go);
      stream.off("close", go);
      if (this.socket.readyState === this.socket.OPEN) this.socket.resume();
    };
    stream.on("drain", go);
    stream.on("close", go);
  }

  async close(): Promise<void> {
    if (this.socket.isPaused) this.socket.resume();
    this.socket.close(normalClosure);
    await this.closed;
  }
}
