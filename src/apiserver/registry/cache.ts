import { invariant } from "../../base/index.ts";
import { keyOf, revisionOf } from "../../store/index.ts";
import type { Change, Revision, Versioned } from "../../store/index.ts";
import { encodeObject, Entry } from "./entry.ts";
import type { AnyObject } from "./entry.ts";
import { FieldIndexes } from "./field-index.ts";
import type { Trigger } from "./field-index.ts";
import { OrderedMap } from "./ordered-map.ts";

/** How many changes of a resource a watch may lag behind and still resume. */
export const historyCapacity = 8_192;

/** One change as watchers see it. */
export interface CacheChange {
  readonly revision: Revision;
  /** The new state; undefined when deleted. */
  readonly current: Entry | undefined;
  readonly previous: Entry | undefined;
  /** The previous state at this change's revision: what those see who lose sight of the object. Made on first use. */
  departed(): Entry;
}

type Listener = (change: CacheChange) => void;

interface TriggerIndex {
  readonly valueOf: (entry: Entry) => string;
  readonly byValue: Map<string, Set<Listener>>;
}

class RecordedChange implements CacheChange {
  readonly revision: Revision;
  readonly current: Entry | undefined;
  readonly previous: Entry | undefined;
  private left: Entry | undefined;
  constructor(revision: Revision, states: { current: Entry | undefined; previous: Entry | undefined }) {
    this.revision = revision;
    this.current = states.current;
    this.previous = states.previous;
  }
  departed(): Entry {
    invariant(this.previous !== undefined, "only what was there can leave");
    return (this.left ??= this.previous.at(this.revision));
  }
}

/** A change as the store's history has it. */
export function pastChange(change: Change): CacheChange {
  const entryOf = ({ key, value, modRevision: revision }: Versioned) => new Entry({ key, value, revision });
  return new RecordedChange(revisionOf(change), {
    current: change.type === "put" ? entryOf(change.current) : undefined,
    previous: change.previous && entryOf(change.previous),
  });
}

/** All objects below one prefix of the store, in order, with their recent history. */
export class ResourceCache {
  readonly prefix: string;
  private readonly entries = new OrderedMap<Entry>();
  private readonly indexes = new FieldIndexes();
  /** How many changes it has heard of. */
  received = 0;
  /** How many objects its first fill had, and how often it was filled. */
  initial = 0;
  fills = 0;
  /** How many watches were ended because they took nothing. */
  cutOff = 0;
  private readonly history: CacheChange[] = [];
  private historyStart = 0;
  /** Changes after this revision are all in the history. */
  private floor: Revision = 0;
  /** What happens while the first fill is on its way; undefined when the cache is filled. */
  private early: Change[] | undefined = [];
  /** The revision of the first fill: older changes are in it. */
  private filled: Revision = 0;
  private readonly listeners = new Set<Listener>();
  /** Listeners that only care for one value of one field, by field and value: others' changes cost them nothing. */
  private readonly triggered = new Map<string, TriggerIndex>();

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  range(prefix: string, after?: string): Generator<Entry> {
    return this.entries.range(prefix, after);
  }

  /** The first entries that `range` walks, at most `limit`. */
  first(limit: number, prefix: string, after?: string): Entry[] {
    return this.entries.first(limit, prefix, after);
  }

  /** The entries that `range` walks and that have a value, where there is an index of such; else undefined. */
  having(
    trigger: Trigger,
    { prefix, after = "" }: { readonly prefix: string; readonly after?: string | undefined },
  ): readonly Entry[] | undefined {
    const all = { size: this.size, entries: () => this.entries.range(this.prefix) };
    const found = this.indexes.find(trigger, all);
    return found?.filter(({ key }) => key > after && key.startsWith(prefix));
  }

  /** How many entries `range` walks. */
  count(prefix: string, after?: string): number {
    return this.entries.count(prefix, after);
  }

  /** The oldest revision from which a watch can resume. */
  get oldestResumable(): Revision {
    return this.floor;
  }

