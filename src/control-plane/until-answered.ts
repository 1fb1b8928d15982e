import { ApiError } from "../apimachinery/index.ts";
import type { Clock, Logger, Milliseconds } from "../base/index.ts";

/** How often, and how long apart; upstream's server gives what it makes at its start as long. */
const attempts = 30;
const pause: Milliseconds = 1_000;

/**
 * Makes what a new cluster has, though the store breaks off meanwhile: what the action makes only where it is missing
 * is tried again, whether it had been made or not.
 */
export async function untilAnswered<T>(
  action: () => Promise<T>,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      const isPassing = ApiError.is(error, "ServiceUnavailable") || ApiError.is(error, "Timeout");
      if (!isPassing || attempt === attempts) throw error;
      logger.warn("The store did not answer at the start; it is asked again", { error });
      await clock.sleep(pause);
    }
  }
}
