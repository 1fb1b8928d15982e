/** Channels of exec and attach, by upstream's numbers. */
export const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** How channels are put into messages. */
export interface ChannelProtocol {
  /** Empty for clients that name none. */
  readonly name: string;
  readonly base64: boolean;
  /** What the error channel carries at the end. */
  readonly status: "text" | "object";
  /** Whether the client can close single channels. */
  readonly closes: boolean;
}

/** What exec and attach understand, the best first. */
export const remoteCommandProtocols: readonly ChannelProtocol[] = [
  { name: "v5.channel.k8s.io", base64: false, status: "object", closes: true },
  { name: "v4.channel.k8s.io", base64: false, status: "object", closes: false },
  { name: "v4.base64.channel.k8s.io", base64: true, status: "object", closes: false },
  { name: "channel.k8s.io", base64: false, status: "text", closes: false },
  { name: "base64.channel.k8s.io", base64: true, status: "text", closes: false },
  { name: "", base64: false, status: "text", closes: false },
];

/** What port-forward over channels understands. */
export const portForwardProtocols: readonly ChannelProtocol[] = [
  { name: "v4.channel.k8s.io", base64: false, status: "text", closes: false },
  { name: "v4.base64.channel.k8s.io", base64: true, status: "text", closes: false },
  { name: "", base64: false, status: "text", closes: false },
];

/** The subprotocol whose messages are the bytes of a SPDY connection. */
export const tunnelProtocol = "SPDY/3.1+portforward.k8s.io";

/** What a client's message says. */
export type ChannelMessage =
  | { readonly type: "data"; readonly channel: number; readonly data: Uint8Array }
  | { readonly type: "close"; readonly channel: number };

/** A message of a channel, as it is sent: text for the base64 protocols. */
export function encodeChannel(
  protocol: ChannelProtocol,
  message: { readonly channel: number; readonly data: Uint8Array },
): Uint8Array | string {
  if (protocol.base64) return `${message.channel}${Buffer.from(message.data).toString("base64")}`;
  const bytes = new Uint8Array(message.data.length + 1);
  bytes[0] = message.channel;
  bytes.set(message.data, 1);
  return bytes;
}

/** Reads a client's message; undefined for one that makes no sense. */
export function decodeChannel(protocol: ChannelProtocol, message: Uint8Array): ChannelMessage | undefined {
  const first = message[0];
  if (first === undefined) return undefined;
  const rest = message.subarray(1);
  if (protocol.base64) {
    const number = first - 48;
    if (number < 0 || number > 9) return undefined;
    return {
      type: "data",
      channel: number,
      data: Buffer.from(Buffer.from(rest).toString("latin1"), "base64"),
    };
  }
  if (protocol.closes && first === channel.close) {
    const closed = rest[0];
    return rest.length === 1 && closed !== undefined ? { type: "close", channel: closed } : undefined;
  }
  return { type: "data", channel: first, data: rest };
}
