import { STATUS_CODES } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Server } from "node:https";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock, Logger } from "../../base/index.ts";
import type { CriClient } from "../../cri/index.ts";
import { refuseUpgrade } from "../../streaming/index.ts";
import { attributesOf, userOf } from "./access.ts";
import type { KubeletAuthorizer } from "./access.ts";
import { HttpError } from "./http-error.ts";
import { routes, sendText } from "./routes.ts";
import type { KubeletPods, RouteContext } from "./routes.ts";
import { serveStream, streamPaths } from "./streams.ts";

export interface ServeKubeletOptions {
  readonly host: string;
  readonly port: number;
  /** The node's serving certificate, PEM. */
  readonly tls: { readonly certificate: string; readonly key: string };
  /** PEM of the authority whose client certificates are believed. */
  readonly clientCa: string;
  readonly authorize: KubeletAuthorizer;
  readonly pods: KubeletPods;
  readonly cri: CriClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A kubelet's server that listens. */
export interface ServedKubelet {
  readonly port: number;
  /** Settles when `signal` has aborted and all connections have ended. */
  readonly stopped: Promise<void>;
}

/** Serves a node's logs, streams and state over HTTPS until `signal` aborts; settles when it listens. */
export async function serveKubelet(
  options: ServeKubeletOptions,
  signal: AbortSignal,
): Promise<ServedKubelet> {
  const server = new KubeletServer(options);
  return server.listen(signal);
}

class KubeletServer {
  private readonly options: ServeKubeletOptions;
  private readonly context: RouteContext;
  private readonly sockets = new Set<Duplex>();
  private readonly server: Server;

  constructor(options: ServeKubeletOptions) {
    this.options = options;
    this.context = options;
    this.server = createServer({
      cert: options.tls.certificate,
      key: options.tls.key,
      ca: options.clientCa,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      noDelay: true,
    });
    this.server.on("connection", (socket) => this.keep(socket));
    this.server.on("request", (request, response) => void this.serve(request, response));
    this.server.on("upgrade", (request, socket, head) => void this.serveUpgrade(request, socket, head));
  }

  async listen(signal: AbortSignal): Promise<ServedKubelet> {
    const { host, port } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen({ host, port }, resolve);
    });
    const stopped = new Promise<void>((resolve) => this.server.once("close", resolve));
    const close = () => {
      this.server.close();
      for (const socket of this.sockets) socket.destroy();
    };
    if (signal.aborted) close();
    else signal.addEventListener("abort", close, { once: true });
    const address = this.server.address();
    return { port: typeof address === "object" && address ? address.port : port, stopped };
  }

  private keep(socket: Duplex): void {
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      const { path, query } = await this.admit(request);
      const method = request.method === "HEAD" ? "GET" : (request.method ?? "GET");
      const route = routes[`${method} ${path[0] ?? ""}`];
      if (!route) {
        const known = streamPaths.has(path[0] ?? "");
        throw known
          ? new HttpError(400, "Upgrade request required")
          : new HttpError(404, "404 page not found\n");
      }
      await route(this.context, { request, response, path, query, signal: gone.signal });
    } catch (error) {
      if (gone.signal.aborted) return;
      const failure = this.failureOf(error, request);
      // After the head only the connection's break tells that something is missing.
      if (response.headersSent) response.destroy();
      else sendText(response, failure.code, failure.message);
    }
  }

  private async serveUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    try {
      const { path, query } = await this.admit(request);
      if (!streamPaths.has(path[0] ?? "")) throw new HttpError(404, "404 page not found\n");
      await serveStream(this.context, { upgrade: { request, socket, head }, path, query });
    } catch (error) {
      const { code, message } = this.failureOf(error, request);
      if (socket.destroyed) return;
      refuseUpgrade(socket, {
        code,
        reason: STATUS_CODES[code] ?? "",
        body: message,
        contentType: "text/plain; charset=utf-8",
      });
    }
  }

  /** Who asks, whether they may, and for what; throws `HttpError`. */
  private async admit(
    request: IncomingMessage,
  ): Promise<{ readonly path: readonly string[]; readonly query: URLSearchParams }> {
    const url = new URL(request.url ?? "/", "https://kubelet");
    const user = userOf(request.socket as TLSSocket);
    if (!user) throw new HttpError(401, "Unauthorized");
    const attributes = attributesOf({ user, method: request.method ?? "GET", path: url.pathname });
    if (!(await this.options.authorize(attributes))) {
      const { verb, subresources } = attributes;
      throw new HttpError(
        403,
        `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(" ")}])\n`,
      );
    }
    return { path: decodedPath(url.pathname), query: url.searchParams };
  }

  private failureOf(error: unknown, request: IncomingMessage): { code: number; message: string } {
    if (error instanceof HttpError) return error;
    this.options.logger.warn("A request to the kubelet failed", { path: request.url, error });
    return { code: 500, message: error instanceof Error ? error.message : String(error) };
  }
}

function decodedPath(path: string): string[] {
  try {
    return path.split("/").slice(1).map(decodeURIComponent);
  } catch {
    throw new HttpError(400, "invalid path");
  }
}
