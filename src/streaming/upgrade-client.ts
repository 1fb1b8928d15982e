import { request as httpRequest } from "node:http";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";

/** How a server answered the wish to leave HTTP. */
export type UpgradeAnswer =
  | {
      readonly type: "upgraded";
      readonly socket: Duplex;
      /** Bytes that came after the answer's head. */
      readonly head: Uint8Array;
      readonly headers: IncomingHttpHeaders;
    }
  | {
      readonly type: "refused";
      readonly code: number;
      readonly reason: string;
      readonly contentType: string;
      readonly body: string;
    };

/** Of a refusal no more is read. */
const largestRefusal = 64 * 1024;

/** Asks the server at the other end of `connection` to switch protocols; throws when there is no answer. */
export function requestUpgrade(options: {
  readonly connection: Duplex;
  readonly host: string;
  readonly path: string;
  readonly method?: string;
  readonly headers: OutgoingHttpHeaders;
  readonly signal?: AbortSignal;
}): Promise<UpgradeAnswer> {
  const { connection, host, path, signal, method = "POST" } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      createConnection: () => connection,
      method,
      path,
      headers: { connection: "Upgrade", ...options.headers, host },
      setHost: false,
      ...(signal ? { signal } : {}),
    });
    request.on("error", reject);
    request.on("upgrade", (response, socket, head) =>
      resolve({ type: "upgraded", socket, head, headers: response.headers }),
    );
    request.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
        if (body.length > largestRefusal) response.destroy();
      });
      response.on("error", () => undefined);
      response.on("close", () => {
        connection.destroy();
        resolve({
          type: "refused",
          code: response.statusCode ?? 500,
          reason: response.statusMessage ?? "",
          contentType: response.headers["content-type"] ?? "text/plain; charset=utf-8",
          body,
        });
      });
    });
    request.end();
  });
}

/** Asks for SPDY/3.1 with one of the stream protocols, the best first. */
export function requestSpdy(options: {
  readonly connection: Duplex;
  readonly host: string;
  readonly path: string;
  readonly protocols: readonly string[];
  readonly signal?: AbortSignal;
}): Promise<UpgradeAnswer> {
  return requestUpgrade({
    ...options,
    headers: { upgrade: "SPDY/3.1", "x-stream-protocol-version": [...options.protocols] },
  });
}
