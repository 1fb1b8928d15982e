import type { Clock, Milliseconds } from "../../base/index.ts";
import { keyOf, revisionOf, StoreError } from "../../store/index.ts";
import type { Change, Revision, Store } from "../../store/index.ts";
import { ResourceCache } from "./cache.ts";
import { Entry } from "./entry.ts";
import { registryRoot } from "./storage-path.ts";

/** Who waits for a revision. */
interface Waiter {
  readonly revision: Revision;
  readonly wake: () => void;
}

/**
 * The caches of all resources, fed from the store: by a subscription from stores of this process, which show each
 * write before it is acknowledged; else by a watch, which runs behind the store a little.
 */
export class CacheSet {
  private readonly caches = new Map<string, ResourceCache>();
  private readonly store: Store;
  private readonly stopped = new AbortController();
  private unsubscribe: (() => void) | undefined;
  private following: Promise<void> = Promise.resolve();
  private progress: Revision;
  private waiters: Waiter[] = [];
  private asking: Promise<Revision> | undefined;
  private askingNext: Promise<Revision> | undefined;
  /** Nobody waits for what will not come, and who must see the present is refused. */
  private isBroken = false;
  /** Called when a remote store's watch breaks for good: the caches are stale from then on. */
  private readonly onBroken: (error: unknown) => void;

  constructor(store: Store, options: { readonly onBroken: (error: unknown) => void }) {
    this.store = store;
    this.onBroken = options.onBroken;
    this.progress = store.revision;
    const dispatch = (changes: readonly Change[]) => this.dispatch(changes);
    if (store.subscribe) this.unsubscribe = store.subscribe(registryRoot, dispatch);
    else this.following = this.follow();
  }

  /** The revision that the caches have reached. */
  get revision(): Revision {
    return this.unsubscribe ? this.store.revision : this.progress;
  }

  /** Makes and fills the cache of a prefix; the same cache when it exists. */
  async open(prefix: string): Promise<ResourceCache> {
    const present = this.caches.get(prefix);
    if (present) return present;
    const cache = new ResourceCache(prefix);
    this.caches.set(prefix, cache);
    const page = await this.store.list(prefix);
    cache.load(
      page.items.map((item) => new Entry({ key: item.key, value: item.value, revision: item.modRevision })),
      page.revision,
    );
    // What is listed has the version that the caches have reached, which must not be older than what is in it.
    const behind = this.reached(page.revision);
    if (behind) await behind;
    return cache;
  }

  forget(prefix: string): void {
    this.caches.delete(prefix);
  }

  /** Settles when the caches have seen the revision; at once for in-process stores. */
  reached(revision: Revision): Promise<void> | undefined {
    if (this.unsubscribe || this.isBroken || this.progress >= revision) return undefined;
    return new Promise((wake) => this.waiters.push({ revision, wake }));
  }

  /** Whether the caches see a revision that is not there yet within the time. */
  reachedWithin(
    revision: Revision,
    { clock, time }: { readonly clock: Clock; readonly time: Milliseconds },
  ): Promise<boolean> {
    return new Promise((settle) => {
      const timer = clock.after(time, () => {
        this.waiters = this.waiters.filter((other) => other !== waiter);
        settle(false);
      });
      const wake = () => {
        timer.cancel();
        settle(true);
      };
      const waiter: Waiter = { revision, wake };
      this.waiters.push(waiter);
    });
  }

  /**
   * The store's newest revision at a time after the call, for those who must see all that was written before it;
   * undefined where the caches have always seen it. Those who come while the store is asked share the next question.
   */
  newest(): Promise<Revision> | undefined {
    if (this.unsubscribe || !this.store.currentRevision) return undefined;
    if (this.isBroken)
      return Promise.reject(new StoreError("unavailable", "the watch of the store has ended"));
    if (!this.asking) return this.ask();
    return (this.askingNext ??= this.asking.then(
      () => this.ask(),
      () => this.ask(),
    ));
  }

  async close(): Promise<void> {
    this.unsubscribe?.();
    this.stopped.abort();
    await this.following;
  }

  private ask(): Promise<Revision> {
    this.askingNext = undefined;
    const asking = Promise.resolve(this.store.currentRevision?.() ?? this.store.revision).finally(() => {
      if (this.asking === asking) this.asking = undefined;
    });
    return (this.asking = asking);
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopped;
    const onProgress = (revision: Revision) => this.reach(revision);
    while (!signal.aborted) {
      try {
        const after = this.progress;
        const options = { after, signal, onProgress, knowsPrevious: true };
        for await (const changes of this.store.watch(registryRoot, options)) {
          this.dispatch(changes);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (await this.recovers(error)) continue;
        this.onBroken(error);
        this.isBroken = true;
        return this.wake(Infinity);
      }
    }
  }

  /** Whether the caches can follow the store again: after a pause in which history was compacted, all is read anew. */
  private async recovers(error: unknown): Promise<boolean> {
    if (!(error instanceof StoreError) || error.type !== "compacted") return false;
    try {
      this.reach(await this.refill());
      return true;
    } catch (failure) {
      // A store that does not answer now is asked again: the watch will be told the same as before.
      return failure instanceof StoreError && failure.type === "unavailable";
    }
  }

  /** The revision up to which all caches are whole then. */
  private async refill(): Promise<Revision> {
    let through = Infinity;
    for (const [prefix, cache] of Array.from(this.caches)) {
      const page = await this.store.list(prefix);
      cache.replace(page.items, page.revision);
      through = Math.min(through, page.revision);
    }
    return through < Infinity ? through : this.store.revision;
  }

  private dispatch(changes: readonly Change[]): void {
    for (const change of changes) this.cacheOf(keyOf(change))?.apply(change);
    const last = changes.at(-1);
    if (last) this.reach(revisionOf(last));
  }

  private reach(reached: Revision): void {
    this.progress = Math.max(this.progress, reached);
    if (this.waiters.length > 0) this.wake(this.revision);
  }

  private wake(revision: Revision): void {
    const due = this.waiters.filter((waiter) => waiter.revision <= revision);
    this.waiters = this.waiters.filter((waiter) => waiter.revision > revision);
    for (const waiter of due) waiter.wake();
  }

  /** Prefixes have one or two segments below the root; the longer one wins. */
  private cacheOf(key: string): ResourceCache | undefined {
    const first = key.indexOf("/", registryRoot.length);
    if (first < 0) return undefined;
    const second = key.indexOf("/", first + 1);
    const longer = second < 0 ? undefined : this.caches.get(key.slice(0, second + 1));
    return longer ?? this.caches.get(key.slice(0, first + 1));
  }
}
