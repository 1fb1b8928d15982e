import type { Clock } from "../base/index.ts";
import { ConnectionError, errorCode } from "./errors.ts";

/** What a client may do at once and then each second that makes work and brings nothing: resets, pings, empty frames. */
const burst = 2_000;
const eachSecond = 100;

/** Bears with a client that makes work for nothing, up to a point. */
export class Patience {
  private readonly clock: Clock;
  private left = burst;
  private since: number;

  constructor(clock: Clock) {
    this.clock = clock;
    this.since = clock.now();
  }

  /** Counts one; throws when there were too many. */
  lose(): void {
    this.left -= 1;
    if (this.left > 0) return;
    const now = this.clock.now();
    this.left = Math.min(burst, ((now - this.since) / 1_000) * eachSecond);
    this.since = now;
    if (this.left < 1)
      throw new ConnectionError(errorCode.enhanceYourCalm, "too many frames that bring nothing");
  }
}
