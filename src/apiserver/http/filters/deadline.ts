import { ApiError, DecodeError, parseDuration } from "../../../apimachinery/index.ts";
import type { Clock, Milliseconds } from "../../../base/index.ts";
import type { Exchange } from "../exchange.ts";
import type { Offer } from "../negotiate.ts";
import { sendError } from "../respond.ts";
import { isReading } from "./filter.ts";
import type { Filter, Incoming } from "./filter.ts";

/** Writes are given up after this time, however long requests may take. */
const longestWrite: Milliseconds = 34_000;

/** Answers in place of what takes too long; what it does goes on. */
export function withDeadline(options: {
  readonly clock: Clock;
  readonly requestTimeout: Milliseconds;
  readonly offer: Pick<Offer, "cbor">;
  readonly onTimeout: (request: Incoming) => void;
  readonly onAbort: (request: Incoming) => void;
}): Filter {
  const { clock, requestTimeout } = options;
  return (next) => (request) => {
    if (request.longRunning) return next(request);
    const limit = timeoutOf(request.exchange, requestTimeout);
    if (limit < 1) return expire(request, options);
    const time = isReading(request.info) ? limit : Math.min(limit, longestWrite);
    request.deadline = request.received + time;
    const timer = clock.after(time, () => void expire(request, options));
    request.onEnd(() => timer.cancel());
    return next(request);
  };
}

/** The time that a request has: what the client gives it, but no more than all have. */
export function timeoutOf(exchange: Exchange, requestTimeout: Milliseconds): Milliseconds {
  const asked = askedTimeout(exchange);
  return asked > 0 && asked < requestTimeout ? asked : requestTimeout;
}

/** The time that the client gives the request; 0 when it names none. */
function askedTimeout({ query }: Exchange): Milliseconds {
  const text = query.get("timeout");
  if (text === null || text === "") return 0;
  try {
    return Number(parseDuration(text)) / 1e6;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw ApiError.badRequest(`invalid timeout specified in the request URL - ${error.message}`);
  }
}

async function expire(
  request: Incoming,
  {
    offer,
    onTimeout,
    onAbort,
  }: {
    offer: Pick<Offer, "cbor">;
    onTimeout: (request: Incoming) => void;
    onAbort: (request: Incoming) => void;
  },
): Promise<void> {
  const { exchange, headers, info } = request;
  onTimeout(request);
  // The head is out: only the break tells the client.
  if (exchange.answered) {
    onAbort(request);
    return exchange.reset();
  }
  if (!isReading(info)) {
    const why = "request did not complete within requested timeout - context deadline exceeded";
    return sendError(exchange, timedOut(why), { headers, offer });
  }
  const { status } = timedOut("request did not complete within the allotted timeout");
  const text = `${JSON.stringify(status)}\n`;
  exchange.respond(504, { ...headers, "content-type": "text/plain; charset=utf-8" }, Buffer.from(text));
}

const timedOut = (why: string) =>
  new ApiError({ code: 504, reason: "Timeout", message: `Timeout: ${why}`, details: {} });
