import { ApiError } from "../../../apimachinery/index.ts";
import type { HealthCheck } from "../health.ts";
import { answered, isExempt } from "./filter.ts";
import type { Filter, Incoming } from "./filter.ts";

/** Where the server is on its way to its end. */
export class Lifecycle {
  private state: "serving" | "leaving" | "draining" = "serving";

  /** From now on the server says that it is not ready, while it still answers. */
  leave(): void {
    if (this.state === "serving") this.state = "leaving";
  }

  /** From now on new requests are refused; those in progress go on. */
  drain(): void {
    this.state = "draining";
  }

  /** Fails as soon as the server leaves, so that others stop sending requests. */
  readonly check: HealthCheck = {
    name: "shutdown",
    check: () => (this.state === "serving" ? undefined : "process is shutting down"),
  };

  readonly filter: Filter = (next) => (request) =>
    this.state === "draining" && !isExempt(request) ? refuse(request) : next(request);
}

/** A client that tries again is likely to find another server. */
function refuse({ exchange, headers }: Incoming): Promise<void> {
  const { status } = ApiError.serviceUnavailable("apiserver is shutting down");
  const all = {
    ...headers,
    "retry-after": "1",
    "content-type": "application/json",
    "x-content-type-options": "nosniff",
  };
  exchange.respond(503, all, Buffer.from(`${JSON.stringify(status)}\n`));
  return answered;
}
