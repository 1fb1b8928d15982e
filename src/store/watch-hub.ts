import type { Keyspace } from "./keyspace.ts";
import { isWithin } from "./key-range.ts";
import type { KeyRange } from "./mvcc.ts";
import { type Change, keyOf, type Revision, revisionOf, StoreError } from "./store.ts";

/** How many changes a watcher gets at once, and then those that share the last one's revision. */
const batchLimit = 1_000;

type Listener = (changes: readonly Change[]) => void;

interface Watcher {
  /** The first revision that may concern the watcher and was not given to it; undefined when it has seen all. */
  pendingFrom: Revision | undefined;
  /** Revisions before it are not for this watcher. */
  readonly earliest: Revision;
  wake: () => void;
}

/** Those who ask for the same keys. */
interface Group {
  readonly name: string;
  readonly range: KeyRange;
  readonly listeners: Set<Listener>;
  readonly watchers: Set<Watcher>;
}

/**
 * Tells listeners and watchers of changes. Watchers have no queue: each remembers where it stands and reads the
 * history from there, so a slow one costs nothing until compaction passes it and it is told so.
 */
export class WatchHub {
  private readonly keyspace: Keyspace;
  private readonly groups = new Map<string, Group>();
  private waiting: (readonly Change[])[] = [];
  private isPublishing = false;
  private isClosed = false;

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
  }

  /** Calls listeners and wakes watchers; changes that a listener causes follow when all have heard of these. */
  publish(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    this.waiting.push(changes);
    if (this.isPublishing) return;
    this.isPublishing = true;
    for (let batch = this.waiting.shift(); batch; batch = this.waiting.shift()) {
      for (const group of this.groups.values()) publishTo(group, matching(batch, group.range));
    }
    this.isPublishing = false;
  }

  subscribe(range: KeyRange, listener: Listener): () => void {
    const group = this.groupOf(range);
    // The same function may subscribe twice: each subscription is one of its own.
    const subscription: Listener = (changes) => listener(changes);
    group.listeners.add(subscription);
    return () => {
      group.listeners.delete(subscription);
      this.dropIfEmpty(group);
    };
  }

  async *watch(
    range: KeyRange,
    options: { readonly after: Revision; readonly signal: AbortSignal },
  ): AsyncGenerator<readonly Change[], void> {
    const { after, signal } = options;
    const group = this.groupOf(range);
    const watcher: Watcher = { pendingFrom: after + 1, earliest: after + 1, wake() {} };
    const leave = () => {
      group.watchers.delete(watcher);
      this.dropIfEmpty(group);
      watcher.wake();
    };
    if (signal.aborted) return this.dropIfEmpty(group);
    group.watchers.add(watcher);
    signal.addEventListener("abort", leave, { once: true });
    try {
      for (;;) {
        if (signal.aborted) return;
        if (this.isClosed) throw closedError();
        const changes = this.take(watcher, range);
        if (changes.length > 0) yield changes;
        else await new Promise<void>((resolve) => (watcher.wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", leave);
      leave();
    }
  }

  /** Ends every watch with `closed`. */
  close(): void {
    this.isClosed = true;
    for (const { watchers } of this.groups.values()) for (const watcher of watchers) watcher.wake();
  }

  private take(watcher: Watcher, range: KeyRange): readonly Change[] {
    const from = watcher.pendingFrom;
    if (from === undefined) return [];
    const { changes, through } = this.keyspace.changes(range, { after: from - 1, limit: batchLimit });
    watcher.pendingFrom = through < this.keyspace.revision ? through + 1 : undefined;
    return changes;
  }

  private groupOf(range: KeyRange): Group {
    const name = `${range.start.length} ${range.start}${range.end === undefined ? "" : ` ${range.end}`}`;
    let group = this.groups.get(name);
    if (!group) {
      this.groups.set(name, (group = { name, range, listeners: new Set(), watchers: new Set() }));
    }
    return group;
  }

  private dropIfEmpty(group: Group): void {
    if (group.listeners.size + group.watchers.size > 0 || this.groups.get(group.name) !== group) return;
    this.groups.delete(group.name);
  }
}

function publishTo(group: Group, changes: readonly Change[]): void {
  if (changes.length === 0) return;
  const newest = revisionOf(changes.at(-1)!);
  for (const watcher of group.watchers) {
    if (newest < watcher.earliest) continue;
    watcher.pendingFrom ??= Math.max(revisionOf(changes[0]!), watcher.earliest);
    watcher.wake();
  }
  for (const listener of group.listeners) {
    try {
      listener(changes);
    } catch (error) {
      // A listener that throws is a bug of its owner; the store stays whole and the process hears of it.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function matching(changes: readonly Change[], range: KeyRange): readonly Change[] {
  if (changes.length === 1) return isWithin(keyOf(changes[0]!), range) ? changes : [];
  const found = changes.filter((change) => isWithin(keyOf(change), range));
  return found.length === changes.length ? changes : found;
}

/** What every call on a closed store is refused with. */
export function closedError(): StoreError {
  return new StoreError("closed", "the store is closed");
}
