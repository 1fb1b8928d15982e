import type { Milliseconds } from "../../../base/index.ts";

const longest = 32;
/** Refusals in the time that clients are told to wait, for each second of it, that make it longer. */
const manyPerSecond = 3;

interface Second {
  readonly second: number;
  count: number;
}

/** How long clients should wait that are refused: doubled while many are, then a second less at a time. */
export class RetryAfter {
  seconds = 1;
  private readonly history: Second[] = [];
  private doubledAt = -Infinity;

  /** A request was refused. */
  note(now: Milliseconds): void {
    const second = Math.floor(now / 1_000);
    const last = this.history.at(-1);
    if (last?.second === second) {
      last.count += 1;
      return;
    }
    this.adjust(second);
    this.history.push({ second, count: 1 });
    while (second - this.history[0]!.second > longest) this.history.shift();
  }

  private adjust(second: number): void {
    const { seconds } = this;
    let refused = 0;
    for (const past of this.history) if (second - past.second <= seconds) refused += past.count;
    if (second - this.doubledAt >= seconds && refused >= manyPerSecond * seconds) {
      this.seconds = Math.min(seconds * 2, longest);
      this.doubledAt = second;
    } else if (refused < seconds && seconds > 1) this.seconds -= 1;
  }
}
