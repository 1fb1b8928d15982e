import { sendText } from "../respond.ts";
import { answered, isReading } from "./filter.ts";
import type { Filter, Incoming } from "./filter.ts";

const retryAfterSeconds = "1";

export interface InFlightLimits {
  /** 0: as many as come. */
  readonly reading: number;
  /** 0: as many as come. */
  readonly writing: number;
}

/** Counts the requests in progress and refuses those beyond the limits; long-running ones do not count. */
export class InFlight {
  reading = 0;
  writing = 0;
  private readonly limits: InFlightLimits;
  private readonly isExempt: (request: Incoming) => boolean;
  private readonly onRefused: (request: Incoming) => void;

  constructor(options: {
    readonly limits: InFlightLimits;
    /** Whether a request is let through however many there are. */
    readonly isExempt: (request: Incoming) => boolean;
    readonly onRefused: (request: Incoming) => void;
  }) {
    this.limits = options.limits;
    this.isExempt = options.isExempt;
    this.onRefused = options.onRefused;
  }

  readonly filter: Filter = (next) => (request) => {
    if (request.longRunning) return next(request);
    const reads = isReading(request.info);
    const { reading, writing } = this.limits;
    const full = reads ? reading > 0 && this.reading >= reading : writing > 0 && this.writing >= writing;
    if (full && !this.isExempt(request)) return this.refuse(request);
    if (reads) this.reading += 1;
    else this.writing += 1;
    request.onEnd(reads ? this.readingDone : this.writingDone);
    return next(request);
  };

  private readonly readingDone = () => void (this.reading -= 1);
  private readonly writingDone = () => void (this.writing -= 1);

  private refuse(request: Incoming): Promise<void> {
    this.onRefused(request);
    const headers = { ...request.headers, "retry-after": retryAfterSeconds };
    const text = "Too many requests, please try again later.\n";
    sendText(request.exchange, { status: 429, text, headers });
    return answered;
  }
}
