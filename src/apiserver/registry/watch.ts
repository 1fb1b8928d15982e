import { ApiError } from "../../apimachinery/index.ts";
import type { WatchOptions } from "../../api/index.ts";
import type { Clock, Milliseconds, Timer } from "../../base/index.ts";
import type { CacheChange } from "./cache.ts";
import type { Core } from "./context.ts";
import type { Entry } from "./entry.ts";
import { parseVersion, selectEntries, tooLarge } from "./read.ts";
import { selectorOf } from "./selection.ts";
import type { EntrySelector } from "./selection.ts";
import type { ServedResource } from "./served.ts";

/** How many events may wait for one watcher before its watch is ended; it then resumes from where it was. */
export const watchBufferCapacity = 16_384;
/** How often a watch that asked for bookmarks hears of progress. */
export const bookmarkInterval: Milliseconds = 60_000;
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

export type EntryWatchOptions = Omit<WatchOptions, "signal"> & {
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan";
};

/** Starts a watch; throws ApiError when it cannot start where it was asked to. */
export function watch(core: Core, served: ServedResource, options: EntryWatchOptions): EntryWatch {
  checkWatchOptions(options);
  const selector = selectorOf(served, options);
  const asked = parseVersion(options.resourceVersion ?? "");
  const { revision } = core.caches;
  if (asked > revision) throw tooLarge(asked, revision);
  const initial: EntryEvent[] = [];
  const wantsInitial = options.sendInitialEvents ?? asked === 0;
  if (wantsInitial) {
    for (const entry of selectEntries(served, options)) initial.push({ type: "ADDED", entry });
    if (options.sendInitialEvents && options.allowBookmarks) {
      initial.push({ type: "BOOKMARK", revision, initialEventsEnd: true });
    }
  } else if (asked > 0) {
    const changes = served.storage.cache.changesAfter(asked);
    if (!changes) {
      const oldest = served.storage.cache.oldestResumable;
      throw ApiError.expired(`too old resource version: ${asked} (${oldest})`);
    }
    for (const change of changes) {
      const event = eventOf(change, selector);
      if (event) initial.push(event);
    }
  }
  return new CacheWatch(core, served, {
    initial,
    selector,
    bookmarks: options.allowBookmarks === true,
  });
}

function checkWatchOptions(options: EntryWatchOptions): void {
  const { sendInitialEvents, resourceVersionMatch } = options;
  const forbidden = (why: string) =>
    ApiError.invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", [
      { type: "FieldValueForbidden", field: "resourceVersionMatch", detail: why },
    ]);
  if (sendInitialEvents === undefined) {
    if (resourceVersionMatch !== undefined) {
      throw forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
    return;
  }
  if (resourceVersionMatch !== "NotOlderThan") {
    throw forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
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
  private bookmark: Timer | undefined;

  constructor(
    core: Core,
    served: ServedResource,
    options: { initial: EntryEvent[]; selector: EntrySelector; bookmarks: boolean },
  ) {
    this.core = core;
    this.waiting = options.initial;
    this.stop = served.storage.cache.listen((change) => {
      const event = eventOf(change, options.selector);
      if (event) this.push(event);
    }, options.selector.trigger);
    if (options.bookmarks) this.scheduleBookmark(core.clock);
  }

  take(): readonly EntryEvent[] {
    const events = this.waiting;
    if (events.length > 0) this.waiting = [];
    return events;
  }

  close(): void {
    this.stop();
    this.bookmark?.cancel();
    if (this.ended) return;
    this.ended = true;
    this.onReady();
  }

  private push(event: EntryEvent): void {
    if (this.ended) return;
    this.waiting.push(event);
    if (this.waiting.length > watchBufferCapacity) return this.close();
    if (this.waiting.length === 1) this.onReady();
  }

  private scheduleBookmark(clock: Clock): void {
    this.bookmark = clock.after(bookmarkInterval, () => {
      this.push({ type: "BOOKMARK", revision: this.core.caches.revision, initialEventsEnd: false });
      if (!this.ended) this.scheduleBookmark(clock);
    });
  }
}
