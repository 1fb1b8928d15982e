import type { Clock } from "../../base/index.ts";
import type { PathHandler } from "./endpoints.ts";
import { dumpOf } from "./fairness/dump.ts";
import type { Limits } from "./limits.ts";
import { profilingPaths } from "./profiling/paths.ts";
import { verbosityPath } from "./profiling/verbosity.ts";

export interface DebugOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  /** Whether profiles are served; default: true. */
  readonly profiling?: boolean;
  /** Sets how much is logged; absent: that cannot be changed. */
  readonly setVerbosity?: (verbosity: number) => void;
}

/** Serves what those look at who want to know what the server is doing. */
export function debugPaths(options: DebugOptions): {
  readonly serve: PathHandler;
  readonly close: () => void;
} {
  const { limits, clock, setVerbosity, profiling = true } = options;
  const profiles = profiling ? profilingPaths(clock) : undefined;
  const handlers = [
    dumps(limits),
    ...(profiles ? [profiles.serve] : []),
    ...(profiling && setVerbosity ? [verbosityPath(setVerbosity)] : []),
  ];
  return {
    async serve(request) {
      if (!request.exchange.path.startsWith("/debug/")) return false;
      for (const handler of handlers) if (await handler(request)) return true;
      return false;
    },
    close: () => profiles?.close(),
  };
}

function dumps({ fairness }: Limits): PathHandler {
  return ({ exchange, headers }) => {
    const text = fairness && dumpOf(fairness, exchange);
    if (text === undefined) return false;
    exchange.respond(200, { ...headers, "content-type": "text/plain; charset=utf-8" }, Buffer.from(text));
    return true;
  };
}
