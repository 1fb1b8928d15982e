import type { Clock, Logger, Milliseconds } from "../../base/index.ts";
import { StoreError } from "../../store/index.ts";
import type { Revision } from "../../store/index.ts";
import type { EtcdStore } from "./etcd-store.ts";

const defaultInterval: Milliseconds = 5 * 60 * 1000;

/**
 * Compacts an etcd that several API servers share, ours and upstream's: whichever comes first after an interval does
 * it for all, to the revision that was the newest one an interval ago. Settles when the signal aborts.
 */
export async function runEtcdCompactor(options: {
  readonly store: Pick<EtcdStore, "takeTurn" | "compact">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly interval?: Milliseconds;
}): Promise<void> {
  const { store, clock, logger, signal, interval = defaultInterval } = options;
  let turn = 0;
  let earlier: Revision = 0;
  while (!signal.aborted) {
    try {
      await clock.sleep(interval, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    try {
      const taken = await store.takeTurn({ turn, revision: earlier });
      if (taken.isOurs && earlier > 0) await store.compact(earlier);
      turn = taken.turn;
      earlier = taken.revision;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.type !== "compacted" && !signal.aborted) logger.warn("History was not compacted", { error });
    }
  }
}
