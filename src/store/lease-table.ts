import { type Clock, invariant, type Milliseconds, type Timer } from "../base/index.ts";
import { type Change, type Key, type LeaseId, StoreError } from "./store.ts";

interface Lease {
  readonly id: LeaseId;
  readonly timeToLive: Milliseconds;
  expiresAt: Milliseconds;
  timer: Timer | undefined;
  readonly keys: Set<Key>;
}

/** Longest wait of one timer; longer leases are looked at again. */
const longestWait: Milliseconds = 24 * 60 * 60 * 1000;

/** The leases of an in-process store: which keys each holds, and when it ends. */
export class LeaseTable {
  private readonly leases = new Map<LeaseId, Lease>();
  private readonly clock: Clock;
  private readonly onExpire: (lease: LeaseId) => void;
  private lastNumber = 0;

  /** `onExpire` is called each time a lease is due; it must end it, or push it back by `arm`. */
  constructor(options: { readonly clock: Clock; readonly onExpire: (lease: LeaseId) => void }) {
    this.clock = options.clock;
    this.onExpire = options.onExpire;
  }

  /** An identity that no lease has had. */
  nextId(): LeaseId {
    return String(++this.lastNumber);
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
    this.lastNumber = Math.max(this.lastNumber, Number(id));
    if (this.leases.has(id)) return;
    this.leases.set(id, { id, timeToLive, expiresAt: Infinity, timer: undefined, keys: new Set() });
  }

  /** Starts the lease's time again, or lets it be due after `delay`. */
  arm(id: LeaseId, delay?: Milliseconds): void {
    const lease = this.require(id);
    lease.expiresAt = this.clock.now() + (delay ?? lease.timeToLive);
    this.startTimer(lease);
  }

  armAll(): void {
    for (const id of this.leases.keys()) this.arm(id);
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

  /** Throws `leaseNotFound` unless the lease exists. */
  require(id: LeaseId): Lease {
    const lease = this.leases.get(id);
    if (!lease) throw new StoreError("leaseNotFound", `requested lease ${id} not found`);
    return lease;
  }

  keysOf(id: LeaseId): readonly Key[] {
    return [...(this.leases.get(id)?.keys ?? [])];
  }

  /** Every lease with its granted time. */
  all(): readonly { readonly id: LeaseId; readonly timeToLive: Milliseconds }[] {
    return [...this.leases.values()];
  }

  /** Moves the key of an applied change from the lease it had to the one it has. */
  track(change: Change): void {
    const before = change.previous?.lease;
    const after = change.type === "put" ? change.current.lease : undefined;
    if (before === after) return;
    if (before !== undefined) this.leases.get(before)?.keys.delete(change.previous!.key);
    if (after !== undefined && change.type === "put") this.attach(after, change.current.key);
  }

  /** Notes that the key ends with the lease. */
  attach(id: LeaseId, key: Key): void {
    this.leases.get(id)?.keys.add(key);
  }

  private startTimer(lease: Lease): void {
    lease.timer?.cancel();
    const delay = lease.expiresAt - this.clock.now();
    invariant(Number.isFinite(delay), `lease ${lease.id} has no end`);
    lease.timer = this.clock.after(Math.min(delay, longestWait), () => {
      if (lease.expiresAt > this.clock.now()) this.startTimer(lease);
      else this.onExpire(lease.id);
    });
  }
}
