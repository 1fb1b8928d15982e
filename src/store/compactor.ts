import type { Clock, Logger, Milliseconds } from "../base/index.ts";
import { type Store, StoreError } from "./store.ts";

/** How often upstream's API server compacts, which is also how much history it keeps. */
const defaultCompactionInterval: Milliseconds = 5 * 60 * 1000;

/**
 * Compacts every `interval` to the revision that was the newest one `interval` ago, so that history of at least
 * that long can be read; settles when the signal aborts.
 */
export async function startCompactor(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly interval?: Milliseconds;
}): Promise<void> {
  const { store, clock, logger, signal, interval = defaultCompactionInterval } = options;
  let earlier = store.revision;
  while (!signal.aborted) {
    try {
      await clock.sleep(interval, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const newest = store.revision;
    if (earlier > store.compactedRevision) await compactThrough(earlier);
    earlier = newest;
  }

  async function compactThrough(revision: number): Promise<void> {
    try {
      await store.compact(revision);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // Another server may have compacted further; a store that cannot write now is tried again next time.
      if (error.type !== "compacted") logger.warn("History was not compacted", { revision, error });
    }
  }
}
