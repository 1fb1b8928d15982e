import { type Clock, type Logger, type Milliseconds, silentLogger, systemClock } from "../../base/index.ts";
import { Keyspace, planChange } from "../keyspace.ts";
import { LeaseTable } from "../lease-table.ts";
import {
  type Change,
  type Key,
  keyOf,
  type LeaseId,
  type Page,
  type PastChanges,
  type Revision,
  revisionOf,
  type Store,
  StoreError,
  type Versioned,
  type Write,
} from "../store.ts";
import { closedError, WatchHub } from "../watch-hub.ts";
import { type Disk, nodeDisk } from "./disk.ts";
import { GroupCommit, type Unit } from "./group-commit.ts";
import { type LogRecord, recordOf } from "./record.ts";
import { recover, type Recovered } from "./recovery.ts";
import { SegmentedLog } from "./segmented-log.ts";
import { snapshotName, writeSnapshot } from "./snapshot.ts";

/** How a durable store is opened. */
export interface LogStoreOptions {
  /** Where its files are; made when it does not exist. */
  readonly directory: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Bytes of one log file, at least 64 KiB, normally 16 MiB; a file goes only as a whole. */
  readonly segmentBytes?: number;
  /** Garbage below it is left alone, normally 32 MiB. */
  readonly garbageFloor?: number;
  /** The file system; the machine's unless a test gives another. */
  readonly disk?: Disk;
}

const defaultSegmentBytes = 16 * 1024 * 1024;
const defaultGarbageFloor = 32 * 1024 * 1024;
/** Far above the largest object that an API server takes. */
const largestValue = 32 * 1024 * 1024;
/** When the end of a lease could not be written. */
const leaseRetryDelay: Milliseconds = 1_000;

/** Opens the store in the directory, which no other process may have open. */
export async function openLogStore(options: LogStoreOptions): Promise<LogStore> {
  const { directory, clock = systemClock, logger = silentLogger } = options;
  const disk = options.disk ?? nodeDisk(directory);
  const unlock = await disk.lock();
  try {
    const keyspace = new Keyspace();
    // Leases are recovered before the store that ends them exists; their time starts after.
    const opened: { store?: LogStore } = {};
    const leases = new LeaseTable({ clock, onExpire: (lease) => opened.store?.expire(lease) });
    const recovered = await recover({ keyspace, leases }, { disk, logger, directory });
    const segmentBytes = options.segmentBytes ?? defaultSegmentBytes;
    const log = await SegmentedLog.open({ disk, logger, segmentBytes }, recovered);
    const garbageFloor = options.garbageFloor ?? defaultGarbageFloor;
    const store = new LogStore({ keyspace, leases, log, disk, logger, unlock, garbageFloor, recovered });
    opened.store = store;
    leases.armAll();
    return store;
  } catch (error) {
    await unlock();
    throw error;
  }
}

interface Parts {
  readonly keyspace: Keyspace;
  readonly leases: LeaseTable;
  readonly log: SegmentedLog;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly unlock: () => Promise<void>;
  readonly garbageFloor: number;
  readonly recovered: Recovered;
}

/** A change that is not on disk yet; writes are planned on top of it, reads do not see it. */
interface Pending {
  readonly change: Change;
  readonly settled: Promise<void>;
}

/** The embedded durable store: a log on disk, and all of its state in memory. */
export class LogStore implements Store {
  private readonly parts: Parts;
  private readonly hub: WatchHub;
  private readonly commits: GroupCommit;
  private readonly pending = new Map<Key, Pending>();
  private readonly ending = new Set<LeaseId>();
  private planned: Revision;
  private snapshot: Recovered["snapshot"];
  /** Compactions and snapshots come one after another: a snapshot needs the revision it is of. */
  private maintenance: Promise<unknown> = Promise.resolve();
  private readonly closing = new AbortController();

  constructor(parts: Parts) {
    this.parts = parts;
    this.planned = parts.keyspace.revision;
    this.snapshot = parts.recovered.snapshot;
    this.hub = new WatchHub(parts.keyspace);
    this.commits = new GroupCommit({
      log: parts.log,
      onDurable: (units) => this.show(units),
      onFailed: () => this.forgetPending(),
      newestRevision: () => parts.keyspace.revision,
    });
  }

  get revision(): Revision {
    return this.parts.keyspace.revision;
  }

  get compactedRevision(): Revision {
    return this.parts.keyspace.compactedRevision;
  }

  async commit(write: Write): Promise<Revision> {
    for (;;) {
      this.requireWritable(write);
      const pending = this.pending.get(write.key);
      try {
        const change = planChange(write, {
          before: this.plannedValue(write.key),
          revision: this.planned + 1,
        });
        await this.write([change], [recordOf(change)]);
        return revisionOf(change);
      } catch (error) {
        const isConflict = error instanceof StoreError && error.type === "conflict";
        if (!pending || !isConflict) throw error;
        // The conflict is with a write that nobody can see yet and that may fail: decide when it is settled.
        await pending.settled;
      }
    }
  }

  async get(key: Key, options: { readonly at?: Revision } = {}): Promise<Versioned | undefined> {
    this.requireOpen();
    return this.parts.keyspace.get(key, options.at);
  }

  async list(
    prefix: Key,
    options: { readonly at?: Revision; readonly after?: Key; readonly limit?: number } = {},
  ): Promise<Page> {
    this.requireOpen();
    return this.parts.keyspace.list(prefix, options);
  }

