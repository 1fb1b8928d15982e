import { request as httpRequest } from "node:http";
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline, type Readable } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import { ApiError } from "../../apimachinery/index.ts";
import type { ConnectHandler, ConnectRequest, Exchange } from "../http/index.ts";
import { copyBody } from "./copy-body.ts";
import { dialMessage, hostAndPort } from "./kubelets.ts";
import type { Endpoint } from "./kubelets.ts";
import { proxiedLink, rewriteLinks, type LinkBase } from "./proxied-links.ts";
import type { TargetFinder } from "./proxy-target.ts";
import { passThrough } from "./streams.ts";

/** Serves `pods/proxy`, `services/proxy` and `nodes/proxy`: any method, bodies as they come. */
export function proxyHandler(find: TargetFinder): ConnectHandler {
  return async (call) => {
    const endpoint = find(call);
    const { exchange } = call;
    const rest = restOf(call);
    const query = exchange.query.size === 0 ? "" : `?${exchange.query.toString()}`;
    if (call.upgrade) {
      call.upgrade.socket.on("error", () => call.upgrade?.socket.destroy());
      return passThrough(call.upgrade, { endpoint, path: `${rest || "/"}${query}` });
    }
    if (rest === "") {
      // Relative links of the page would else lead out of the proxy.
      return exchange.respond(301, { ...call.headers, location: `${exchange.path}/${query}` });
    }
    await proxyHttp(call, { endpoint, rest, query });
  };
}

/** What follows `/proxy`, as the client wrote it. */
function restOf({ exchange, served }: ConnectRequest): string {
  // /api/v1/namespaces/NAMESPACE/RESOURCE/NAME/proxy or /api/v1/RESOURCE/NAME/proxy
  const prefix = served.resource.namespaced ? 8 : 6;
  const parts = exchange.path.split("/");
  return parts.length > prefix ? `/${parts.slice(prefix).join("/")}` : "";
}

/** Headers of one connection (RFC 9110, section 7.6.1), and those that say who asks. */
const notForwarded =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|http2-settings|host|authorization|expect|impersonate-.*|x-remote-.*|:.*)$/;
const notReturned = /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/;
const bodiless = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
const emptyAnswers = new Set([204, 205, 304]);

async function proxyHttp(
  call: ConnectRequest,
  target: { readonly endpoint: Endpoint; readonly rest: string; readonly query: string },
): Promise<void> {
  const { exchange, signal, headers } = call;
  const { endpoint } = target;
  const answer = await ask(call, target);
  const status = answer.statusCode ?? 502;
  const base: LinkBase = {
    origin: `${endpoint.tls ? "https" : "http"}://${hostAndPort(endpoint)}`,
    prefix: exchange.path.slice(0, exchange.path.length - target.rest.length),
  };
  const { content, headers: answered } = throughLinks(answer, base);
  const body = exchange.stream(status, { ...headers, ...returnedHeaders(answered) });
  if (exchange.method === "HEAD" || emptyAnswers.has(status)) {
    answer.resume();
    return body.end();
  }
  await copyBody(content, { body, signal });
}

/** The answer with links of pages and redirections leading back through the proxy. */
function throughLinks(
  answer: IncomingMessage,
  base: LinkBase,
): { readonly content: Readable; readonly headers: IncomingHttpHeaders } {
  const { location } = answer.headers;
  const moved = location === undefined ? {} : { location: proxiedLink(location, base) };
  const headers = { ...answer.headers, ...moved };
  const encoding = headers["content-encoding"] ?? "";
  const page = headers["content-type"]?.startsWith("text/html") === true;
  if (!page || !["", "gzip"].includes(encoding)) return { content: answer, headers };
  const { "content-length": _length, ...unsized } = headers;
  const links = rewriteLinks(base);
  const stages = encoding === "gzip" ? [createGunzip(), links, createGzip()] : [links];
  // A failure ends the content with an error, where its reader sees it.
  return { content: pipeline([answer, ...stages], () => undefined) as unknown as Readable, headers: unsized };
}

function ask(
  { exchange, signal }: ConnectRequest,
  { endpoint, rest, query }: { endpoint: Endpoint; rest: string; query: string },
): Promise<IncomingMessage> {
  const { host, port, tls } = endpoint;
  const options = {
    host,
    port,
    method: exchange.method,
    path: `${rest}${query}`,
    headers: forwardedHeaders(exchange, endpoint),
    signal,
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const request: ClientRequest = !tls
      ? httpRequest(options)
      : httpsRequest({
          ...options,
          ...(tls.verify ? { cert: tls.cert, key: tls.key, ca: tls.ca } : { rejectUnauthorized: false }),
        });
    request.on("error", (error) => {
      const reason = dialMessage(error, endpoint);
      reject(ApiError.serviceUnavailable(`error trying to reach service: ${reason}`));
    });
    request.on("response", resolve);
    if (!hasBody(exchange)) request.end();
    else
      exchange
        .bodyStream()
        .on("error", () => request.destroy())
        .pipe(request);
  });
}

/** Whether a body comes with a request. */
export function hasBody({ headers, method }: Exchange): boolean {
  const sized = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  return sized || !bodiless.has(method);
}

/** Headers as another server gets them: those of the connection and of identity stay here, where they came from is added. */
export function forwardedHeaders(
  exchange: Exchange,
  endpoint: Pick<Endpoint, "host" | "port">,
): Record<string, string | string[]> {
  const { headers } = exchange;
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !notForwarded.test(name)) passed[name] = value;
  }
  const before = headers["x-forwarded-for"];
  const client = exchange.remoteAddress;
  return {
    ...passed,
    host: hostAndPort(endpoint),
    "x-forwarded-for": before === undefined ? client : `${String(before)}, ${client}`,
    "x-forwarded-host": hostOf(headers),
    "x-forwarded-proto": "https",
    "x-forwarded-uri": exchange.path,
  };
}

const hostOf = (headers: IncomingHttpHeaders): string => String(headers[":authority"] ?? headers.host ?? "");

/** An answer's headers as the client gets them: without those of the connection. */
export function returnedHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !notReturned.test(name)) passed[name] = value;
  }
  return passed;
}
