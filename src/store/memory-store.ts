import { type Clock, type Milliseconds, systemClock } from "../base/index.ts";
import { rangeOfPrefix } from "./key-range.ts";
import { Keyspace } from "./keyspace.ts";
import { LeaseTable } from "./lease-table.ts";
import type { KeyRange, LeaseStatus, Mvcc, Outcome, RangeOptions, RangeResult, Transaction } from "./mvcc.ts";
import { planChange } from "./plan.ts";
import type { Change, Key, LeaseId, Page, PastChanges, Revision, Versioned, Write } from "./store.ts";
import { planTransaction } from "./transaction.ts";
import { closedError, WatchHub } from "./watch-hub.ts";

/** A store that lives and dies with the process; every write is visible when the call returns. */
export class MemoryStore implements Mvcc {
  private readonly keyspace: Keyspace;
  private readonly hub: WatchHub;
  private readonly leaseTable: LeaseTable;
  private isClosed = false;

  constructor(options: { readonly clock: Clock; readonly from?: MemoryStore }) {
    const { clock, from } = options;
    this.keyspace = from ? from.keyspace.fork() : new Keyspace();
    this.hub = new WatchHub(this.keyspace);
    this.leaseTable = new LeaseTable({ clock, onExpire: (lease) => this.endLease(lease) });
    if (from) this.leaseTable.copyFrom(from.leaseTable);
  }

  /**
   * A store of its own that begins with all that this one has: keys, history and leases, with what is left of
   * their time, but without its watchers. What was written is shared and never copied.
   */
  fork(options: { readonly clock?: Clock } = {}): MemoryStore {
    return new MemoryStore({ clock: options.clock ?? this.leaseTable.clock, from: this });
  }

  get revision(): Revision {
    return this.keyspace.revision;
  }

  get compactedRevision(): Revision {
    return this.keyspace.compactedRevision;
  }

  async commit(write: Write): Promise<Revision> {
    this.requireOpen();
    if (write.type !== "delete" && write.lease !== undefined) this.leaseTable.require(write.lease);
    const revision = this.keyspace.revision + 1;
    this.apply([planChange(write, { before: this.keyspace.current(write.key), revision })]);
    return revision;
  }

  async transact(transaction: Transaction): Promise<Outcome> {
    this.requireOpen();
    const { keyspace, leaseTable: leases } = this;
    const { outcome, changes } = planTransaction(transaction, {
      revision: keyspace.revision,
      current: (key) => keyspace.current(key),
      read: (range, part) => keyspace.range(range, part),
      past: (range, part) => keyspace.range(range, part),
      requireLease: (lease) => leases.require(lease),
    });
    this.apply(changes);
    return outcome;
  }

  async get(key: Key, options: { readonly at?: Revision } = {}): Promise<Versioned | undefined> {
    this.requireOpen();
    return this.keyspace.get(key, options.at);
  }

  async list(
    prefix: Key,
    options: { readonly at?: Revision; readonly after?: Key; readonly limit?: number } = {},
  ): Promise<Page> {
    this.requireOpen();
    return this.keyspace.list(prefix, options);
  }

  async range(
    range: KeyRange,
    options: RangeOptions = {},
  ): Promise<RangeResult & { readonly revision: Revision }> {
    this.requireOpen();
    return this.keyspace.range(range, options);
  }

  async changes(
    prefix: Key,
    options: { readonly after: Revision; readonly limit: number },
  ): Promise<PastChanges> {
    this.requireOpen();
    return this.keyspace.changes(rangeOfPrefix(prefix), options);
  }

  watch(
    prefix: Key,
    options: { readonly after: Revision; readonly signal: AbortSignal },
  ): AsyncIterable<readonly Change[]> {
    return this.hub.watch(rangeOfPrefix(prefix), options);
  }

  watchRange(
    range: KeyRange,
    options: { readonly after: Revision; readonly signal: AbortSignal },
  ): AsyncIterable<readonly Change[]> {
    return this.hub.watch(range, options);
  }

  subscribe(prefix: Key, onChange: (changes: readonly Change[]) => void): () => void {
    return this.hub.subscribe(rangeOfPrefix(prefix), onChange);
  }

  async compact(through: Revision): Promise<void> {
    this.requireOpen();
    this.keyspace.compact(through);
  }

  async grantLease(ttl: Milliseconds, options: { readonly id?: LeaseId } = {}): Promise<LeaseId> {
    this.requireOpen();
    const id = options.id ?? this.leaseTable.nextId();
    this.leaseTable.requireNew(id);
    this.leaseTable.add(id, ttl);
    this.leaseTable.arm(id);
    return id;
  }

  async keepLeaseAlive(lease: LeaseId): Promise<void> {
    this.requireOpen();
    this.leaseTable.arm(lease);
  }

  async revokeLease(lease: LeaseId): Promise<void> {
    this.requireOpen();
    this.leaseTable.require(lease);
    this.endLease(lease);
  }

  leases(): readonly LeaseId[] {
    return this.leaseTable.all().map(({ id }) => id);
  }

  leaseStatus(lease: LeaseId): LeaseStatus | undefined {
    return this.leaseTable.status(lease);
  }

  get sizes(): Mvcc["sizes"] {
    return { allocated: 0, used: this.keyspace.readableBytes };
  }

  get keyCount(): number {
    return this.keyspace.keyCount;
  }

  async defragment(): Promise<void> {
    this.requireOpen();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.leaseTable.stop();
    this.hub.close();
  }

  private endLease(lease: LeaseId): void {
    const keys = this.leaseTable.keysOf(lease).toSorted();
    this.leaseTable.remove(lease);
    const revision = this.keyspace.revision + 1;
    this.apply(keys.map((key) => ({ type: "delete", key, revision, previous: this.keyspace.current(key)! })));
  }

  private apply(changes: readonly Change[]): void {
    for (const change of changes) {
      this.keyspace.apply(change);
      this.leaseTable.track(change);
    }
    this.hub.publish(changes);
  }

  private requireOpen(): void {
    if (this.isClosed) throw closedError();
  }
}

/** An empty store in memory. */
export function createMemoryStore(options: { readonly clock?: Clock } = {}): MemoryStore {
  return new MemoryStore({ clock: options.clock ?? systemClock });
}
