import type { DurableWrite } from "../mvcc.ts";
import { type Change, type Revision, StoreError } from "../store.ts";
import { isOutOfSpace } from "./disk.ts";
import { frameHeaderLength } from "./frame.ts";
import { type LogRecord, RecordWriter } from "./record.ts";
import type { SegmentedLog } from "./segmented-log.ts";

/** Records that become durable together, and what is then to be done. */
export interface Unit {
  readonly records: readonly LogRecord[];
  readonly changes: readonly Change[];
  /** Called once, when the changes are visible or when nothing of the unit was kept. */
  readonly settle: (error: StoreError | undefined) => void;
}

interface Batch {
  readonly records: RecordWriter;
  readonly units: Unit[];
}

/** A batch takes units until it is this long. */
const batchBytes = 4 * 1024 * 1024;
/** What may wait for the disk before writes are refused. */
const waitingBytesLimit = 256 * 1024 * 1024;
/** How many microtasks it takes from a commit that settles to its caller's next one. */
const turnsToJoin = 4;
const millisecondsPerSecond = 1_000;
/** Buffers longer than this are not kept for the next batch. */
const keptBytes = 1024 * 1024;

/**
 * Writes units to the log one batch after another: all that arrives while a write is under way shares the next one.
 * A failed batch takes with it all that waits behind it, which may have built upon it.
 */
export class GroupCommit {
  private readonly log: SegmentedLog;
  private readonly onDurable: (units: readonly Unit[]) => void;
  private readonly onFailed: () => void;
  private readonly newestRevision: () => Revision;
  /** Hears of each batch that has become durable. */
  onWrite: ((write: DurableWrite) => void) | undefined;
  private waiting: Batch[] = [];
  private waitingBytes = 0;
  private spare: RecordWriter | undefined;
  private running: Promise<void> | undefined;
  private fatal: StoreError | undefined;

  /** `onFailed` is called before the units of failed batches settle, `newestRevision` tells the last visible one. */
  constructor(options: {
    readonly log: SegmentedLog;
    readonly onDurable: (units: readonly Unit[]) => void;
    readonly onFailed: () => void;
    readonly newestRevision: () => Revision;
  }) {
    this.log = options.log;
    this.onDurable = options.onDurable;
    this.onFailed = options.onFailed;
    this.newestRevision = options.newestRevision;
  }

  /** Throws `unavailable` when no more can be taken. */
  requireWritable(): void {
    if (this.fatal) throw this.fatal;
    if (this.waitingBytes > waitingBytesLimit) {
      throw new StoreError("unavailable", "too many writes wait for the disk");
    }
  }

  add(unit: Unit): void {
    let batch = this.waiting.at(-1);
    if (!batch || batch.records.length >= batchBytes) {
      batch = { records: this.spare ?? new RecordWriter(frameHeaderLength), units: [] };
      this.spare = undefined;
      this.waiting.push(batch);
    }
    const before = batch.records.length;
    for (const record of unit.records) batch.records.add(record);
    this.waitingBytes += batch.records.length - before;
    batch.units.push(unit);
    this.running ??= this.run();
  }

  /** Settles when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    // What is written in the same turn of the event loop shares the first batch too.
    await Promise.resolve();
    for (let batch = this.waiting.shift(); batch; batch = this.waiting.shift()) {
      this.waitingBytes -= batch.records.length;
      const started = performance.now();
      const bytes = batch.records.length;
      try {
        await this.log.append(batch.records.bytes, lastRevisionOf(batch) ?? this.newestRevision());
      } catch (error) {
        this.fail([batch, ...this.waiting.splice(0)], error);
        continue;
      }
      const durable = performance.now();
      this.onDurable(batch.units);
      this.onWrite?.({
        bytes,
        seconds: (durable - started) / millisecondsPerSecond,
        shownAfter: (performance.now() - started) / millisecondsPerSecond,
      });
      this.keep(batch.records);
      // Who waited for this batch and writes again at once shares the next one. Otherwise writers fall into two
      // groups for ever, which take turns and share half as much.
      for (let turn = 0; turn < turnsToJoin; turn++) await Promise.resolve();
    }
    this.running = undefined;
  }

  private fail(batches: readonly Batch[], cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = isOutOfSpace(cause)
      ? new StoreError("unavailable", `no space left on the store's disk: ${reason}`)
      : new StoreError(
          "unavailable",
          `the store takes no more writes after a disk error, restart it: ${reason}`,
        );
    // After a failed sync nobody knows what is on the disk: only a restart, which reads it, tells.
    if (!isOutOfSpace(cause)) this.fatal = error;
    this.waitingBytes = 0;
    this.onFailed();
    for (const { units } of batches) for (const unit of units) unit.settle(error);
  }

  private keep(records: RecordWriter): void {
    if (records.length > keptBytes) return;
    records.clear();
    this.spare = records;
  }
}

function lastRevisionOf(batch: Batch): Revision | undefined {
  for (let at = batch.units.length - 1; at >= 0; at--) {
    const change = batch.units[at]!.changes.at(-1);
    if (change) return change.type === "put" ? change.current.modRevision : change.revision;
  }
  return undefined;
}
