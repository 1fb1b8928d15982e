import { invariant } from "../base/index.ts";
import { endOfPrefix, OrderedIndex, type Position } from "./ordered-index.ts";
import {
  type Change,
  type Key,
  keyOf,
  type Page,
  type PastChanges,
  type Revision,
  revisionOf,
  StoreError,
  type Versioned,
  type Write,
} from "./store.ts";

interface Entry {
  readonly key: Key;
  current: Versioned | undefined;
  /** The changes that ended earlier versions, oldest first; each holds the version it ended as `previous`. */
  ended: Change[] | undefined;
}

/** As etcd: an empty store is at revision 1 and the first write makes revision 2. */
const firstRevision: Revision = 1;

/**
 * The change that a write makes to a key that holds `before`; throws `conflict` when the write's condition fails.
 * It changes nothing, so that a durable store can plan on top of writes that are not on disk yet.
 */
export function planChange(
  write: Write,
  state: { readonly before: Versioned | undefined; readonly revision: Revision },
): Change {
  const { before, revision } = state;
  const { key } = write;
  if (write.type === "create") {
    if (before) throw new StoreError("conflict", `the key ${key} exists`, before);
    return { type: "put", current: put(write, revision, revision, 1), previous: undefined };
  }
  if (!before) throw new StoreError("conflict", `the key ${key} does not exist`);
  if (before.modRevision !== write.ifModified) {
    const message = `the key ${key} is at revision ${before.modRevision}, not ${write.ifModified}`;
    throw new StoreError("conflict", message, before);
  }
  if (write.type === "delete") return { type: "delete", key, revision, previous: before };
  const current = put(write, before.createRevision, revision, before.version + 1);
  return { type: "put", current, previous: before };
}

function put(
  write: Exclude<Write, { type: "delete" }>,
  createRevision: Revision,
  modRevision: Revision,
  version: number,
): Versioned {
  const { key, value, lease } = write;
  return lease === undefined
    ? { key, value, createRevision, modRevision, version }
    : { key, value, createRevision, modRevision, version, lease };
}

/**
 * Keys, values and their history, synchronous and without time or disk: what every in-process store is made of.
 * History is the list of changes since the compaction; the versions of a key share its change objects.
 */
export class Keyspace {
  private newest: Revision = firstRevision;
  private compacted: Revision = 0;
  private bytes = 0;
  private readonly entries = new Map<Key, Entry>();
  private readonly index = new OrderedIndex<Entry>((entry) => entry.current !== undefined);
  /** `history[i]` made the revision `historyStart + i`. */
  private history: Change[] = [];
  private historyStart: Revision = firstRevision + 1;

  get revision(): Revision {
    return this.newest;
  }

  get compactedRevision(): Revision {
    return this.compacted;
  }

  /** The length of all current keys and values. */
  get liveBytes(): number {
    return this.bytes;
  }

  /** What the key holds now. */
  current(key: Key): Versioned | undefined {
    return this.entries.get(key)?.current;
  }

  /** Makes a planned change; its revision must be the next one. */
  apply(change: Change): void {
    const revision = revisionOf(change);
    invariant(revision === this.newest + 1, `change of revision ${revision} after ${this.newest}`);
    const entry = this.entryOf(keyOf(change));
    invariant(entry.current === change.previous, `change of ${entry.key} was planned on another state`);
    if (change.previous) (entry.ended ??= []).push(change);
    this.place(entry, change.type === "put" ? change.current : undefined);
    this.history.push(change);
    this.newest = revision;
  }

  /** Fills an empty keyspace with what a snapshot of the revision held. */
  restore(snapshot: { readonly revision: Revision; readonly items: Iterable<Versioned> }): void {
    invariant(this.newest === firstRevision, "only an empty keyspace is restored");
    for (const versioned of snapshot.items) this.place(this.entryOf(versioned.key), versioned);
    this.newest = Math.max(snapshot.revision, firstRevision);
    this.compacted = snapshot.revision;
    this.historyStart = this.newest + 1;
  }

  get(key: Key, at?: Revision): Versioned | undefined {
    if (at) this.requireReadable(at);
    const entry = this.entries.get(key);
    return entry && versionAt(entry, at || this.newest);
  }

  list(prefix: Key, options: { at?: Revision; after?: Key; limit?: number } = {}): Page {
    if (options.at) this.requireReadable(options.at);
    const revision = options.at || this.newest;
    const limit = options.limit || Infinity;
    const items: Versioned[] = [];
    const range = this.rangeOf(prefix, options.after);
    const stopped = this.index.scan(range, (entry) => {
      const versioned = versionAt(entry, revision);
      if (!versioned) return true;
      if (items.length >= limit) return false;
      items.push(versioned);
      return true;
    });
    const rest = { from: stopped, to: range.to };
    return { items, revision, remaining: this.countAt(rest, { prefix, revision }) };
  }

