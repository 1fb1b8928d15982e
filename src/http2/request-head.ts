import type { IncomingHttpHeaders } from "node:http";
import type { RawHeaders } from "./hpack/index.ts";

/** What a client asks with. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values that take turns, as often as they came; those of HTTP/2 itself among them. */
  readonly raw: readonly string[];
}

/** Of these the first that came counts (as in Node.js). */
const single: ReadonlySet<string> = new Set([
  "age",
  "authorization",
  "content-length",
  "content-type",
  "etag",
  "expires",
  "from",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "referer",
  "retry-after",
  "server",
  "user-agent",
]);

/** Headers of a connection, which HTTP/2 has none of (RFC 9113, section 8.2.2). */
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

const ofRequest: ReadonlySet<string> = new Set([":method", ":scheme", ":path", ":authority"]);
const tokenInLowerCase = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Names that were found to be names; bounded, for clients choose them. */
const knownNames = new Set<string>();
const mostKnownNames = 256;

function isName(name: string): boolean {
  if (knownNames.has(name)) return true;
  if (!tokenInLowerCase.test(name) || ofConnection.has(name)) return false;
  if (knownNames.size < mostKnownNames) knownNames.add(name);
  return true;
}

const isValue = (value: string) => !/[\0\r\n]/.test(value);

/** The request that a block of headers makes; undefined when it makes none (RFC 9113, section 8.3). */
export function requestHead(raw: RawHeaders): RequestHead | undefined {
  // Names come from outside: the object must know none of its own.
  const headers: IncomingHttpHeaders = Object.create(null) as IncomingHttpHeaders;
  let hasFields = false;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!;
    const value = raw[index + 1]!;
    const known = headers[name];
    if (!isValue(value)) return undefined;
    if (name.startsWith(":")) {
      if (hasFields || known !== undefined || !ofRequest.has(name)) return undefined;
      headers[name] = value;
      continue;
    }
    hasFields = true;
    if (!isName(name) || (name === "te" && value !== "trailers")) return undefined;
    if (name === "set-cookie") headers[name] = [...(headers[name] ?? []), value];
    else if (known === undefined) headers[name] = value;
    else if (!single.has(name)) headers[name] = `${String(known)}${name === "cookie" ? "; " : ", "}${value}`;
  }
  const method = headers[":method"];
  const path = headers[":path"];
  if (typeof method !== "string" || typeof path !== "string" || headers[":scheme"] === undefined)
    return undefined;
  if (method === "" || !(path.startsWith("/") || (path === "*" && method === "OPTIONS"))) return undefined;
  return { method, path, headers, raw };
}
