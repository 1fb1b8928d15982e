import { isWithin, singleKey } from "../key-range.ts";
import type { Keyspace } from "../keyspace.ts";
import type { KeyRange, RangeResult } from "../mvcc.ts";
import {
  type Change,
  type Key,
  keyOf,
  type LeaseId,
  type Revision,
  revisionOf,
  type Versioned,
} from "../store.ts";
import { type Part, readOver, type State } from "../transaction.ts";

/** A change that is not on disk yet; writes are planned on top of it, reads do not see it. */
interface Pending {
  readonly change: Change;
  readonly settled: Promise<void>;
}

/** The changes under way, the last one of each key, on top of what the keyspace shows. */
export class PendingChanges {
  private readonly keyspace: Keyspace;
  private readonly byKey = new Map<Key, Pending>();
  private planned: Revision;
  private latest: Promise<void> = Promise.resolve();
  private failures = 0;

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
    this.planned = keyspace.revision;
  }

  /** The revision that the next change makes. */
  get nextRevision(): Revision {
    return this.planned + 1;
  }

  /** Notes changes of one revision, and when they are visible; it rejects when they are given up, and somebody else hears of it. */
  add(changes: readonly Change[], settled: Promise<void>): void {
    for (const change of changes) this.byKey.set(keyOf(change), { change, settled });
    this.planned = revisionOf(changes[0]!);
    this.latest = settled;
  }

  /** A change has become visible. */
  remove(change: Change): void {
    const key = keyOf(change);
    if (this.byKey.get(key)?.change === change) this.byKey.delete(key);
  }

  /** None of the changes will be made. */
  drop(): void {
    this.failures++;
    this.byKey.clear();
    this.planned = this.keyspace.revision;
  }

  /** Whether a change to the key is under way. */
  has(key: Key): boolean {
    return this.byKey.has(key);
  }

  /** When the change under way to the key is visible or given up; undefined when there is none. */
  settledOf(key: Key): Promise<void> | undefined {
    return this.byKey.get(key)?.settled.catch(() => {});
  }

  /** What the key holds when all changes are made. */
  current(key: Key): Versioned | undefined {
    const change = this.byKey.get(key)?.change;
    if (!change) return this.keyspace.current(key);
    return change.type === "put" ? change.current : undefined;
  }

  /** The keys that hold the lease, or will, in order. */
  keysOn(lease: LeaseId, shown: readonly Key[]): readonly Key[] {
    const keys = new Set(shown);
    for (const key of this.byKey.keys()) keys.add(key);
    return [...keys].filter((key) => this.current(key)?.lease === lease).toSorted();
  }

  /** Waits until all of now is visible; false when it was given up. */
  async areKept(): Promise<boolean> {
    const { failures } = this;
    await this.latest.catch(() => {});
    return this.failures === failures;
  }

  /** What a transaction is planned on, and whether it has looked at something that is not visible yet. */
  view(requireLease: (lease: LeaseId) => void): {
    readonly state: State;
    readonly sawPending: () => boolean;
  } {
    const { keyspace } = this;
    let sawPending = false;
    const shown = {
      current: (key: Key) => keyspace.current(key),
      read: (range: KeyRange, part: Part): RangeResult => keyspace.range(range, part),
    };
    const state: State = {
      revision: this.planned,
      current: (key) => {
        sawPending ||= this.byKey.has(key);
        return this.current(key);
      },
      read: (range, part) => {
        const changes = this.within(range);
        sawPending ||= changes.length > 0;
        return readOver(shown, changes, { range, part });
      },
      past: shown.read,
      requireLease,
    };
    return { state, sawPending: () => sawPending };
  }

  private within(range: KeyRange): readonly Change[] {
    const key = singleKey(range);
    if (key !== undefined) {
      const change = this.byKey.get(key)?.change;
      return change ? [change] : [];
    }
    const found: Change[] = [];
    for (const [pending, { change }] of this.byKey) if (isWithin(pending, range)) found.push(change);
    return found;
  }
}
