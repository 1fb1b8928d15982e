import { type Clock, invariant, type Milliseconds, type Timer } from "../base/index.ts";
import type { LeaseStatus } from "./mvcc.ts";
import { type Change, type Key, type LeaseId, StoreError } from "./store.ts";

interface Lease {
  readonly id: LeaseId;
  readonly timeToLive: Milliseconds;
  /** What was left when it was last noted; undefined: all of it. */
  noted: Milliseconds | undefined;
  expiresAt: Milliseconds;
  timer: Timer | undefined;
  keys: Set<Key>;
  /** Whether another table has the set too, so that it must be copied before it is changed. */
  sharesKeys: boolean;
}

/** Longest wait of one timer; longer leases are looked at again, and what is left of them can be noted. */
const longestWait: Milliseconds = 5 * 60 * 1000;
/** Identities from here on are chosen by clients, and do not move those that a table makes. */
const firstChosen = 2 ** 40;

/** The leases of an in-process store: which keys each holds, and when it ends. */
export class LeaseTable {
  private readonly leases = new Map<LeaseId, Lease>();
  readonly clock: Clock;
  private readonly onExpire: (lease: LeaseId) => void;
  private readonly onRemaining: (lease: LeaseId, remaining: Milliseconds) => void;
  private lastNumber = 0;

  /**
   * `onExpire` is called each time a lease is due; it must end it, or push it back by `arm`. `onRemaining` is
   * called now and then with what is left of a long one.
   */
  constructor(options: {
    readonly clock: Clock;
    readonly onExpire: (lease: LeaseId) => void;
    readonly onRemaining?: (lease: LeaseId, remaining: Milliseconds) => void;
  }) {
    this.clock = options.clock;
    this.onExpire = options.onExpire;
    this.onRemaining = options.onRemaining ?? (() => {});
  }

  /** An identity that no lease has, and that this table has not made before. */
  nextId(): LeaseId {
    do this.lastNumber++;
    while (this.leases.has(String(this.lastNumber)));
    return String(this.lastNumber);
  }

  /** The number of the last identity; leases that a store recovers go on behind it. */
  get lastId(): number {
    return this.lastNumber;
  }
  set lastId(number: number) {
    this.lastNumber = Math.max(this.lastNumber, number);
  }

  /** Adds a lease without starting its time; adding a lease again does nothing. */
  add(id: LeaseId, timeToLive: Milliseconds): void {
    const number = Number(id);
    if (number < firstChosen) this.lastNumber = Math.max(this.lastNumber, number);
    if (this.leases.has(id)) return;
    const lease = {
      id,
      timeToLive,
      noted: undefined,
      expiresAt: Infinity,
      timer: undefined,
      keys: new Set<Key>(),
      sharesKeys: false,
    };
    this.leases.set(id, lease);
  }

  /** Notes what is left of a lease, for `armAll`; undefined: all of it. */
  note(id: LeaseId, remaining: Milliseconds | undefined): void {
    const lease = this.leases.get(id);
    if (lease) lease.noted = remaining;
  }

  /** What was left of the lease when it was last noted. */
  notedOf(id: LeaseId): Milliseconds | undefined {
    return this.leases.get(id)?.noted;
  }

  /** Takes over another table's leases with what is left of their time. */
  copyFrom(other: LeaseTable): void {
    this.lastNumber = other.lastNumber;
    for (const lease of other.leases.values()) {
      lease.sharesKeys = true;
      this.leases.set(lease.id, { ...lease, timer: undefined });
      this.arm(lease.id, lease.expiresAt - other.clock.now());
    }
  }

  /** Starts the lease's time again, or lets it be due after `delay`. */
  arm(id: LeaseId, delay?: Milliseconds): void {
    const lease = this.require(id);
    lease.expiresAt = this.clock.now() + (delay ?? lease.timeToLive);
    this.startTimer(lease);
  }

  /** Starts the time of all leases: what was noted as left, or the whole. */
  armAll(): void {
    for (const { id, noted } of this.leases.values()) this.arm(id, noted);
  }

  /** Forgets a lease; its keys keep what they hold. */
  remove(id: LeaseId): void {
    this.leases.get(id)?.timer?.cancel();
    this.leases.delete(id);
  }

  /** Stops all timers. */
  stop(): void {
    for (const lease of this.leases.values()) lease.timer?.cancel();
  }

  has(id: LeaseId): boolean {
    return this.leases.has(id);
  }

  /** Throws unless a lease may be given the identity. */
  requireNew(id: LeaseId): void {
    if (!/^-?[1-9]\d{0,18}$/.test(id)) throw new StoreError("invalid", `lease id ${id} is no whole number`);
    if (this.leases.has(id)) throw new StoreError("leaseExists", "lease already exists");
  }

  /** Throws `leaseNotFound` unless the lease exists. */
  require(id: LeaseId): Lease {
    const lease = this.leases.get(id);
    if (!lease) throw new StoreError("leaseNotFound", "requested lease not found");
    return lease;
  }

  keysOf(id: LeaseId): readonly Key[] {
    return [...(this.leases.get(id)?.keys ?? [])];
  }

  /** Every lease with its granted time, and what was noted as left of it. */
  all(): readonly Pick<Lease, "id" | "timeToLive" | "noted">[] {
    return [...this.leases.values()];
  }

  status(id: LeaseId): LeaseStatus | undefined {
    const lease = this.leases.get(id);
    if (!lease) return undefined;
    const remaining = Math.max(lease.expiresAt - this.clock.now(), 0);
    return { id, granted: lease.timeToLive, remaining, keys: [...lease.keys].toSorted() };
  }

  /** Moves the key of an applied change from the lease it had to the one it has. */
  track(change: Change): void {
    const before = change.previous?.lease;
    const after = change.type === "put" ? change.current.lease : undefined;
    if (before === after) return;
    if (before !== undefined) this.keysToChange(before)?.delete(change.previous!.key);
    if (after !== undefined && change.type === "put") this.attach(after, change.current.key);
  }

  /** Notes that the key ends with the lease. */
  attach(id: LeaseId, key: Key): void {
    this.keysToChange(id)?.add(key);
  }

  private keysToChange(id: LeaseId): Set<Key> | undefined {
    const lease = this.leases.get(id);
    if (!lease?.sharesKeys) return lease?.keys;
    lease.keys = new Set(lease.keys);
    lease.sharesKeys = false;
    return lease.keys;
  }

  private startTimer(lease: Lease): void {
    lease.timer?.cancel();
    const delay = lease.expiresAt - this.clock.now();
    invariant(Number.isFinite(delay), `lease ${lease.id} has no end`);
    lease.timer = this.clock.after(Math.min(delay, longestWait), () => {
      const remaining = lease.expiresAt - this.clock.now();
      if (remaining <= 0) return this.onExpire(lease.id);
      this.startTimer(lease);
      this.onRemaining(lease.id, remaining);
    });
  }
}
