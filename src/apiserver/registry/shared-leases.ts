import type { Clock, Milliseconds } from "../../base/index.ts";
import type { LeaseId, Store } from "../../store/index.ts";

/** For how long at most new objects join a lease, and the part of their time to live that it may exceed. */
const longestSharing: Milliseconds = 60_000;
const sharedPart = 0.05;
/** How many objects may end with one lease. */
const maximumObjects = 1_000;

interface SharedLease {
  readonly lease: Promise<LeaseId>;
  readonly openUntil: Milliseconds;
  objects: number;
}

/** Leases for objects that live for a time: those of about the same time share one, so that an event is one write. */
export class SharedLeases {
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly open = new Map<Milliseconds, SharedLease>();

  constructor(store: Store, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  /** A lease that ends after the time to live, or a little later. */
  for(timeToLive: Milliseconds): Promise<LeaseId> {
    const now = this.clock.now();
    const present = this.open.get(timeToLive);
    if (present && now < present.openUntil && present.objects < maximumObjects) {
      present.objects++;
      return present.lease;
    }
    const sharing = Math.min(longestSharing, timeToLive * sharedPart);
    const lease = this.store.grantLease(timeToLive + sharing);
    const shared: SharedLease = { lease, openUntil: now + sharing, objects: 1 };
    this.open.set(timeToLive, shared);
    lease.catch(() => {
      // Whoever waits for it learns why; the next one asks anew.
      if (this.open.get(timeToLive) === shared) this.open.delete(timeToLive);
    });
    return lease;
  }
}
