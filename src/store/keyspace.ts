import { invariant } from "../base/index.ts";
import { ForkedMap } from "./forked-map.ts";
import { isWithin, keyAfter, rangeOfPrefix } from "./key-range.ts";
import type { KeyRange, RangeOptions } from "./mvcc.ts";
import { OrderedIndex, type Position } from "./ordered-index.ts";
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
 * Keys, values and their history, synchronous and without time or disk: what every in-process store is made of.
 * History is the list of changes since the compaction; the versions of a key share its change objects.
 */
export class Keyspace {
  private newest: Revision = firstRevision;
  private compacted: Revision = 0;
  private bytes = 0;
  private endedBytes = 0;
  private readonly entries: ForkedMap<Key, Entry>;
  private readonly index: OrderedIndex<Entry>;
  /** `history[i]` made the revision `historyStart + i`: one change, or several in order. */
  private history: (Change | Change[])[] = [];
  private historyStart: Revision = firstRevision + 1;

  constructor(
    parts: { readonly entries: ForkedMap<Key, Entry>; readonly index: OrderedIndex<Entry> } = empty(),
  ) {
    this.entries = parts.entries;
    this.index = parts.index;
  }

  /** A keyspace of its own with the same content, made in the time that it takes to copy the list of changes. */
  fork(): Keyspace {
    const fork = new Keyspace({ entries: this.entries.fork(), index: this.index.fork() });
    fork.newest = this.newest;
    fork.compacted = this.compacted;
    fork.bytes = this.bytes;
    fork.endedBytes = this.endedBytes;
    fork.history = this.history.slice();
    fork.historyStart = this.historyStart;
    return fork;
  }

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

  /** The length of all keys and values that can be read, past ones too. */
  get readableBytes(): number {
    return this.bytes + this.endedBytes;
  }

  /** How many keys there are now. */
  get keyCount(): number {
    return this.index.countAlive(this.placeOf({ start: "", end: undefined }));
  }

  /** What the key holds now. */
  current(key: Key): Versioned | undefined {
    return this.entries.get(key)?.current;
  }

  /** Makes a planned change; its revision must be the next one, or the newest once more. */
  apply(change: Change): void {
    const revision = revisionOf(change);
    const entry = this.entryOf(keyOf(change));
    invariant(entry.current === change.previous, "a change was planned on another state");
    if (change.previous) (entry.ended ??= []).push(change);
    this.place(entry, change.type === "put" ? change.current : undefined);
    if (revision === this.newest + 1) this.history.push(change);
    else this.extendNewest(change);
    this.newest = revision;
  }

  /** Ranges cannot be read until `endReplay`; what is done in between costs less. */
  beginReplay(): void {
    this.index.hold();
  }

  endReplay(): void {
    this.index.fill(this.entries.unforkedValues());
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
    const { after, ...rest } = options;
    const range = rangeOfPrefix(prefix);
    const from = after !== undefined && after >= prefix ? keyAfter(after) : prefix;
    const { items, count, revision } = this.range({ start: from, end: range.end }, rest);
    return { items, revision, remaining: count - items.length };
  }

  /** The range's keys at a revision up to the limit, and how many it has. */
  range(
    range: KeyRange,
    options: RangeOptions = {},
  ): { readonly items: Versioned[]; readonly count: number; readonly revision: Revision } {
    if (options.at) this.requireReadable(options.at);
    const revision = options.at || this.newest;
    const limit = options.countOnly ? 0 : options.limit || Infinity;
    const { from, to } = this.placeOf(range);
    const items: Versioned[] = [];
    const stopped = this.index.scan({ from, to }, (entry) => {
      const versioned = versionAt(entry, revision);
      if (!versioned) return true;
      if (items.length >= limit) return false;
      items.push(versioned);
      return true;
    });
    const rest = this.countAt({ from: stopped, to }, { range, revision });
    return { items, count: items.length + rest, revision };
  }

  /** Visits everything that can be read, past versions too. */
  visit(visit: (versioned: Versioned) => void): void {
    this.index.scan(this.placeOf({ start: "", end: undefined }), ({ current, ended }) => {
      if (current) visit(current);
      if (ended) for (const { previous } of ended) if (previous) visit(previous);
      return true;
    });
  }

  /** Up to `limit` items of all at a readable revision after the key, without counting the rest. */
  items(options: {
    readonly at: Revision;
    readonly after: Key | undefined;
    readonly limit: number;
  }): Versioned[] {
    const { at, after, limit } = options;
    const items: Versioned[] = [];
    const start = after === undefined ? "" : keyAfter(after);
    this.index.scan(this.placeOf({ start, end: undefined }), (entry) => {
      const versioned = versionAt(entry, at);
      if (versioned) items.push(versioned);
      return items.length < limit;
    });
    return items;
  }

