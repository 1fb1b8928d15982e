import type { Clock, Milliseconds } from "../../../base/index.ts";
import { isReading } from "./filter.ts";
import type { Filter, Handle, Incoming } from "./filter.ts";
import { refuseForNow } from "./refusal.ts";

const retryAfterSeconds = 1;

/** How many requests are in progress, and how many wait for that. */
export class InFlight {
  reading = 0;
  writing = 0;
  waitingReading = 0;
  waitingWriting = 0;
  /** Hears of each span of time in which the numbers were what they are at that moment. */
  onElapsed: ((elapsed: Milliseconds) => void) | undefined;
  private last: Milliseconds;

  constructor(now: Milliseconds) {
    this.last = now;
  }

  begin(reads: boolean, now: Milliseconds): void {
    this.elapse(now);
    if (reads) this.reading += 1;
    else this.writing += 1;
  }

  end(reads: boolean, now: Milliseconds): void {
    this.elapse(now);
    if (reads) this.reading -= 1;
    else this.writing -= 1;
  }

  /** A request begins or ceases to wait. */
  wait(reads: boolean, { change, now }: { readonly change: 1 | -1; readonly now: Milliseconds }): void {
    this.elapse(now);
    if (reads) this.waitingReading += change;
    else this.waitingWriting += change;
  }

  /** Brings what grows with time up to now. */
  elapse(now: Milliseconds): void {
    if (now > this.last) this.onElapsed?.(now - this.last);
    this.last = now;
  }
}

export interface InFlightLimits {
  /** 0: as many as come. */
  readonly reading: number;
  /** 0: as many as come. */
  readonly writing: number;
}

/** Refuses requests beyond the limits; long-running ones do not count. */
export function withMaxInFlight(options: {
  readonly inFlight: InFlight;
  readonly clock: Clock;
  readonly limits: InFlightLimits;
  /** Whether a request is let through however many there are. */
  readonly isExempt: (request: Incoming) => boolean;
  readonly onRefused: (request: Incoming) => void;
}): Filter {
  const { inFlight, clock, limits, isExempt, onRefused } = options;
  return (next: Handle) => (request) => {
    if (request.longRunning) return next(request);
    const reads = isReading(request.info);
    const { reading, writing } = limits;
    const full = reads
      ? reading > 0 && inFlight.reading >= reading
      : writing > 0 && inFlight.writing >= writing;
    if (full && !isExempt(request)) {
      onRefused(request);
      return refuseForNow(request, { retryAfterSeconds });
    }
    inFlight.begin(reads, clock.now());
    request.onEnd(() => inFlight.end(reads, clock.now()));
    return next(request);
  };
}
