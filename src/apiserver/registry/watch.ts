import { ApiError } from "../../apimachinery/index.ts";
import type { Clock, Milliseconds, Timer } from "../../base/index.ts";
import { StoreError } from "../../store/index.ts";
import { historyCapacity, pastChange } from "./cache.ts";
import type { CacheChange } from "./cache.ts";
import { fromStoreError } from "./context.ts";
import type { Core } from "./context.ts";
import type { Entry } from "./entry.ts";
import { checkWatchOptions } from "./list-options.ts";
import type { WatchRequest } from "./list-options.ts";
import { selectEntries } from "./read.ts";
import { parseSelection, selectorOf } from "./selection.ts";
import type { EntrySelector } from "./selection.ts";
import type { ServedResource } from "./served.ts";
import { parseVersion, untilVersion } from "./versions.ts";

/** How many events may wait for one watcher before its watch is ended; it then resumes from where it was. */
export const watchBufferCapacity = 16_384;
/** How often a watch that asked for bookmarks hears of progress. */
export const bookmarkInterval: Milliseconds = 60_000;
/** How long before a watch ends it gets its last bookmark. */
export const bookmarkLead: Milliseconds = 2_000;
const initialEventsEnd = "k8s.io/initial-events-end";

/** One event, its object not yet encoded. */
export type EntryEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly entry: Entry }
  | { readonly type: "BOOKMARK"; readonly revision: number; readonly initialEventsEnd: boolean };

/** The annotations of a bookmark. */
export function bookmarkAnnotations(event: { readonly initialEventsEnd: boolean }): Record<string, string> {
  return event.initialEventsEnd ? { [initialEventsEnd]: "true" } : {};
}

/** A watch in progress: give it a `wake` to be told when there is something to take. */
export interface EntryWatch {
  /** All events that wait now, in order; empty when there are none. */
  take(): readonly EntryEvent[];
  /** No event will follow those that wait. */
  readonly ended: boolean;
  /** Called whenever events wait or the watch has ended. */
  onReady: () => void;
  close(): void;
}

/** Starts a watch; throws ApiError when it cannot start where it was asked to. */
export async function watch(core: Core, served: ServedResource, options: WatchRequest): Promise<EntryWatch> {
  const { resourceVersion = "", sendInitialEvents, allowBookmarks = false } = options;
  const selection = parseSelection(options);
  checkWatchOptions(options);
  const selector = selectorOf(served, selection);
  const asked = parseVersion(resourceVersion);
  const wantsInitial = sendInitialEvents ?? asked === 0;
  const behind = wantsInitial || asked === 0 ? untilVersion(core, served, resourceVersion) : undefined;
  if (behind) await behind;
  const { cache } = served.storage;
  const isOld = !wantsInitial && asked > 0 && asked < cache.oldestResumable;
  const past = isOld ? await pastChanges(core, served, asked) : { changes: [], through: asked };
  // From here on nothing waits, so that no change comes between what was and what is to come.
  const initial: EntryEvent[] = [];
  if (wantsInitial) {
    for (const entry of selectEntries(served, selector)) initial.push({ type: "ADDED", entry });
    if (sendInitialEvents && allowBookmarks) {
      initial.push({ type: "BOOKMARK", revision: core.caches.revision, initialEventsEnd: true });
    }
  } else if (asked > 0) {
    const recent = cache.changesAfter(past.through);
    if (!recent) throw tooOld(asked, cache.oldestResumable);
    for (const changes of [past.changes, recent]) pushEvents(initial, changes, selector);
  }
  const { deadline } = options;
  return new CacheWatch(core, served, {
    initial,
    selector,
    after: wantsInitial ? 0 : past.through,
    bookmarks: allowBookmarks ? { deadline } : undefined,
  });
}

function pushEvents(events: EntryEvent[], changes: readonly CacheChange[], selector: EntrySelector): void {
  for (const change of changes) {
    const event = eventOf(change, selector);
    if (event) events.push(event);
  }
}

const tooOld = (asked: number, oldest: number) =>
  ApiError.expired(`too old resource version: ${asked} (${oldest})`);

/** Changes from before the cache was filled, as far as the store still knows them. */
async function pastChanges(
  { store }: Core,
  served: ServedResource,
  asked: number,
): Promise<{ readonly changes: readonly CacheChange[]; readonly through: number }> {
  try {
    const past = await store.changes(served.storage.prefix, { after: asked, limit: historyCapacity });
    return { changes: past.changes.map(pastChange), through: past.through };
  } catch (error) {
    const isGone = error instanceof StoreError && error.type === "compacted";
    throw isGone ? tooOld(asked, store.compactedRevision) : fromStoreError(error, { served, name: "" });
  }
}

/** What a change is to those who see only what the selector matches; undefined when nothing. */
export function eventOf(change: CacheChange, selector: EntrySelector): EntryEvent | undefined {
  const { current, previous } = change;
  const sees = current !== undefined && selector.matches(current);
  const saw = previous !== undefined && selector.matches(previous);
  if (sees) return { type: saw ? "MODIFIED" : "ADDED", entry: current };
  return saw ? { type: "DELETED", entry: change.departed() } : undefined;
}

class CacheWatch implements EntryWatch {
  onReady: () => void = () => {};
  ended = false;
  private waiting: EntryEvent[];
  private readonly core: Core;
  private readonly stop: () => void;
  private readonly unsubscribe: (() => void) | undefined;
  private bookmark: Timer | undefined;
  private readonly deadline: number;

  constructor(
    core: Core,
    served: ServedResource,
    options: {
      readonly initial: EntryEvent[];
      readonly selector: EntrySelector;
      /** Changes up to this revision are not for the watcher, or are among those that wait. */
      readonly after: number;
      readonly bookmarks: { readonly deadline: number | undefined } | undefined;
    },
  ) {
    this.core = core;
    this.waiting = options.initial;
    const { selector, after, bookmarks } = options;
    this.stop = served.storage.cache.listen((change) => {
      if (change.revision <= after) return;
      const event = eventOf(change, selector);
      if (event) this.push(event);
    }, selector.trigger);
    // A custom resource may go, and nothing would ever be heard of it again.
    this.unsubscribe = served.custom
      ? core.served.follow(served.resource, () => this.checkServed(served))
      : undefined;
    this.deadline = bookmarks?.deadline ?? Infinity;
    if (bookmarks) this.scheduleBookmark(core.clock);
  }

  take(): readonly EntryEvent[] {
    const events = this.waiting;
    if (events.length > 0) this.waiting = [];
    return events;
  }

  close(): void {
    this.stop();
    this.unsubscribe?.();
    this.bookmark?.cancel();
    if (this.ended) return;
    this.ended = true;
    this.onReady();
  }

  private checkServed({ resource, storage }: ServedResource): void {
    if (this.core.served.of(resource)?.storage.cache !== storage.cache) this.close();
  }

  private push(event: EntryEvent): void {
    if (this.ended) return;
    this.waiting.push(event);
    if (this.waiting.length > watchBufferCapacity) return this.close();
    if (this.waiting.length === 1) this.onReady();
  }

  /** At every interval and once shortly before the end, so that whoever comes again need not go far back. */
  private scheduleBookmark(clock: Clock): void {
    const untilEnd = this.deadline - bookmarkLead - clock.now();
    const delay = untilEnd > 0 ? Math.min(untilEnd, bookmarkInterval) : bookmarkInterval;
    this.bookmark = clock.after(delay, () => {
      this.push({ type: "BOOKMARK", revision: this.core.caches.revision, initialEventsEnd: false });
      if (!this.ended) this.scheduleBookmark(clock);
    });
  }
}