  /** Changes after `revision`, or undefined when they are no longer all known. */
  changesAfter(revision: Revision): readonly CacheChange[] | undefined {
    if (revision < this.floor) return undefined;
    let low = this.historyStart;
    let high = this.history.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.history[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.history.slice(low);
  }

  /** Calls `listener` after each change, or those that touch its trigger; returns what ends it. */
  listen(listener: Listener, trigger?: Trigger): () => void {
    if (!trigger) {
      this.listeners.add(listener);
      return () => void this.listeners.delete(listener);
    }
    const index: TriggerIndex = this.triggered.get(trigger.field) ?? {
      valueOf: trigger.valueOf,
      byValue: new Map(),
    };
    this.triggered.set(trigger.field, index);
    const same = index.byValue.get(trigger.value) ?? new Set<Listener>();
    index.byValue.set(trigger.value, same);
    same.add(listener);
    return () => {
      same.delete(listener);
      if (same.size > 0 || index.byValue.get(trigger.value) !== same) return;
      index.byValue.delete(trigger.value);
      if (index.byValue.size === 0) this.triggered.delete(trigger.field);
    };
  }

  /** Takes over a state without telling anyone: the first fill. */
  load(entries: Iterable<Entry>, revision: Revision): void {
    for (const entry of entries) this.entries.set(entry.key, entry);
    this.filled = revision;
    this.initial = this.size;
    this.fills += 1;
    this.floor = Math.max(this.floor, revision);
    const { early = [] } = this;
    this.early = undefined;
    for (const change of early) this.apply(change);
  }

  apply(change: Change): void {
    if (this.early) return void this.early.push(change);
    const key = keyOf(change);
    const revision = revisionOf(change);
    if (revision <= this.filled) return;
    const previous = this.entries.get(key);
    // A transaction may delete what it has put: its deletion is as new as the put.
    if (previous && previous.revision >= revision + (change.type === "put" ? 0 : 1)) return;
    if (change.type === "put") {
      const current = new Entry({ key, value: change.current.value, revision });
      this.entries.set(key, current);
      this.indexes.replace(previous, current);
      this.record(new RecordedChange(revision, { current, previous }));
    } else this.remove(key, revision);
  }

  private remove(key: string, revision: Revision): void {
    const previous = this.entries.get(key);
    if (!previous) return;
    this.entries.delete(key);
    this.indexes.replace(previous, undefined);
    this.record(new RecordedChange(revision, { current: undefined, previous }));
  }

  /** Takes over a later state, with what lies between as changes: each key's last put, and what is gone as deleted now. */
  replace(items: readonly Versioned[], revision: Revision): void {
    this.fills += 1;
    const present = new Set(items.map(({ key }) => key));
    const puts = items.filter(({ modRevision }) => modRevision > this.filled);
    for (const current of puts.toSorted((one, other) => one.modRevision - other.modRevision)) {
      this.apply({ type: "put", current, previous: undefined });
    }
    for (const { key } of Array.from(this.entries.range(this.prefix))) {
      if (!present.has(key)) this.remove(key, revision);
    }
    this.filled = revision;
  }

  private record(change: CacheChange): void {
    this.history.push(change);
    this.received += 1;
    if (this.history.length - this.historyStart > historyCapacity) {
      this.floor = this.history[this.historyStart]!.revision;
      this.historyStart += 1;
      if (this.historyStart >= historyCapacity) {
        this.history.splice(0, this.historyStart);
        this.historyStart = 0;
      }
    }
    tell(this.listeners, change);
    for (const { valueOf, byValue } of this.triggered.values()) {
      const now = change.current && valueOf(change.current);
      const before = change.previous && valueOf(change.previous);
      if (now !== undefined) tell(byValue.get(now), change);
      if (before !== undefined && before !== now) tell(byValue.get(before), change);
    }
  }
}

/** Tells those who listen now; who joins meanwhile has seen the change already. */
function tell(listeners: ReadonlySet<Listener> | undefined, change: CacheChange): void {
  if (!listeners) return;
  for (const listener of Array.from(listeners)) listener(change);
}

/** The cache of a resource that nobody stores: its objects are made when they are asked for. */
export class ComputedCache extends ResourceCache {
  private readonly compute: () => readonly AnyObject[];

  constructor(prefix: string, compute: () => readonly AnyObject[]) {
    super(prefix);
    this.compute = compute;
    this.load([], 0);
  }

  override get(key: string): Entry | undefined {
    for (const entry of this.range(this.prefix)) if (entry.key === key) return entry;
    return undefined;
  }

  override first(limit: number, prefix: string, after?: string): Entry[] {
    return Array.from(this.range(prefix, after)).slice(0, limit);
  }

  override count(prefix: string, after?: string): number {
    return Array.from(this.range(prefix, after)).length;
  }

  override *range(prefix: string, after = ""): Generator<Entry> {
    for (const object of this.compute()) {
      const key = this.prefix + object.metadata.name;
      if (!key.startsWith(prefix) || key <= after) continue;
      yield new Entry({ key, value: encodeObject(object), revision: 0 });
    }
  }
}
