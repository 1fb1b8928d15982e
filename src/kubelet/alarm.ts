import type { Clock, Milliseconds } from "../base/index.ts";

/** Wakes one sleeper; what rings while it is at work keeps it from going to sleep. */
export class Alarm {
  /** How often it has rung. */
  rings = 0;
  private wake: () => void = () => undefined;

  ring(): void {
    this.rings++;
    this.wake();
  }

  /** Sleeps until a time, a ring or the signal; not at all if it has rung since `seen`. */
  async sleep(options: {
    readonly until: Milliseconds | undefined;
    readonly seen: number;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { until, seen, clock, signal } = options;
    // A signal that aborted before tells nobody again.
    if (this.rings !== seen || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer =
        until === undefined ? undefined : clock.after(Math.max(0, until - clock.now()), () => done());
      const done = () => {
        timer?.cancel();
        signal.removeEventListener("abort", done);
        this.wake = () => undefined;
        resolve();
      };
      this.wake = done;
      signal.addEventListener("abort", done, { once: true });
    });
  }
}
