import type { PathHandler } from "./endpoints.ts";
import { dumpOf } from "./fairness/dump.ts";
import type { Limits } from "./limits.ts";

/** Serves what those look at who want to know what the server is doing. */
export function debugPaths({ fairness }: Limits): PathHandler {
  return ({ exchange, headers }) => {
    if (!exchange.path.startsWith("/debug/")) return false;
    const text = fairness && dumpOf(fairness, exchange);
    if (text === undefined) return false;
    exchange.respond(200, { ...headers, "content-type": "text/plain; charset=utf-8" }, Buffer.from(text));
    return true;
  };
}
