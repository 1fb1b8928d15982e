import { request as httpsRequest, type Agent } from "node:https";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { dialMessage, hostAndPort } from "../connect/kubelets.ts";
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
      reject(new Failure(failureMessage(error, address)));
    });
    request.on("response", resolve);
    if (body) body.on("error", () => request.destroy()).pipe(request);
    else request.end();
  });
}

const unknownAuthority = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
const certificateMessages: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
  CERT_HAS_EXPIRED: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
};

/** Why a server did not answer. */
export function failureMessage(error: Error, address: Address): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `tls: failed to verify certificate: x509: ${error.message}`;
  }
  if (error.name === "AbortError") return "context canceled";
  if (code === "ECONNRESET" && /socket hang up/.test(error.message)) return "EOF";
  return certificateMessages[code] ?? dialMessage(error, address);
}
