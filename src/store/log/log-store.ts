import { type Clock, type Logger, type Milliseconds, silentLogger, systemClock } from "../../base/index.ts";
import { rangeOfPrefix } from "../key-range.ts";
import { Keyspace } from "../keyspace.ts";
import { LeaseTable } from "../lease-table.ts";
import type {
  DurableWrite,
  KeyRange,
  LeaseStatus,
  Mvcc,
  Outcome,
  RangeOptions,
  RangeResult,
  Transaction,
} from "../mvcc.ts";
import { planChange } from "../plan.ts";
import {
  type Change,
  type Key,
  type LeaseId,
  type Page,
  type PastChanges,
  type Revision,
  revisionOf,
  StoreError,
  type Versioned,
  type Write,
} from "../store.ts";
import { isReadOnly, type Plan, planTransaction, type State } from "../transaction.ts";
import { closedError, WatchHub } from "../watch-hub.ts";
import { type Disk, nodeDisk } from "./disk.ts";
import { GroupCommit, type Unit } from "./group-commit.ts";
import { PendingChanges } from "./pending.ts";
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
  /** Garbage below it is left alone, normally 256 KiB. */
  readonly garbageFloor?: number;
  /** The file system; the machine's unless a test gives another. */
  readonly disk?: Disk;
}

const defaultSegmentBytes = 16 * 1024 * 1024;
/** So small, because a rewrite costs what is alive, and comes with a compaction at most. */
const defaultGarbageFloor = 256 * 1024;
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
    const leases = new LeaseTable({
      clock,
      onExpire: (lease) => opened.store?.expire(lease),
      onRemaining: (lease, remaining) => opened.store?.noteRemaining(lease, remaining),
    });
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

/** The embedded durable store: a log on disk, and all of its state in memory. */
export class LogStore implements Mvcc {
  private readonly parts: Parts;
  private readonly hub: WatchHub;
  private readonly commits: GroupCommit;
  private readonly pending: PendingChanges;
  private readonly ending = new Set<LeaseId>();
  private readonly granting = new Map<LeaseId, Promise<void>>();
  private snapshot: Recovered["snapshot"];
  /** Compactions and snapshots come one after another: a snapshot needs the revision it is of. */
  private maintenance: Promise<unknown> = Promise.resolve();
  private readonly closing = new AbortController();

