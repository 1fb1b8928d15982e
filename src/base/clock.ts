/** A span or a point of time in milliseconds; a point counts from the Unix epoch. */
export type Milliseconds = number;

/** A pending call; cancelling one that has run does nothing. */
export interface Timer {
  cancel(): void;
}

/** The only source of time. Everything that waits or stamps takes one, so that tests can run on virtual time. */
export interface Clock {
  /** Milliseconds since the Unix epoch, with fractions. */
  now(): Milliseconds;
  /** Calls `action` once after `delay`; it does not keep the process alive. */
  after(delay: Milliseconds, action: () => void): Timer;
  /** Resolves after `delay`; rejects with the signal's reason when it aborts first. */
  sleep(delay: Milliseconds, signal?: AbortSignal): Promise<void>;
}

const longestTimeout: Milliseconds = 2 ** 31 - 1;

function sleepOn(clock: Clock, delay: Milliseconds, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delay, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The machine's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, action) {
    const handle = setTimeout(action, Math.min(Math.max(delay, 0), longestTimeout));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  sleep: (delay, signal) => sleepOn(systemClock, delay, signal),
};

interface Due {
  readonly at: Milliseconds;
  readonly order: number;
  readonly action: () => void;
}

/** Time that moves only when told to; for tests and simulation. */
export class VirtualClock implements Clock {
  private current: Milliseconds;
  private order = 0;
  private readonly pending = new Set<Due>();

  constructor(start: Milliseconds = Date.UTC(2026, 0, 1)) {
    this.current = start;
  }

  now(): Milliseconds {
    return this.current;
  }

  after(delay: Milliseconds, action: () => void): Timer {
    const due: Due = { at: this.current + Math.max(delay, 0), order: this.order++, action };
    this.pending.add(due);
    return { cancel: () => void this.pending.delete(due) };
  }

  sleep(delay: Milliseconds, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delay, signal);
  }

  /** Moves time forward by `span`, running what falls due in order and letting promises settle in between. */
  async advance(span: Milliseconds): Promise<void> {
    const end = this.current + span;
    for (;;) {
      await settle();
      const next = this.earliest();
      if (next === undefined || next.at > end) break;
      this.pending.delete(next);
      this.current = next.at;
      next.action();
    }
    this.current = end;
    await settle();
  }

  private earliest(): Due | undefined {
    let best: Due | undefined;
    for (const due of this.pending) {
      if (!best || due.at < best.at || (due.at === best.at && due.order < best.order)) best = due;
    }
    return best;
  }
}

/** Lets every promise and immediate that is ready now run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
