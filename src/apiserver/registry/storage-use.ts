import type { Revision, Write } from "../../store/index.ts";
import type { Core } from "./context.ts";
import type { ServedResource } from "./served.ts";

/** What a list was answered from, and how much of it was looked at and kept. */
export interface ListUse {
  readonly from: "cache" | "storage";
  readonly looked: number;
  readonly returned: number;
  /** By which index of the cache they were found; undefined: all were looked at. */
  readonly index?: string | undefined;
}

/** Hears how the store and the caches are used. */
export interface StorageObserver {
  /** Seconds of a clock that only runs forward. */
  now(): number;
  /** Something was asked of the store that took so many seconds. */
  asked(
    served: ServedResource,
    about: { readonly operation: string; readonly seconds: number; readonly failed: boolean },
  ): void;
  listed(served: ServedResource, use: ListUse): void;
  /** A read that must see all that was written before it waited so long for the cache, which came so far or did not. */
  waited(served: ServedResource, read: { readonly seconds: number; readonly isFresh: boolean }): void;
}

/** Whoever wants to hear of it; nobody at first. */
export interface StorageUse {
  observer: StorageObserver | undefined;
}

/** Commits a write, of which the observer hears; the time to live of what has one counts from each write. */
export function commit(
  core: Pick<Core, "store" | "storageUse" | "leases">,
  served: ServedResource,
  write: Write,
): Promise<Revision> {
  const { timeToLive } = served.definition;
  if (timeToLive === undefined || write.type === "delete") return committed(core, served, write);
  return core.leases.for(timeToLive).then((lease) => committed(core, served, { ...write, lease }));
}

function committed(
  core: Pick<Core, "store" | "storageUse">,
  served: ServedResource,
  write: Write,
): Promise<Revision> {
  const { observer } = core.storageUse;
  const revision = core.store.commit(write);
  if (!observer) return revision;
  const started = observer.now();
  const note = (failed: boolean) =>
    observer.asked(served, { operation: write.type, seconds: observer.now() - started, failed });
  revision.then(
    () => note(false),
    () => note(true),
  );
  return revision;
}
