import { answered } from "./filter.ts";
import type { AnswerHeaders, Filter } from "./filter.ts";

const allowedMethods = "POST, GET, OPTIONS, PUT, DELETE, PATCH";
const allowedHeaders =
  "Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since";
const exposedHeaders = "Date";

/** Lets pages of other origins use the API, when their origin matches one of the patterns. */
export function withCors(allowedOrigins: readonly RegExp[]): Filter {
  return (next) => (request) => {
    const { exchange, headers } = request;
    const { origin } = exchange.headers;
    if (!origin || !allowedOrigins.some((pattern) => pattern.test(origin))) return next(request);
    allow(headers, origin);
    // A question of the browser's own is no request for the API.
    if (exchange.method !== "OPTIONS") return next(request);
    exchange.respond(204, headers);
    return answered;
  };
}

function allow(headers: AnswerHeaders, origin: string): void {
  headers["access-control-allow-origin"] = origin;
  headers["access-control-allow-methods"] = allowedMethods;
  headers["access-control-allow-headers"] = allowedHeaders;
  headers["access-control-expose-headers"] = exposedHeaders;
  headers["access-control-allow-credentials"] = "true";
}

/** Tells browsers to come with HTTPS only, in answers about resources. */
export function withStrictTransport(directives: readonly string[]): Filter {
  const value = directives.join("; ");
  return (next) => (request) => {
    if (request.info.type === "resource") request.headers["strict-transport-security"] = value;
    return next(request);
  };
}
