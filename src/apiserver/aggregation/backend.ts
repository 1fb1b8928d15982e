import { request as httpsRequest, type Agent } from "node:https";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { hostAndPort } from "../connect/kubelets.ts";
import { callProblem } from "../connect/webhook-errors.ts";
import type { Address } from "../resolve-service.ts";

/** A request to an extension server. */
export interface BackendRequest {
  readonly agent: Agent;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  /** Absent: there is none. */
  readonly body?: Readable | undefined;
  readonly signal: AbortSignal;
}

/** An extension server that gave no answer; the message is what Go's `net/http` would say. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** Asks an extension server; rejects with an `UnreachableError` when no answer begins. */
export async function askBackend(address: Address, request: BackendRequest): Promise<IncomingMessage> {
  for (;;) {
    try {
      return await attempt(address, request);
    } catch (error) {
      // A server may close a kept connection at the very moment when it is used again: what has no body is asked anew.
      if (error instanceof StaleConnection && request.body === undefined) continue;
      throw error;
    }
  }
}

/** The server closed a kept connection before it answered. */
class StaleConnection extends UnreachableError {}

function attempt(
  address: Address,
  { agent, method, path, headers, body, signal }: BackendRequest,
): Promise<IncomingMessage> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    const options = { host, port, agent, method, path, signal, noDelay: true };
    const request = httpsRequest({ ...options, headers: { ...headers, host: hostAndPort(address) } });
    request.on("error", (error: NodeJS.ErrnoException) => {
      const isStale = request.reusedSocket && ["ECONNRESET", "EPIPE"].includes(error.code ?? "");
      const Failure = isStale ? StaleConnection : UnreachableError;
      reject(new Failure(failureMessage(error, { address, agent })));
    });
    request.on("response", resolve);
    if (body) body.on("error", () => request.destroy()).pipe(request);
    else request.end();
  });
}

/** Why a server did not answer. */
export function failureMessage(
  error: Error,
  { address, agent }: { readonly address: Address; readonly agent: Agent },
): string {
  return callProblem(error, { ...address, servername: agent.options.servername ?? "" });
}
