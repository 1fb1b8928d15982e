import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import { dialMessage, hostAndPort } from "./kubelets.ts";

/** Where a call went. */
interface Destination {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
}

const unverified = "tls: failed to verify certificate: x509: ";
const unknownAuthority = `${unverified}certificate signed by unknown authority`;
const messages: Readonly<Record<string, string>> = {
  ABORT_ERR: "context canceled",
  CERT_HAS_EXPIRED: `${unverified}certificate has expired or is not yet valid`,
  CERT_NOT_YET_VALID: `${unverified}certificate has expired or is not yet valid`,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  EPROTO: "http: server gave HTTP response to HTTPS client",
  ERR_SSL_WRONG_VERSION_NUMBER: "http: server gave HTTP response to HTTPS client",
  HPE_INVALID_CHUNK_SIZE: "invalid byte in chunk length",
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
};

/** What Go would say of a call that failed. */
export function callProblem(error: unknown, at: Destination): string {
  if (!(error instanceof Error)) return String(error);
  const { code = "", syscall } = error as NodeJS.ErrnoException;
  if (code === "") return error.message;
  if (code === "ECONNRESET") {
    return syscall === "read" ? `read tcp ${hostAndPort(at)}: read: connection reset by peer` : "EOF";
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `${unverified}${nameProblem(error, at)}`;
  const known = messages[code];
  if (known !== undefined) return known;
  return code.startsWith("HPE_") ? brokenAnswer(error) : dialMessage(error, at);
}

/** Of which names a certificate is, and of which it should be. */
function nameProblem(error: Error, { host, servername }: Destination): string {
  const { cert } = error as { readonly cert?: ReturnType<TLSSocket["getPeerCertificate"]> };
  const all = (cert?.subjectaltname ?? "").split(", ");
  const namesOf = (kind: string) =>
    all.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length));
  const wanted = servername || host;
  if (isIP(wanted) === 0) {
    const names = namesOf("DNS:");
    if (names.length > 0) return `certificate is valid for ${names.join(", ")}, not ${wanted}`;
    return `certificate is not valid for any names, but wanted to match ${wanted}`;
  }
  const addresses = namesOf("IP Address:");
  if (addresses.length > 0) return `certificate is valid for ${addresses.join(", ")}, not ${wanted}`;
  return `cannot validate certificate for ${wanted} because it doesn't contain any IP SANs`;
}

const longestLine = 100;

/** What came was no HTTP. */
function brokenAnswer(error: Error): string {
  const { rawPacket } = error as { readonly rawPacket?: Buffer };
  const [line = ""] = (rawPacket?.toString("latin1") ?? "").split(/\r?\n/, 1);
  const shown = JSON.stringify(line.slice(0, longestLine));
  return `net/http: HTTP/1.x transport connection broken: malformed HTTP response ${shown}`;
}
