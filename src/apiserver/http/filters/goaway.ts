import type { Random } from "../../../base/index.ts";
import type { Filter } from "./filter.ts";

/** Now and then ends an HTTP/2 connection after its requests, so that clients spread over the servers there are. */
export function withGoaway(options: { readonly random: Random; readonly chance: number }): Filter {
  const { random, chance } = options;
  return (next) => (request) => {
    if (random.next() < chance) request.exchange.leave();
    return next(request);
  };
}
