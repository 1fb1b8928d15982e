import { ApiError } from "../../../apimachinery/index.ts";
import type { Logger } from "../../../base/index.ts";
import type { Offer } from "../negotiate.ts";
import { sendError, sendText } from "../respond.ts";
import type { Filter } from "./filter.ts";

const panicText = "This request caused apiserver to panic. Look in the logs for details.\n";

/** Answers what goes wrong behind it. What is no API error is a fault of the server, and stays in its request. */
export function withFailures(options: {
  readonly logger: Logger;
  readonly offer: Pick<Offer, "cbor">;
}): Filter {
  const { logger, offer } = options;
  return (next) => async (request) => {
    const { exchange, headers } = request;
    try {
      await next(request);
    } catch (error) {
      if (error instanceof ApiError) return sendError(exchange, error, { headers, offer });
      logger.error("A request failed", { method: exchange.method, path: exchange.path, error });
      if (exchange.answered) exchange.reset();
      else sendText(exchange, { status: 500, text: panicText, headers });
    }
  };
}