  /** Up to `limit` items at a readable revision after the key, without counting the rest. */
  items(options: {
    readonly at: Revision;
    readonly after: Key | undefined;
    readonly limit: number;
  }): Versioned[] {
    const items: Versioned[] = [];
    this.index.scan(this.rangeOf("", options.after), (entry) => {
      const versioned = versionAt(entry, options.at);
      if (versioned) items.push(versioned);
      return items.length < options.limit;
    });
    return items;
  }

  /** Up to `limit` changes under the prefix after the revision. */
  changes(prefix: Key, { after, limit }: { readonly after: Revision; readonly limit: number }): PastChanges {
    if (after < this.compacted) throw compactedError(after + 1, this.compacted);
    const found: Change[] = [];
    let at = Math.max(after + 1 - this.historyStart, 0);
    for (; at < this.history.length && found.length < limit; at++) {
      const change = this.history[at]!;
      if (keyOf(change).startsWith(prefix)) found.push(change);
    }
    return { changes: found, through: Math.max(this.historyStart + at - 1, after) };
  }

  /** Forgets what ended at or before the revision; costs as much as there were changes to forget. */
  compact(through: Revision): void {
    this.requireCompactable(through);
    const count = through + 1 - this.historyStart;
    for (let at = 0; at < count; at++) this.forget(keyOf(this.history[at]!), through);
    if (count > 0) {
      this.history = this.history.slice(count);
      this.historyStart = through + 1;
    }
    this.compacted = through;
  }

  /** Throws as `compact` would. */
  requireCompactable(through: Revision): void {
    if (through <= this.compacted) throw compactedError(through, this.compacted);
    if (through > this.newest) throw futureError(through, this.newest);
  }

  private entryOf(key: Key): Entry {
    let entry = this.entries.get(key);
    if (!entry) {
      entry = { key, current: undefined, ended: undefined };
      this.entries.set(key, entry);
      this.index.insert(entry);
    }
    return entry;
  }

  private place(entry: Entry, next: Versioned | undefined): void {
    const before = entry.current;
    entry.current = next;
    if (before) this.bytes -= before.key.length + before.value.length;
    if (next) this.bytes += next.key.length + next.value.length;
    if (before && !next) this.index.adjustAlive(entry.key, -1);
    if (!before && next) this.index.adjustAlive(entry.key, 1);
  }

  private forget(key: Key, through: Revision): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    if (entry.ended && revisionOf(entry.ended[0]!) <= through) {
      const keep = entry.ended.slice(endedBy(entry.ended, through));
      entry.ended = keep.length > 0 ? keep : undefined;
    }
    if (entry.current || entry.ended) return;
    this.entries.delete(key);
    this.index.remove(key);
  }

  private rangeOf(prefix: Key, after: Key | undefined): { from: Position; to: Position } {
    const end = endOfPrefix(prefix);
    const to = end === undefined ? this.index.end : this.index.atOrAfter(end);
    const from =
      after !== undefined && after >= prefix ? this.index.after(after) : this.index.atOrAfter(prefix);
    const isEmpty = from.chunk > to.chunk || (from.chunk === to.chunk && from.offset > to.offset);
    return { from: isEmpty ? to : from, to };
  }

  /**
   * How many keys of the range lived at the revision: those alive now less what has come and gone since, or by
   * looking at each key where there are fewer keys than changes since.
   */
  private countAt(
    range: { from: Position; to: Position },
    options: { prefix: Key; revision: Revision },
  ): number {
    const { prefix, revision } = options;
    const first = this.index.at(range.from)?.key;
    if (first === undefined || this.index.countEntries(range) === 0) return 0;
    if (revision === this.newest) return this.index.countAlive(range);
    if (this.index.countEntries(range) <= this.newest - revision) {
      let count = 0;
      this.index.scan(range, (entry) => {
        if (versionAt(entry, revision)) count++;
        return true;
      });
      return count;
    }
    let count = this.index.countAlive(range);
    for (let at = revision + 1 - this.historyStart; at < this.history.length; at++) {
      const change = this.history[at]!;
      const key = keyOf(change);
      if (key < first || !key.startsWith(prefix)) continue;
      if (change.type === "delete") count++;
      else if (!change.previous) count--;
    }
    return count;
  }

  private requireReadable(at: Revision): void {
    if (at > this.newest) throw futureError(at, this.newest);
    if (at < this.compacted) throw compactedError(at, this.compacted);
  }
}

function versionAt(entry: Entry, at: Revision): Versioned | undefined {
  const { current, ended } = entry;
  if (current && current.modRevision <= at) return current;
  if (!ended) return undefined;
  const version = ended[endedBy(ended, at)]?.previous;
  return version && version.modRevision <= at ? version : undefined;
}

/** How many of the changes, in order, were made at or before the revision. */
function endedBy(ended: readonly Change[], through: Revision): number {
  let low = 0;
  let high = ended.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (revisionOf(ended[middle]!) <= through) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compactedError(asked: Revision, compacted: Revision): StoreError {
  return new StoreError(
    "compacted",
    `required revision ${asked} has been compacted (history starts after ${compacted})`,
  );
}

function futureError(asked: Revision, newest: Revision): StoreError {
  return new StoreError(
    "future",
    `required revision ${asked} is a future revision (the newest is ${newest})`,
  );
}
