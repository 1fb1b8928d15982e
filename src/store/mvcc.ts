import type { Milliseconds } from "../base/index.ts";
import type { Change, Key, LeaseId, Revision, Store, Versioned } from "./store.ts";

/** Keys from `start` on and before `end`; without `end` to the last one. One key is `{start: key, end: key + "\0"}`. */
export interface KeyRange {
  readonly start: Key;
  readonly end: Key | undefined;
}

/**
 * Holds when every key of the range fulfils it. A range without keys counts as one key with zeros, of which no
 * comparison of values holds. Operands: bytes for `value`, a LeaseId (`"0"` is none) for `lease`, else a number.
 */
export interface Compare {
  readonly range: KeyRange;
  readonly target: "version" | "create" | "mod" | "value" | "lease";
  readonly result: "equal" | "notEqual" | "greater" | "less";
  readonly operand: number | Uint8Array | LeaseId;
}

/** One step of a transaction; it sees what the steps before it did, except where it reads the past. */
export type Operation =
  | {
      readonly type: "range";
      readonly range: KeyRange;
      readonly at?: Revision;
      readonly limit?: number;
      readonly countOnly?: boolean;
    }
  | {
      readonly type: "put";
      readonly key: Key;
      /** Absent: the key keeps its value. */
      readonly value?: Uint8Array;
      /** Absent: the key leaves the lease it had; `"keep"`: it stays with it. */
      readonly lease?: LeaseId;
    }
  | {
      readonly type: "delete";
      readonly range: KeyRange;
      /** Keys of the range may be put by the same transaction: what comes later holds. */
      readonly meetsPuts?: boolean;
    }
  | { readonly type: "transaction"; readonly transaction: Transaction };

/** Does `success` when all comparisons hold, else `failure`. Comparisons of inner transactions are decided before all operations. */
export interface Transaction {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

/** Keys and values of a range, and how many it has without the limit. */
export interface RangeResult {
  readonly items: readonly Versioned[];
  readonly count: number;
}

/** What an operation answers, in the order of the operations. */
export type OperationResult =
  | ({ readonly type: "range" } & RangeResult)
  | { readonly type: "put"; readonly previous: Versioned | undefined }
  | { readonly type: "delete"; readonly deleted: readonly Versioned[] }
  | { readonly type: "transaction"; readonly outcome: Outcome };

/** What came of a transaction. */
export interface Outcome {
  readonly succeeded: boolean;
  /** The store's revision after it. */
  readonly revision: Revision;
  readonly results: readonly OperationResult[];
}

/** A lease, how long it was granted for, what is left of that, and the keys that end with it, in order. */
export interface LeaseStatus {
  readonly id: LeaseId;
  readonly granted: Milliseconds;
  readonly remaining: Milliseconds;
  readonly keys: readonly Key[];
}

/** How much of a range is read, and when; `limit` 0 means all, `at` 0 means now. */
export interface RangeOptions {
  readonly at?: Revision;
  readonly limit?: number;
  readonly countOnly?: boolean;
}

/** A write to the disk that many changes may share. */
export interface DurableWrite {
  readonly bytes: number;
  /** What the disk took. */
  readonly seconds: number;
  /** Seconds until all could be read. */
  readonly shownAfter: number;
}

/** All that etcd's KV, Watch and Lease services need; in-process stores offer it beside `Store`. */
export interface Mvcc extends Store {
  /** Range outside a transaction. */
  range(range: KeyRange, options?: RangeOptions): Promise<RangeResult & { readonly revision: Revision }>;

  /**
   * All changes of a transaction share one revision, in order of the operations; a key is changed at most once
   * unless a deletion may meet puts, else it is refused as `invalid`. Settles when durable and visible.
   */
  transact(transaction: Transaction): Promise<Outcome>;

  /** As `watch`, on a range; a batch never splits the changes of one revision. */
  watchRange(
    range: KeyRange,
    options: { readonly after: Revision; readonly signal: AbortSignal },
  ): AsyncIterable<readonly Change[]>;

  /** A lease with an id of one's own, int64 as decimal text; rejects with `leaseExists` when it is taken. */
  grantLease(ttl: Milliseconds, options?: { readonly id?: LeaseId }): Promise<LeaseId>;

  /** All leases that have not ended, in the order in which they were granted. */
  leases(): readonly LeaseId[];
  leaseStatus(lease: LeaseId): LeaseStatus | undefined;

  /** Bytes of files on disk, 0 in memory, and bytes that what can be read takes. */
  readonly sizes: { readonly allocated: number; readonly used: number };
  /** How many keys there are. */
  readonly keyCount: number;
  /** Has one listener hear of each durable write; of stores that have a disk. */
  observeWrites?(listener: (write: DurableWrite) => void): void;
  /** Gives disk space back now. */
  defragment(): Promise<void>;
}