  constructor(parts: Parts) {
    this.parts = parts;
    this.pending = new PendingChanges(parts.keyspace);
    this.snapshot = parts.recovered.snapshot;
    this.hub = new WatchHub(parts.keyspace);
    this.commits = new GroupCommit({
      log: parts.log,
      onDurable: (units) => this.show(units),
      onFailed: () => this.pending.drop(),
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
      const isOnPending = this.pending.has(write.key);
      try {
        const change = planChange(write, {
          before: this.pending.current(write.key),
          revision: this.pending.nextRevision,
        });
        await this.write([change], [recordOf(change)]);
        return revisionOf(change);
      } catch (error) {
        const isConflict = error instanceof StoreError && error.type === "conflict";
        if (!isOnPending || !isConflict) throw error;
        // The conflict is with a write that nobody can see yet and that may fail: decide when it is settled.
        await this.pending.settledOf(write.key);
      }
    }
  }

  async transact(transaction: Transaction): Promise<Outcome> {
    const isWrite = !isReadOnly(transaction);
    for (;;) {
      if (isWrite) this.requireWritable();
      else this.requireOpen();
      const { plan, sawPending } = this.plan(transaction, { isWrite });
      const changes = plan instanceof StoreError ? [] : plan.changes;
      requireModest(changes);
      if (changes.length > 0) await this.write(changes, changes.map(recordOf));
      // Nothing follows the changes that it has looked at into the log: it must not tell of them too early.
      else if (sawPending && !(await this.pending.areKept())) continue;
      if (plan instanceof StoreError) throw plan;
      return plan.outcome;
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

  async range(
    range: KeyRange,
    options: RangeOptions = {},
  ): Promise<RangeResult & { readonly revision: Revision }> {
    this.requireOpen();
    return this.parts.keyspace.range(range, options);
  }

  async changes(
    prefix: Key,
    options: { readonly after: Revision; readonly limit: number },
  ): Promise<PastChanges> {
    this.requireOpen();
    return this.parts.keyspace.changes(rangeOfPrefix(prefix), options);
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

  async grantLease(ttl: Milliseconds, options: { readonly id?: LeaseId } = {}): Promise<LeaseId> {
    this.requireWritable();
    const { leases } = this.parts;
    const lease = options.id ?? leases.nextId();
    // One that is being granted may fail yet: whether the identity is taken, is known when it is settled.
    for (let other = this.granting.get(lease); other; other = this.granting.get(lease)) await other;
    leases.requireNew(lease);
    const granted = this.write([], [{ type: "grant", lease, timeToLive: ttl }]);
    this.granting.set(
      lease,
      granted.catch(() => {}).finally(() => this.granting.delete(lease)),
    );
    await granted;
    leases.add(lease, ttl);
    leases.arm(lease);
    return lease;
  }

  async keepLeaseAlive(lease: LeaseId): Promise<void> {
    this.requireOpen();
    this.requireLease(lease);
    const { leases } = this.parts;
    if (leases.notedOf(lease) !== undefined) {
      await this.write([], [{ type: "remaining", lease, remaining: undefined }]);
      this.requireLease(lease);
      leases.note(lease, undefined);
    }
    leases.arm(lease);
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

  /** Keeps what is left of a long lease on disk, so that a restart does not give it all of its time again. */
  noteRemaining(lease: LeaseId, remaining: Milliseconds): void {
    const { leases, logger } = this.parts;
    if (this.ending.has(lease) || this.closing.signal.aborted) return;
    leases.note(lease, remaining);
    this.write([], [{ type: "remaining", lease, remaining }]).catch((error: unknown) => {
      logger.warn("What is left of a lease was not noted; it is tried again", { lease, error });
    });
  }

  leases(): readonly LeaseId[] {
    return this.parts.leases.all().map(({ id }) => id);
  }

  leaseStatus(lease: LeaseId): LeaseStatus | undefined {
    return this.parts.leases.status(lease);
  }

  get sizes(): Mvcc["sizes"] {
    const { log, keyspace } = this.parts;
    const allocated = log.allocatedBytes + (this.snapshot?.size ?? 0);
    return { allocated, used: keyspace.readableBytes };
  }

  get keyCount(): number {
    return this.parts.keyspace.keyCount;
  }

  observeWrites(listener: (write: DurableWrite) => void): void {
    this.commits.onWrite = listener;
  }

  async defragment(): Promise<void> {
    await this.afterMaintenance(async () => {
      this.requireWritable();
      await this.rewrite();
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

  private plan(
    transaction: Transaction,
    { isWrite }: { readonly isWrite: boolean },
  ): { readonly plan: Plan | StoreError; readonly sawPending: boolean } {
    const { keyspace } = this.parts;
    const requireLease = (lease: LeaseId) => this.requireLease(lease);
    if (!isWrite) {
      const read: State["read"] = (range, part) => keyspace.range(range, part);
      const current: State["current"] = (key) => keyspace.current(key);
      const state = { revision: keyspace.revision, current, read, past: read, requireLease };
      return { plan: planTransaction(transaction, state), sawPending: false };
    }
    const { state, sawPending } = this.pending.view(requireLease);
    try {
      return { plan: planTransaction(transaction, state), sawPending: sawPending() };
    } catch (error) {
      if (error instanceof StoreError) return { plan: error, sawPending: sawPending() };
      throw error;
    }
  }

  private write(changes: readonly Change[], records: readonly LogRecord[]): Promise<void> {
    const settled = new Promise<void>((resolve, reject) => {
      const settle = (error: StoreError | undefined) => (error ? reject(error) : resolve());
      this.commits.add({ records, changes, settle });
    });
    if (changes.length > 0) this.pending.add(changes, settled);
    return settled;
  }

  private show(units: readonly Unit[]): void {
    const { keyspace, leases } = this.parts;
    const changes = units.length === 1 ? units[0]!.changes : units.flatMap((unit) => unit.changes);
    for (const change of changes) {
      keyspace.apply(change);
      leases.track(change);
      this.pending.remove(change);
    }
    this.hub.publish(changes);
    for (const unit of units) unit.settle(undefined);
  }

  private async endLease(lease: LeaseId): Promise<void> {
    const { leases } = this.parts;
    const revision = this.pending.nextRevision;
    const changes = this.pending.keysOn(lease, leases.keysOf(lease)).map((key): Change => {
      return { type: "delete", key, revision, previous: this.pending.current(key)! };
    });
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
    const { keyspace, log, garbageFloor } = this.parts;
    const garbage = (this.snapshot?.size ?? 0) + log.writtenBytes - keyspace.readableBytes;
    if (garbage > Math.max(keyspace.liveBytes, garbageFloor)) return this.rewrite();
    if (this.snapshot) await log.removeThrough(this.snapshot.revision);
  }

  /** Writes what could be read at the compacted revision into one file, and drops the files before it. */
  private async rewrite(): Promise<void> {
    const { keyspace, leases, log, disk } = this.parts;
    const revision = keyspace.compactedRevision;
    const { signal } = this.closing;
    if (revision === 0 || signal.aborted) return;
    if (this.snapshot?.revision !== revision) {
      const size = await writeSnapshot({ keyspace, leases, revision }, { disk, signal });
      if (size === undefined) return;
      const before = this.snapshot;
      this.snapshot = { revision, size };
      if (before) await disk.remove(snapshotName(before.revision));
    }
    log.rollNext();
    // Said once more only to begin a new file.
    await this.write([], [{ type: "compact", through: revision }]);
    await log.removeThrough(revision);
  }

  private requireOpen(): void {
    if (this.closing.signal.aborted) throw closedError();
  }

  private requireLease(lease: LeaseId): void {
    if (this.ending.has(lease)) throw new StoreError("leaseNotFound", "requested lease not found");
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

/** What becomes durable together is one frame, which must not outgrow its length's four bytes. */
function requireModest(changes: readonly Change[]): void {
  let bytes = 0;
  for (const change of changes) if (change.type === "put") bytes += change.current.value.length;
  if (bytes > largestValue) throw new StoreError("tooLarge", "request is too large");
}
