import type { Clock, Milliseconds, Timer } from "../base/index.ts";

/** How a failing key is held back: each in ratio to its own failures, all together by a bucket. */
export interface RetryLimits {
  readonly firstDelay: Milliseconds;
  readonly longestDelay: Milliseconds;
  readonly perSecond: number;
  readonly burst: number;
}

/** 5 ms doubling to 1000 s for each key; 10 a second with bursts of 100 overall. */
export const defaultRetryLimits: RetryLimits = {
  firstDelay: 5,
  longestDelay: 1_000_000,
  perSecond: 10,
  burst: 100,
};

/**
 * Keys to work on. A key waits at most once however often it is added, and is never worked on twice at a time: added
 * while in work, it comes again afterwards. So the queue is bounded by the number of objects.
 */
export class WorkQueue {
  private readonly clock: Clock;
  private readonly limits: RetryLimits;
  private readonly waiting = new Set<string>();
  private readonly processing = new Set<string>();
  private readonly again = new Set<string>();
  private readonly delayed = new Map<string, { at: Milliseconds; timer: Timer }>();
  private readonly failures = new Map<string, number>();
  private readonly idle: (() => void)[] = [];
  /** When the overall bucket is full again. */
  private bucketFullAt: Milliseconds = 0;
  private closed = false;

  constructor(options: { clock: Clock; limits?: RetryLimits }) {
    this.clock = options.clock;
    this.limits = options.limits ?? defaultRetryLimits;
  }

  /** Keys that wait now, without delayed ones. */
  get length(): number {
    return this.waiting.size;
  }

  /** Whether nothing waits and nothing is in work; delayed keys do not count. */
  get quiet(): boolean {
    return this.waiting.size === 0 && this.processing.size === 0;
  }

  add(key: string): void {
    if (this.closed) return;
    if (this.processing.has(key)) {
      this.again.add(key);
      return;
    }
    this.waiting.add(key);
    this.idle.shift()?.();
  }

  /** Adds the key after `delay`, or sooner if it was already to come sooner. */
  addAfter(key: string, delay: Milliseconds): void {
    if (this.closed) return;
    if (delay <= 0) return this.add(key);
    const at = this.clock.now() + delay;
    const known = this.delayed.get(key);
    if (known && known.at <= at) return;
    known?.timer.cancel();
    const timer = this.clock.after(delay, () => {
      this.delayed.delete(key);
      this.add(key);
    });
    this.delayed.set(key, { at, timer });
  }

  /** Adds the key after a delay that grows with its failures in a row. */
  retry(key: string): void {
    const count = this.failures.get(key) ?? 0;
    this.failures.set(key, count + 1);
    const { firstDelay, longestDelay } = this.limits;
    const own = Math.min(firstDelay * 2 ** Math.min(count, 50), longestDelay);
    this.addAfter(key, Math.max(own, this.takeToken()));
  }

  /** Ends the key's run of failures. */
  forget(key: string): void {
    this.failures.delete(key);
  }

  failuresOf(key: string): number {
    return this.failures.get(key) ?? 0;
  }

  /** Works on keys with `workers` at a time until the signal aborts; `work` must not reject. */
  async run(options: {
    readonly workers: number;
    readonly signal: AbortSignal;
    readonly work: (key: string) => Promise<void>;
  }): Promise<void> {
    const close = () => this.close();
    options.signal.addEventListener("abort", close, { once: true });
    if (options.signal.aborted) this.close();
    await Promise.all(Array.from({ length: options.workers }, () => this.worker(options.work)));
    options.signal.removeEventListener("abort", close);
  }

  private async worker(work: (key: string) => Promise<void>): Promise<void> {
    while (!this.closed) {
      const [key] = this.waiting;
      if (key === undefined) {
        await new Promise<void>((resolve) => this.idle.push(resolve));
        continue;
      }
      this.waiting.delete(key);
      this.processing.add(key);
      try {
        await work(key);
      } finally {
        this.processing.delete(key);
        if (this.again.delete(key)) this.add(key);
      }
    }
  }

  private close(): void {
    this.closed = true;
    this.waiting.clear();
    this.again.clear();
    for (const { timer } of this.delayed.values()) timer.cancel();
    this.delayed.clear();
    for (const wake of this.idle.splice(0)) wake();
  }

  private takeToken(): Milliseconds {
    const { perSecond, burst } = this.limits;
    const now = this.clock.now();
    const each = 1000 / perSecond;
    this.bucketFullAt = Math.max(this.bucketFullAt, now) + each;
    return Math.max(0, this.bucketFullAt - now - burst * each);
  }
}
