import type { IncomingHttpHeaders } from "node:http";
import { acceptWebSocket, offeredProtocols } from "./accept.ts";
import type { UpgradedRequest } from "./accept.ts";
import { MessageSender } from "./sending.ts";

/** Why a handshake is refused, in the words of the library that upstream's watches use. */
export interface HandshakeRefusal {
  readonly status: "400 Bad Request" | "403 Forbidden";
  readonly headers?: readonly string[];
  readonly text: string;
}

const supportedVersion = "13";

/** Judges a handshake for events as that library does: it wants to know the origin, and takes one subprotocol as it is. */
export function refusalOf(headers: IncomingHttpHeaders): HandshakeRefusal | undefined {
  if (headers["sec-websocket-version"] !== supportedVersion) {
    return {
      status: "400 Bad Request",
      headers: [`Sec-WebSocket-Version: ${supportedVersion}`],
      text: "missing or bad WebSocket Version",
    };
  }
  if (!headers["sec-websocket-key"])
    return { status: "400 Bad Request", text: "mismatch challenge/response" };
  if (!/^(?:[a-z][a-z\d+.-]*:|\/)/i.test(headers.origin ?? "")) return { status: "403 Forbidden", text: "" };
  if (offeredProtocols(headers).length > 1) return { status: "400 Bad Request", text: "" };
  return undefined;
}

/** Opens the WebSocket that a client asked for, to send it events; undefined when it was refused, which it knows then. */
export async function acceptEvents(upgrade: UpgradedRequest): Promise<MessageSender | undefined> {
  const { headers } = upgrade.request;
  const refusal = refusalOf(headers);
  if (refusal) {
    const { status, text, headers: lines = [] } = refusal;
    upgrade.socket.end([`HTTP/1.1 ${status}`, ...lines, "", text].join("\r\n"));
    return undefined;
  }
  const [protocol = ""] = offeredProtocols(headers);
  return new MessageSender(await acceptWebSocket(upgrade, protocol));
}
