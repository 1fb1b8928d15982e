import type { Keyspace } from "./keyspace.ts";
import { type Change, type Key, keyOf, type Revision, revisionOf, StoreError } from "./store.ts";

/** How many changes a watcher gets at once. */
const batchLimit = 1_000;

type Listener = (changes: readonly Change[]) => void;

interface Watcher {
  /** The first revision that may concern the watcher and was not given to it; undefined when it has seen all. */
  pendingFrom: Revision | undefined;
  /** Revisions before it are not for this watcher. */
  readonly earliest: Revision;
  wake: () => void;
}

interface Group {
  readonly listeners: Set<Listener>;
  readonly watchers: Set<Watcher>;
}

/**
 * Tells listeners and watchers of changes. Watchers have no queue: each remembers where it stands and reads the
 * history from there, so a slow one costs nothing until compaction passes it and it is told so.
 */
export class WatchHub {
  private readonly keyspace: Keyspace;
  private readonly groups = new Map<Key, Group>();
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
      for (const [prefix, group] of this.groups) publishTo(group, matching(batch, prefix));
    }
    this.isPublishing = false;
  }

  subscribe(prefix: Key, listener: Listener): () => void {
    const group = this.groupOf(prefix);
    // The same function may subscribe twice: each subscription is one of its own.
    const subscription: Listener = (changes) => listener(changes);
    group.listeners.add(subscription);
    return () => {
      group.listeners.delete(subscription);
      this.dropIfEmpty(prefix, group);
    };
  }

  async *watch(
    prefix: Key,
    options: { readonly after: Revision; readonly signal: AbortSignal },
  ): AsyncGenerator<readonly Change[], void> {
    const { after, signal } = options;
    const group = this.groupOf(prefix);
    const watcher: Watcher = { pendingFrom: after + 1, earliest: after + 1, wake() {} };
    const leave = () => {
      group.watchers.delete(watcher);
      this.dropIfEmpty(prefix, group);
      watcher.wake();
    };
    if (signal.aborted) return this.dropIfEmpty(prefix, group);
    group.watchers.add(watcher);
    signal.addEventListener("abort", leave, { once: true });
    try {
      for (;;) {
        if (signal.aborted) return;
        if (this.isClosed) throw closedError();
        const changes = this.take(watcher, prefix);
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

  private take(watcher: Watcher, prefix: Key): readonly Change[] {
    const from = watcher.pendingFrom;
    if (from === undefined) return [];
    const { changes, through } = this.keyspace.changes(prefix, { after: from - 1, limit: batchLimit });
    watcher.pendingFrom = through < this.keyspace.revision ? through + 1 : undefined;
    return changes;
  }

  private groupOf(prefix: Key): Group {
    let group = this.groups.get(prefix);
    if (!group) this.groups.set(prefix, (group = { listeners: new Set(), watchers: new Set() }));
    return group;
  }

  private dropIfEmpty(prefix: Key, group: Group): void {
    if (group.listeners.size + group.watchers.size > 0 || this.groups.get(prefix) !== group) return;
    this.groups.delete(prefix);
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

function matching(changes: readonly Change[], prefix: Key): readonly Change[] {
  if (changes.length === 1) return keyOf(changes[0]!).startsWith(prefix) ? changes : [];
  const found = changes.filter((change) => keyOf(change).startsWith(prefix));
  return found.length === changes.length ? changes : found;
}

/** What every call on a closed store is refused with. */
export function closedError(): StoreError {
  return new StoreError("closed", "the store is closed");
}