  /** Changes in the range after the revision, up to `limit` and to the end of a revision. */
  changes(
    range: KeyRange,
    { after, limit }: { readonly after: Revision; readonly limit: number },
  ): PastChanges {
    if (after < this.compacted) throw compactedError(after + 1, this.compacted);
    const found: Change[] = [];
    let at = Math.max(after + 1 - this.historyStart, 0);
    for (; at < this.history.length && found.length < limit; at++) {
      for (const change of changesOf(this.history[at]!)) {
        if (isWithin(keyOf(change), range)) found.push(change);
      }
    }
    return { changes: found, through: Math.max(this.historyStart + at - 1, after) };
  }

  /** Forgets what ended at or before the revision; costs as much as there were changes to forget. */
  compact(through: Revision): void {
    this.requireCompactable(through);
    const count = through + 1 - this.historyStart;
    for (let at = 0; at < count; at++) {
      for (const change of changesOf(this.history[at]!)) this.forget(keyOf(change), through);
    }
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

  /** The entry of the key, made if there is none, that only this keyspace has. */
  private entryOf(key: Key): Entry {
    const own = this.entries.own(key);
    if (own) return own;
    const shared = this.entries.inherited(key);
    const entry: Entry = { key, current: shared?.current, ended: shared?.ended?.slice() };
    this.entries.set(key, entry);
    if (shared) this.index.replace(entry);
    else this.index.insert(entry);
    return entry;
  }

  private place(entry: Entry, next: Versioned | undefined): void {
    const before = entry.current;
    entry.current = next;
    if (before) {
      const length = lengthOf(before);
      this.bytes -= length;
      this.endedBytes += length;
    }
    if (next) this.bytes += lengthOf(next);
    if (before && !next) this.index.adjustAlive(entry.key, -1);
    if (!before && next) this.index.adjustAlive(entry.key, 1);
  }

  private forget(key: Key, through: Revision): void {
    if (!this.entries.get(key)) return;
    const entry = this.entryOf(key);
    if (entry.ended && revisionOf(entry.ended[0]!) <= through) {
      const count = endedBy(entry.ended, through);
      for (let at = 0; at < count; at++) this.endedBytes -= lengthOf(entry.ended[at]!.previous!);
      const keep = entry.ended.slice(count);
      entry.ended = keep.length > 0 ? keep : undefined;
    }
    if (entry.current || entry.ended) return;
    this.entries.delete(key);
    this.index.remove(key);
  }

  private extendNewest(change: Change): void {
    const revision = revisionOf(change);
    const last = this.history.at(-1);
    invariant(last && revision === this.newest, `change of revision ${revision} after ${this.newest}`);
    if (Array.isArray(last)) last.push(change);
    else this.history[this.history.length - 1] = [last, change];
  }

  private placeOf({ start, end }: KeyRange): { from: Position; to: Position } {
    const to = end === undefined ? this.index.end : this.index.atOrAfter(end);
    const from = this.index.atOrAfter(start);
    const isEmpty = from.chunk > to.chunk || (from.chunk === to.chunk && from.offset > to.offset);
    return { from: isEmpty ? to : from, to };
  }

  /**
   * How many keys of the range lived at the revision: those alive now less what has come and gone since, or by
   * looking at each key where there are fewer keys than changes since.
   */
  private countAt(
    place: { from: Position; to: Position },
    options: { range: KeyRange; revision: Revision },
  ): number {
    const { range, revision } = options;
    const start = this.index.at(place.from)?.key;
    if (start === undefined || this.index.countEntries(place) === 0) return 0;
    if (revision === this.newest) return this.index.countAlive(place);
    if (this.index.countEntries(place) <= this.newest - revision) {
      let count = 0;
      this.index.scan(place, (entry) => {
        if (versionAt(entry, revision)) count++;
        return true;
      });
      return count;
    }
    let count = this.index.countAlive(place);
    const rest = { start, end: range.end };
    for (let at = revision + 1 - this.historyStart; at < this.history.length; at++) {
      for (const change of changesOf(this.history[at]!)) {
        if (!isWithin(keyOf(change), rest)) continue;
        if (change.type === "delete") count++;
        else if (!change.previous) count--;
      }
    }
    return count;
  }

  private requireReadable(at: Revision): void {
    if (at > this.newest) throw futureError(at, this.newest);
    if (at < this.compacted) throw compactedError(at, this.compacted);
  }
}

function empty() {
  const isAlive = (entry: Entry) => entry.current !== undefined;
  return { entries: new ForkedMap<Key, Entry>(), index: new OrderedIndex<Entry>(isAlive) };
}

const changesOf = (past: Change | Change[]): readonly Change[] => (Array.isArray(past) ? past : [past]);

function versionAt(entry: Entry, at: Revision): Versioned | undefined {
  const { current, ended } = entry;
  if (current && current.modRevision <= at) return current;
  if (!ended) return undefined;
  const version = ended[endedBy(ended, at)]?.previous;
  return version && version.modRevision <= at ? version : undefined;
}

function lengthOf({ key, value }: Versioned): number {
  return key.length + value.length;
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
