import { type Clock, type Milliseconds, systemClock } from "../base/index.ts";
import { Keyspace, planChange } from "./keyspace.ts";
import { LeaseTable } from "./lease-table.ts";
import type { Change, Key, LeaseId, Page, PastChanges, Revision, Store, Versioned, Write } from "./store.ts";
import { closedError, WatchHub } from "./watch-hub.ts";

/** A store that lives and dies with the process; every write is visible when the call returns. */
export class MemoryStore implements Store {
  private readonly keyspace = new Keyspace();
  private readonly hub = new WatchHub(this.keyspace);
  private readonly leases: LeaseTable;
  private isClosed = false;

  constructor(options: { readonly clock: Clock }) {
    this.leases = new LeaseTable({ clock: options.clock, onExpire: (lease) => this.endLease(lease) });
  }

  get revision(): Revision {
    return this.keyspace.revision;
  }

  get compactedRevision(): Revision {
    return this.keyspace.compactedRevision;
  }

  async commit(write: Write): Promise<Revision> {
    this.requireOpen();
    if (write.type !== "delete" && write.lease !== undefined) this.leases.require(write.lease);
    const revision = this.keyspace.revision + 1;
    this.apply([planChange(write, { before: this.keyspace.current(write.key), revision })]);
    return revision;
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

  async changes(
    prefix: Key,
    options: { readonly after: Revision; readonly limit: number },
  ): Promise<PastChanges> {
    this.requireOpen();
    return this.keyspace.changes(prefix, options);
  }

  watch(
    prefix: Key,
    options: { readonly after: Revision; readonly signal: AbortSignal },
  ): AsyncIterable<readonly Change[]> {
    return this.hub.watch(prefix, options);
  }

  subscribe(prefix: Key, onChange: (changes: readonly Change[]) => void): () => void {
    return this.hub.subscribe(prefix, onChange);
  }

  async compact(through: Revision): Promise<void> {
    this.requireOpen();
    this.keyspace.compact(through);
  }

  async grantLease(ttl: Milliseconds): Promise<LeaseId> {
    this.requireOpen();
    const id = this.leases.nextId();
    this.leases.add(id, ttl);
    this.leases.arm(id);
    return id;
  }

  async keepLeaseAlive(lease: LeaseId): Promise<void> {
    this.requireOpen();
    this.leases.arm(lease);
  }

  async revokeLease(lease: LeaseId): Promise<void> {
    this.requireOpen();
    this.leases.require(lease);
    this.endLease(lease);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.leases.stop();
    this.hub.close();
  }

  private endLease(lease: LeaseId): void {
    const keys = this.leases.keysOf(lease).toSorted();
    this.leases.remove(lease);
    let revision = this.keyspace.revision;
    this.apply(
      keys.map((key) => {
        const previous = this.keyspace.current(key)!;
        return { type: "delete", key, revision: ++revision, previous };
      }),
    );
  }

  private apply(changes: readonly Change[]): void {
    for (const change of changes) {
      this.keyspace.apply(change);
      this.leases.track(change);
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