  async changes(
    prefix: Key,
    options: { readonly after: Revision; readonly limit: number },
  ): Promise<PastChanges> {
    this.requireOpen();
    return this.parts.keyspace.changes(prefix, options);
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
    const { keyspace, logger } = this.parts;
    await this.afterMaintenance(async () => {
      this.requireWritable();
      keyspace.requireCompactable(through);
      await this.write([], [{ type: "compact", through }]);
      keyspace.compact(through);
    });
    this.afterMaintenance(() => this.collectGarbage()).catch((error: unknown) => {
      logger.warn("Disk space could not be given back now; the next compaction tries again", { error });
    });
  }

  async grantLease(ttl: Milliseconds): Promise<LeaseId> {
    this.requireWritable();
    const { leases } = this.parts;
    const lease = leases.nextId();
    await this.write([], [{ type: "grant", lease, timeToLive: ttl }]);
    leases.add(lease, ttl);
    leases.arm(lease);
    return lease;
  }

  async keepLeaseAlive(lease: LeaseId): Promise<void> {
    this.requireOpen();
    this.requireLease(lease);
    this.parts.leases.arm(lease);
  }

  async revokeLease(lease: LeaseId): Promise<void> {
    this.requireWritable();
    this.requireLease(lease);
    await this.endLease(lease);
  }

  /** Ends a lease that is due, later if the disk takes nothing now. */
  expire(lease: LeaseId): void {
    const { leases, logger } = this.parts;
    if (this.ending.has(lease) || this.closing.signal.aborted) return;
    this.endLease(lease).catch((error: unknown) => {
      logger.warn("An expired lease could not be ended; it is tried again", { lease, error });
      if (!this.closing.signal.aborted) leases.arm(lease, leaseRetryDelay);
    });
  }

  /** Settles when all accepted writes are on disk and the directory is free. */
  async close(): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.closing.abort();
    this.parts.leases.stop();
    this.hub.close();
    await this.commits.idle();
    await this.maintenance;
    await this.parts.log.close();
    await this.parts.unlock();
  }

  /** Settles when compactions and the rewriting they caused are done. */
  async maintained(): Promise<void> {
    await this.maintenance;
  }

  private plannedValue(key: Key): Versioned | undefined {
    const change = this.pending.get(key)?.change;
    if (!change) return this.parts.keyspace.current(key);
    return change.type === "put" ? change.current : undefined;
  }

  private write(changes: readonly Change[], records: readonly LogRecord[]): Promise<void> {
    const settled = new Promise<void>((resolve, reject) => {
      const settle = (error: StoreError | undefined) => (error ? reject(error) : resolve());
      this.commits.add({ records, changes, settle });
    });
    const quietly = changes.length > 0 ? settled.catch(() => {}) : settled;
    for (const change of changes) this.pending.set(keyOf(change), { change, settled: quietly });
    this.planned += changes.length;
    return settled;
  }

  private show(units: readonly Unit[]): void {
    const { keyspace, leases } = this.parts;
    const changes = units.length === 1 ? units[0]!.changes : units.flatMap((unit) => unit.changes);
    for (const change of changes) {
      const key = keyOf(change);
      keyspace.apply(change);
      leases.track(change);
      if (this.pending.get(key)?.change === change) this.pending.delete(key);
    }
    this.hub.publish(changes);
    for (const unit of units) unit.settle(undefined);
  }

  private forgetPending(): void {
    this.pending.clear();
    this.planned = this.parts.keyspace.revision;
  }

  private async endLease(lease: LeaseId): Promise<void> {
    const { leases } = this.parts;
    const keys = new Set(leases.keysOf(lease));
    for (const key of this.pending.keys()) keys.add(key);
    const changes: Change[] = [];
    for (const key of [...keys].toSorted()) {
      const previous = this.plannedValue(key);
      if (previous?.lease !== lease) continue;
      changes.push({ type: "delete", key, revision: this.planned + changes.length + 1, previous });
    }
    this.ending.add(lease);
    try {
      await this.write(changes, [...changes.map(recordOf), { type: "revoke", lease }]);
      leases.remove(lease);
    } finally {
      this.ending.delete(lease);
    }
  }

  private afterMaintenance(action: () => Promise<void>): Promise<void> {
    const done = this.maintenance.then(action);
    this.maintenance = done.catch(() => {});
    return done;
  }

  /** Rewrites what is alive when the files hold more garbage than that. */
  private async collectGarbage(): Promise<void> {
    const { keyspace, leases, log, disk, garbageFloor } = this.parts;
    const revision = keyspace.compactedRevision;
    if (this.snapshot?.revision === revision) return log.removeThrough(revision);
    const garbage = (this.snapshot?.size ?? 0) + log.bytesThrough(revision) - keyspace.liveBytes;
    if (garbage <= Math.max(keyspace.liveBytes, garbageFloor) || this.closing.signal.aborted) return;
    const { signal } = this.closing;
    const size = await writeSnapshot({ keyspace, leases, revision }, { disk, signal });
    if (size === undefined) return;
    const before = this.snapshot;
    this.snapshot = { revision, size };
    if (before) await disk.remove(snapshotName(before.revision));
    await log.removeThrough(revision);
  }

  private requireOpen(): void {
    if (this.closing.signal.aborted) throw closedError();
  }

  private requireLease(lease: LeaseId): void {
    if (this.ending.has(lease)) throw new StoreError("leaseNotFound", `requested lease ${lease} not found`);
    this.parts.leases.require(lease);
  }

  private requireWritable(write?: Write): void {
    this.requireOpen();
    this.commits.requireWritable();
    if (!write || write.type === "delete") return;
    if (write.value.length > largestValue) {
      const message = `the value of ${write.key} has ${write.value.length} bytes, at most ${largestValue} are kept`;
      throw new StoreError("tooLarge", message);
    }
    if (write.lease !== undefined) this.requireLease(write.lease);
  }
}
