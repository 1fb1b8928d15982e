import type { Clock, Milliseconds } from "../../base/index.ts";

/** What it takes to write to one watcher, most of it in Node.js and in the kernel. */
const writeCost: Milliseconds = 0.04;
/** No event waits longer for others. */
const longestWait: Milliseconds = 10;

/**
 * Lets watchers write together: those that get events within one turn do so at once, and until about as much time has
 * passed as that takes, what comes next is gathered. So under load a watcher gets several events with one write, the
 * server answers requests in between, and few watchers or single events never wait.
 */
export class WatchPace {
  private readonly clock: Clock;
  private turn = 0;
  private isOpen = false;
  private due: Milliseconds = 0;
  private waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Calls `write` now or a little later; it must not fail. */
  run(write: () => void): void {
    if (this.waiting.length > 0) return void this.waiting.push(write);
    const wait = this.isOpen ? 0 : this.due - this.clock.now();
    if (wait < 1) return this.go(write);
    this.waiting.push(write);
    this.clock.after(wait, () => {
      const all = this.waiting;
      this.waiting = [];
      for (const one of all) this.go(one);
    });
  }

  private go(write: () => void): void {
    this.turn += 1;
    if (!this.isOpen) {
      this.isOpen = true;
      queueMicrotask(() => this.close());
    }
    write();
  }

  private close(): void {
    const cost = Math.min(this.turn * writeCost, longestWait);
    this.due = this.clock.now() + cost;
    this.turn = 0;
    this.isOpen = false;
  }
}
