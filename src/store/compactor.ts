import type { Clock, Logger, Milliseconds } from "../base/index.ts";
import { type Revision, type Store, StoreError } from "./store.ts";

/** How much history a store keeps; the stricter bound decides. */
export interface HistoryPolicy {
  /** At least so long, and at most twice as long; normally five minutes, as upstream's API server does. */
  readonly interval?: Milliseconds;
  /** At most so many revisions. */
  readonly revisions?: number;
  /** Less of it when all that can be read takes more bytes, where the store tells; normally there is no such bound. */
  readonly bytes?: number;
}

const defaultInterval: Milliseconds = 5 * 60 * 1000;
/** Bounds by revisions and bytes are looked at so often within the interval, as etcd does. */
const looksPerInterval = 10;

/**
 * Compacts as the policy says until the signal aborts: every `interval` to the revision that was the newest one
 * `interval` ago, so that history of at least that long can be read unless it is bounded otherwise.
 */
export async function startCompactor(options: {
  readonly store: Store & { readonly sizes?: { readonly used: number } };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly policy?: HistoryPolicy;
}): Promise<void> {
  const { store, clock, logger, signal, policy = {} } = options;
  const { interval = defaultInterval, revisions = Infinity, bytes = Infinity } = policy;
  const isBounded = revisions < Infinity || bytes < Infinity;
  const looks = isBounded ? looksPerInterval : 1;
  let earlier = store.revision;
  for (let look = 1; !signal.aborted; look = (look % looks) + 1) {
    try {
      await clock.sleep(interval / looks, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const { revision: newest, compactedRevision, sizes } = store;
    const bounds = [newest - revisions];
    if (sizes && sizes.used > bytes) bounds.push(half(compactedRevision, newest));
    if (look === looks) {
      bounds.push(earlier);
      earlier = newest;
    }
    const through = Math.max(...bounds);
    if (through > compactedRevision) await compactThrough(through);
  }

  async function compactThrough(revision: Revision): Promise<void> {
    try {
      await store.compact(revision);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // Another server may have compacted further; a store that cannot write now is tried again next time.
      if (error.type !== "compacted") logger.warn("History was not compacted", { revision, error });
    }
  }
}

/** The middle of what can be read: what is too much shrinks look by look, not all at once. */
function half(compacted: Revision, newest: Revision): Revision {
  return compacted + Math.ceil((newest - compacted) / 2);
}
