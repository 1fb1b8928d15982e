import type { Milliseconds } from "../../base/index.ts";

/** How long the restarts of one container, or the pulls of one image, are held back. */
export interface BackOff {
  readonly delay: Milliseconds;
  readonly updatedAt: Milliseconds;
}

const firstBackOff: Milliseconds = 10_000;
const longestBackOff: Milliseconds = 300_000;

const isExpired = (backOff: BackOff, at: Milliseconds) => at - backOff.updatedAt > 2 * longestBackOff;

/** The back-off after one more try at `now`: 10 s, doubled up to 5 minutes, forgotten after 10 quiet minutes. */
export function nextBackOff(backOff: BackOff | undefined, now: Milliseconds): BackOff {
  if (backOff === undefined || isExpired(backOff, now)) return { delay: firstBackOff, updatedAt: now };
  return { delay: Math.min(backOff.delay * 2, longestBackOff), updatedAt: now };
}

/** Until when the next try has to wait after something that ended at `since`; undefined when it may come now. */
export function backedOffUntil(
  backOff: BackOff | undefined,
  { since, now }: { since: Milliseconds; now: Milliseconds },
): Milliseconds | undefined {
  if (backOff === undefined || isExpired(backOff, since)) return undefined;
  const until = since + backOff.delay;
  return now < until ? until : undefined;
}
