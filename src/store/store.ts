import type { Milliseconds } from "../base/index.ts";

/** Path-like text, e.g. `/registry/pods/default/web`; ordered by code unit. */
export type Key = string;
/** One counter for the whole store; every commit and every transaction that changes something raises it by one. */
export type Revision = number;
export type LeaseId = string;

/** One change to one key; a blind update cannot be written. */
export type Write =
  | { readonly type: "create"; readonly key: Key; readonly value: Uint8Array; readonly lease?: LeaseId }
  | {
      readonly type: "update";
      readonly key: Key;
      readonly value: Uint8Array;
      readonly ifModified: Revision;
      readonly lease?: LeaseId;
    }
  | { readonly type: "delete"; readonly key: Key; readonly ifModified: Revision };

/** A value and the revisions of its key. In-process stores hand out the very bytes that were written: they are never changed. */
export interface Versioned {
  readonly key: Key;
  readonly value: Uint8Array;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** Writes to the key since it was created, from 1. */
  readonly version: number;
  /** The lease that the key ends with. */
  readonly lease?: LeaseId;
  /** Changes of the same revision that came before this one, where there are any; in-process stores alone know it. */
  readonly place?: number;
}

export type Change =
  | { readonly type: "put"; readonly current: Versioned; readonly previous: Versioned | undefined }
  | { readonly type: "delete"; readonly key: Key; readonly revision: Revision; readonly previous: Versioned };

export interface Page {
  readonly items: readonly Versioned[];
  /** The revision that the page is of. */
  readonly revision: Revision;
  /** How many keys of the prefix follow the page. */
  readonly remaining: number;
}

/** A stretch of history. */
export interface PastChanges {
  readonly changes: readonly Change[];
  /** The stretch is whole up to this revision. */
  readonly through: Revision;
}

/** The revision that a change made. */
export function revisionOf(change: Change): Revision {
  return change.type === "put" ? change.current.modRevision : change.revision;
}

/** The key that a change is of. */
export function keyOf(change: Change): Key {
  return change.type === "put" ? change.current.key : change.key;
}

/**
 * Why a store refuses; `conflict`: the key exists, is gone or was modified; `compacted`, `future`: no such
 * revision here; `unavailable`: nothing was written and a later try may succeed, unless the message says otherwise;
 * `invalid`: the request contradicts itself or what it builds on.
 */
export type StoreErrorType =
  | "conflict"
  | "compacted"
  | "future"
  | "closed"
  | "unavailable"
  | "corrupt"
  | "leaseNotFound"
  | "leaseExists"
  | "invalid"
  | "tooLarge";

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly type: StoreErrorType;
  /** For `conflict`: what the key holds now. */
  readonly current: Versioned | undefined;
  constructor(type: StoreErrorType, message: string, current?: Versioned) {
    super(message);
    this.type = type;
    this.current = current;
  }
}

/** A revisioned, ordered map of bytes with etcd's semantics. */
export interface Store {
  /** The newest revision whose writes are durable; reads see exactly up to it. */
  readonly revision: Revision;
  readonly compactedRevision: Revision;
  /** Why the store cannot be used now, as far as it has noticed; for stores elsewhere. */
  readonly problem?: string | undefined;
  /** Settles when the write is durable and visible; rejects with `conflict` when its condition fails. */
  commit(write: Write): Promise<Revision>;
  get(key: Key, options?: { readonly at?: Revision }): Promise<Versioned | undefined>;
  /** Keys that start with `prefix`, in order, after the key `after`; `limit` 0 means all. */
  list(
    prefix: Key,
    options?: { readonly at?: Revision; readonly after?: Key; readonly limit?: number },
  ): Promise<Page>;
  /**
   * Up to `limit` changes after the revision `after`, in order, more only where one revision has more; rejects
   * with `compacted` when history is gone.
   */
  changes(prefix: Key, options: { readonly after: Revision; readonly limit: number }): Promise<PastChanges>;
  /** Changes after the revision `after`, in order, in batches of whole revisions; ends when the signal aborts; throws `compacted` when history is gone. */
  watch(
    prefix: Key,
    options: {
      readonly after: Revision;
      readonly signal: AbortSignal;
      /** Called between batches when all changes through the revision were told, also where others' keys changed; by stores that others write to. */
      readonly onProgress?: (revision: Revision) => void;
      /** The watcher knows what was there before: stores that would have to read it need not tell. */
      readonly knowsPrevious?: boolean;
    },
  ): AsyncIterable<readonly Change[]>;
  /** The newest revision of all, whoever made it; for stores that others write to. Who has seen changes through it has a consistent view. */
  currentRevision?(): Promise<Revision>;
  /** Calls `onChange` at once for each batch as it becomes visible, before `commit` settles; in-process stores only. */
  subscribe?(prefix: Key, onChange: (changes: readonly Change[]) => void): () => void;
  /** Forgets history through the revision; current values stay. */
  compact(through: Revision): Promise<void>;
  /** A lease whose keys are deleted `ttl` after it was granted, unless kept alive. */
  grantLease(ttl: Milliseconds): Promise<LeaseId>;
  /** Counts the lease's time from now again; rejects with `leaseNotFound` when it has ended. */
  keepLeaseAlive(lease: LeaseId): Promise<void>;
  /** Ends the lease now and deletes its keys. */
  revokeLease(lease: LeaseId): Promise<void>;
  close(): Promise<void>;
}
