import { goQuote } from "../../apimachinery/index.ts";
import { boolType, listType, mapType, objectType, stringType } from "../check/types.ts";
import { text } from "../values/arguments.ts";
import { EvaluationError, noSuchOverload } from "../values/errors.ts";
import { mapOf } from "../values/maps.ts";
import { OpaqueValue, type Value } from "../values/value.ts";
import { fn, method, signature, type Library } from "./library.ts";

const urlType = objectType("kubernetes.URL");

class UrlError extends Error {
  override readonly name = "UrlError";
}

/** A URL in the parts that Go's package finds. */
class Url extends OpaqueValue {
  readonly typeName = urlType.name;
  readonly scheme: string;
  readonly user: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;

  constructor(parts: {
    scheme: string;
    user: string;
    host: string;
    path: string;
    query: string;
    fragment: string;
  }) {
    super();
    this.scheme = parts.scheme;
    this.user = parts.user;
    this.host = parts.host;
    this.path = parts.path;
    this.query = parts.query;
    this.fragment = parts.fragment;
  }

  equals(other: OpaqueValue): boolean {
    return (
      other instanceof Url &&
      other.scheme === this.scheme &&
      other.user === this.user &&
      other.host === this.host &&
      other.path === this.path &&
      other.query === this.query &&
      other.fragment === this.fragment
    );
  }

  get hostname(): string {
    const bracketed = /^\[([^\]]*)\]/.exec(this.host);
    return bracketed ? (bracketed[1] ?? "") : this.host.replace(/:[^:]*$/, "");
  }

  get port(): string {
    return /:(\d*)$/.exec(this.host.replace(/^\[[^\]]*\]/, ""))?.[1] ?? "";
  }
}

/** Throws in Go's words what keeps a text from being an absolute URI or path. */
function parseRequestUri(source: string): Url {
  const wrong = (reason: string) => new UrlError(`parse ${goQuote(source)}: ${reason}`);
  if (source === "") throw wrong("empty url");
  // oxlint-disable-next-line no-control-regex -- what the pattern is for
  if (/[\u0000-\u001f\u007f]/.test(source)) throw wrong("net/url: invalid control character in URL");
  if (source.startsWith(":")) throw wrong("missing protocol scheme");
  const scheme = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(source)?.[1] ?? "";
  const rest = scheme === "" ? source : source.slice(scheme.length + 1);
  if (scheme === "" && !rest.startsWith("/")) throw wrong("invalid URI for request");
  return urlOf({ scheme, rest, wrong });
}

function urlOf({
  scheme,
  rest,
  wrong,
}: {
  scheme: string;
  rest: string;
  wrong: (reason: string) => UrlError;
}): Url {
  const hash = rest.indexOf("#");
  const fragment = hash < 0 ? "" : rest.slice(hash + 1);
  const beforeFragment = hash < 0 ? rest : rest.slice(0, hash);
  const mark = beforeFragment.indexOf("?");
  const query = mark < 0 ? "" : beforeFragment.slice(mark + 1);
  const beforeQuery = mark < 0 ? beforeFragment : beforeFragment.slice(0, mark);
  const hasAuthority = beforeQuery.startsWith("//") && (scheme !== "" || !beforeQuery.startsWith("///"));
  const authority = hasAuthority ? (/^\/\/([^/]*)/.exec(beforeQuery)?.[1] ?? "") : "";
  const path = hasAuthority ? beforeQuery.slice(2 + authority.length) : beforeQuery;
  const opaque = scheme !== "" && !beforeQuery.startsWith("/");
  if (opaque && beforeQuery === "") return new Url({ scheme, user: "", host: "", path: "", query, fragment });
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  checkHost(host, wrong);
  const badEscape = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(path);
  if (badEscape) throw wrong(`invalid URL escape ${goQuote(badEscape[0])}`);
  const user = at < 0 ? "" : authority.slice(0, at);
  return new Url({ scheme: scheme.toLowerCase(), user, host, path: opaque ? "" : path, query, fragment });
}

function checkHost(host: string, wrong: (reason: string) => UrlError): void {
  if (host.startsWith("[")) {
    const end = host.indexOf("]");
    if (end < 0) throw wrong("missing ']' in host");
    const port = host.slice(end + 1);
    if (!/^(?::\d*)?$/.test(port)) throw wrong(`invalid port ${goQuote(port)} after host`);
    return;
  }
  const colon = host.indexOf(":");
  const port = colon < 0 ? "" : host.slice(colon);
  if (!/^(?::\d*)?$/.test(port)) {
    const last = host.slice(host.lastIndexOf(":"));
    throw wrong(`invalid port ${goQuote(/^:\d*$/.test(last) ? port : last)} after host`);
  }
  const bad = /[ "<>\\^`{|}]/.exec(host);
  if (bad) throw wrong(`invalid character ${goQuote(bad[0])} in host name`);
}

/** The path as it is written if that is a valid encoding, else encoded. */
function escapedPath({ path }: Url): string {
  if (/^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/[\]]|%[0-9a-fA-F]{2})*$/.test(path)) return path;
  const plain = decodeURIComponent(path.replaceAll(/%(?![0-9a-fA-F]{2})/g, "%25"));
  return encodeURIComponent(plain)
    .replaceAll(/%(?:2F|24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent)
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function queryOf({ query }: Url): Value {
  const found = new Map<string, string[]>();
  for (const part of query.split("&")) {
    if (part === "" || part.includes(";")) continue;
    const [key = "", ...value] = part.split("=");
    const name = unescapeQuery(key);
    const content = unescapeQuery(value.join("="));
    if (name === undefined || content === undefined) continue;
    found.set(name, [...(found.get(name) ?? []), content]);
  }
  return mapOf(found);
}

function unescapeQuery(part: string): string | undefined {
  try {
    return decodeURIComponent(part.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

function url(value: Value): Url {
  if (!(value instanceof Url)) throw noSuchOverload();
  return value;
}

function toUrl(value: Value): Value {
  try {
    return parseRequestUri(text(value));
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    throw new EvaluationError(`URL parse error during conversion from string: ${error.message}`);
  }
}

/** What keeps a text from being a URI, in Go's words. */
export function uriProblem(value: string): string | undefined {
  try {
    parseRequestUri(value);
    return undefined;
  } catch (error) {
    if (error instanceof UrlError) return error.message;
    throw error;
  }
}

const part = (name: string, id: string, read: (value: Url) => Value) =>
  fn(
    name,
    method(id, [urlType, stringType], (value) => read(url(value))),
  );

/** `url`, `isURL` and the parts of URLs. */
export const urlsLibrary: Library = {
  name: "kubernetes.urls",
  types: [urlType],
  functions: [
    fn("url", signature("string_to_url", [stringType, urlType], toUrl)),
    fn(
      "isURL",
      signature("is_url_string", [stringType, boolType], (value) => uriProblem(text(value)) === undefined),
    ),
    part("getScheme", "url_get_scheme", ({ scheme }) => scheme),
    part("getHost", "url_get_host", ({ host }) => host),
    part("getHostname", "url_get_hostname", ({ hostname }) => hostname),
    part("getPort", "url_get_port", ({ port }) => port),
    part("getEscapedPath", "url_get_escaped_path", escapedPath),
    fn(
      "getQuery",
      method("url_get_query", [urlType, mapType(stringType, listType(stringType))], (value) =>
        queryOf(url(value)),
      ),
    ),
  ],
};
