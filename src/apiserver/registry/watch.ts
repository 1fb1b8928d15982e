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
import { ConvertedWatch } from "./converted-watch.ts";
import { candidatesOf, selectEntries } from "./read.ts";
import { untilShown } from "./remote-conversion.ts";
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
  const { deadline } = options;
  const bookmarks = allowBookmarks ? { deadline } : undefined;
  const isOld = !wantsInitial && asked > 0 && asked < cache.oldestResumable;
  const past = isOld ? await pastChanges(core, served, asked) : { changes: [], through: asked };
  // From here on nothing waits, so that no change comes between what was and what is to come.
  const states = wantsInitial ? statesOf(served, selector) : [];
  const marksEnd = wantsInitial && sendInitialEvents === true && allowBookmarks;
  const end: readonly Bookmark[] = marksEnd
    ? [{ type: "BOOKMARK", revision: core.caches.revision, initialEventsEnd: true }]
    : [];
  const changes = wantsInitial || asked === 0 ? [] : changesSince(served, { asked, past });
  const after = wantsInitial ? 0 : past.through;
  if (served.remote) {
    const initial: readonly Unmatched[] = [...states, ...changes.map(unmatched), ...end];
    const source = new CacheWatch<Unmatched>(core, served, { initial, read: unmatched, after, bookmarks });
    return startConverted(core, served, { source, selector });
  }
  const read = (change: CacheChange) => eventOf(change, selector);
  const initial = [...states, ...changes.flatMap((change) => read(change) ?? []), ...end];
  const { trigger } = selector;
  return new CacheWatch<EntryEvent>(core, served, { initial, read, after, bookmarks, trigger });
}

type Bookmark = Extract<EntryEvent, { readonly type: "BOOKMARK" }>;

/** What a watch begins with; where another converts, what it may begin with. */
function statesOf(served: ServedResource, selector: EntrySelector): EntryEvent[] {
  const entries = selector.converts ? candidatesOf(served, selector) : selectEntries(served, selector);
  return Array.from(entries, (entry) => ({ type: "ADDED", entry }) as const);
}

/** All changes after the version that was asked for; throws `Expired` when they are not known any more. */
function changesSince(
  { storage: { cache } }: ServedResource,
  {
    asked,
    past,
  }: { readonly asked: number; readonly past: { changes: readonly CacheChange[]; through: number } },
): readonly CacheChange[] {
  const recent = cache.changesAfter(past.through);
  if (!recent) throw tooOld(asked, cache.oldestResumable);
  return [...past.changes, ...recent];
}

/** What a watcher may have to hear of, before it is known whether it is selected. */
type Unmatched = EntryEvent | { readonly type: "CHANGE"; readonly change: CacheChange };

const unmatched = (change: CacheChange): Unmatched => ({ type: "CHANGE", change });

/** Starts a watch of what another converts; throws when he fails at once. */
async function startConverted(
  { logger }: Core,
  served: ServedResource,
  watched: { readonly source: CacheWatch<Unmatched>; readonly selector: EntrySelector },
): Promise<EntryWatch> {
  const { source, selector } = watched;
  const convert = (items: readonly Unmatched[]) => convertedEvents(served, { items, selector });
  const onFailure = (error: unknown) => {
    const { group, version, plural } = served.resource;
    logger.warn("A watch has ended: objects could not be converted", { group, version, plural, error });
  };
  try {
    const initial = await convert(source.take());
    return new ConvertedWatch(source, { initial, convert, onFailure });
  } catch (error) {
    source.close();
    if (!(error instanceof ApiError)) throw error;
    onFailure(error);
    // To upstream's watchers a version that cannot be read is not ready yet.
    throw ApiError.tooManyRequests("storage is (re)initializing", 1);
  }
}

/** The events that a watcher gets, once their objects can be shown. */
async function convertedEvents(
  served: ServedResource,
  { items, selector }: { readonly items: readonly Unmatched[]; readonly selector: EntrySelector },
): Promise<readonly EntryEvent[]> {
  if (selector.converts) {
    const compared = items.flatMap((item) => {
      if (item.type === "BOOKMARK") return [];
      return item.type === "CHANGE"
        ? [item.change.previous ?? [], item.change.current ?? []].flat()
        : item.entry;
    });
    const converting = untilShown(served, compared);
    if (converting) await converting;
  }
  const events = items.flatMap((item) => {
    if (item.type === "CHANGE") return eventOf(item.change, selector) ?? [];
    return item.type === "BOOKMARK" || selector.matches(item.entry) ? item : [];
  });
  const shown = events.flatMap((event) => (event.type === "BOOKMARK" ? [] : event.entry));
  const converting = untilShown(served, shown);
  if (converting) await converting;
  return events;
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

/** What is to be told of a resource, in the order in which it came about. */
class CacheWatch<Item> {
  onReady: () => void = () => {};
  ended = false;
  private waiting: (Item | Bookmark)[];
  private readonly core: Core;
  private readonly cache: ServedResource["storage"]["cache"];
  private readonly stop: () => void;
  private readonly unsubscribe: (() => void) | undefined;
  private bookmark: Timer | undefined;
  private readonly deadline: number;

  constructor(
    core: Core,
    served: ServedResource,
    options: {
      readonly initial: readonly (Item | Bookmark)[];
      /** What a change is to the watcher; undefined when nothing. */
      readonly read: (change: CacheChange) => Item | undefined;
      readonly trigger?: EntrySelector["trigger"];
      /** Changes up to this revision are not for the watcher, or are among those that wait. */
      readonly after: number;
      readonly bookmarks: { readonly deadline: number | undefined } | undefined;
    },
  ) {
    this.core = core;
    this.cache = served.storage.cache;
    this.waiting = [...options.initial];
    const { read, trigger, after, bookmarks } = options;
    this.stop = this.cache.listen((change) => {
      if (change.revision <= after) return;
      const event = read(change);
      if (event) this.push(event);
    }, trigger);
    // A custom resource may go, and nothing would ever be heard of it again.
    this.unsubscribe = served.custom
      ? core.served.follow(served.resource, () => this.checkServed(served))
      : undefined;
    this.deadline = bookmarks?.deadline ?? Infinity;
    if (bookmarks) this.scheduleBookmark(core.clock);
  }

  take(): readonly (Item | Bookmark)[] {
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

  private checkServed(served: ServedResource): void {
    const now = this.core.served.of(served.resource);
    // Who converted before may not be the one who does it now.
    const isRemote = served.remote !== undefined || now?.remote !== undefined;
    const isSame = isRemote ? now === served : now?.storage.cache === served.storage.cache;
    if (!isSame) this.close();
  }

  private push(event: Item | Bookmark): void {
    if (this.ended) return;
    this.waiting.push(event);
    if (this.waiting.length > watchBufferCapacity) {
      this.cache.cutOff += 1;
      return this.close();
    }
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
