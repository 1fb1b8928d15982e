import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";

/** A request to leave HTTP behind, with the connection it came on. */
export interface UpgradedRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

/** Larger messages end the connection. */
const largestMessage = 32 * 1024 * 1024;

/** Whether the client wants a WebSocket. */
export function wantsWebSocket(headers: IncomingHttpHeaders): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

/** The subprotocols that the client offers, in its order. */
export function offeredProtocols(headers: IncomingHttpHeaders): readonly string[] {
  const offered = headers["sec-websocket-protocol"];
  if (offered === undefined) return [];
  return offered
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** The first of ours that the client offers; the one without a name for a client that offers none. */
export function chooseProtocol<P extends { readonly name: string }>(
  headers: IncomingHttpHeaders,
  known: readonly P[],
): P | undefined {
  const offered = offeredProtocols(headers);
  return known.find(({ name }) => (name === "" ? offered.length === 0 : offered.includes(name)));
}

/** Completes the handshake with the subprotocol; rejects when the request is no proper handshake (it is answered then). */
export function acceptWebSocket(
  { request, socket, head }: UpgradedRequest,
  protocol: string,
): Promise<WebSocket> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: largestMessage,
    perMessageDeflate: false,
  });
  // `ws` knows only names that are tokens, and Kubernetes has one with a slash: so it sees none, and the header is ours.
  delete request.headers["sec-websocket-protocol"];
  server.on("headers", (headers) => {
    if (protocol !== "") headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });
  return new Promise((resolve, reject) => {
    server.on("wsClientError", (error) => {
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      reject(error);
    });
    server.handleUpgrade(request, socket, Buffer.from(head), (webSocket) => {
      // A connection that breaks shows as its close.
      webSocket.on("error", () => webSocket.terminate());
      resolve(webSocket);
    });
  });
}
