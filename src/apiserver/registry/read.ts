import { ApiError } from "../../apimachinery/index.ts";
import type { ListMeta, ObjectKey } from "../../apimachinery/index.ts";
import type { Versioned } from "../../store/index.ts";
import { fromStoreError, groupResource } from "./context.ts";
import type { Core } from "./context.ts";
import { continueAfter, decodeToken, encodeToken, presentRevision } from "./continue-token.ts";
import { Entry } from "./entry.ts";
import { checkListOptions } from "./list-options.ts";
import type { ListRequest } from "./list-options.ts";
import { untilShown } from "./remote-conversion.ts";
import { parseSelection, selectorOf } from "./selection.ts";
import type { EntrySelector } from "./selection.ts";
import type { ServedResource } from "./served.ts";
import { storageKey } from "./storage-path.ts";
import { parseListVersion, untilVersion } from "./versions.ts";

/** A list before it is encoded. */
export interface EntryList {
  readonly entries: readonly Entry[];
  readonly metadata: ListMeta;
}

/** A list with what it took to make. */
interface Found extends EntryList {
  readonly from: "cache" | "storage";
  /** How many objects were looked at. */
  readonly looked: number;
  /** By which index they were found. */
  readonly index?: string | undefined;
}

/** How many objects are read from history at once while looking for those that match. */
const historyPage = 500;

/** The entry of an object; throws `NotFound`. */
export function get(served: ServedResource, key: ObjectKey): Entry {
  const entry = served.storage.cache.get(storageKey(served.storage.prefix, key));
  if (entry) return entry;
  const message = served.definition.unknownName?.(key.name);
  if (message === undefined) throw ApiError.notFound(groupResource(served), key.name);
  throw new ApiError({ code: 500, message });
}

/** All present entries that a selector matches, in the order of their keys. */
export function selectEntries(served: ServedResource, selector: EntrySelector): readonly Entry[] {
  return search(served, selector).entries;
}

/** The same, with what it took to find them. */
function search(served: ServedResource, selector: EntrySelector): Omit<Found, "metadata"> {
  const { cache } = served.storage;
  const from = "cache";
  if (selector.single !== undefined) {
    const entry = cache.get(selector.single);
    const entries = entry && selector.matches(entry) ? [entry] : [];
    return { entries, from, looked: entries.length };
  }
  if (!selector.selective) {
    const entries = cache.first(Infinity, selector.prefix);
    return { entries, from, looked: entries.length };
  }
  const entries: Entry[] = [];
  const { candidates, count, index } = candidatesFor(served, selector);
  for (const entry of candidates) if (selector.matches(entry)) entries.push(entry);
  return { entries, from, index, looked: count ?? cache.count(selector.prefix) };
}

/** What is looked at to find what a selector matches: what an index has, or all; `index` names the index. */
function candidatesFor(
  { storage: { cache } }: ServedResource,
  { prefix, trigger }: EntrySelector,
  after?: string,
): { readonly candidates: Iterable<Entry>; readonly count?: number; readonly index?: string } {
  const found = trigger && cache.having(trigger, { prefix, after });
  if (!found) return { candidates: cache.range(prefix, after) };
  return { candidates: found, count: found.length, index: trigger.field };
}

/** All present entries that a selector may match, as far as their keys tell. */
export function candidatesOf(
  { storage: { cache } }: ServedResource,
  { single, prefix }: EntrySelector,
  { after }: { readonly after?: string | undefined } = {},
): readonly Entry[] {
  if (single === undefined) return cache.first(Infinity, prefix, after);
  const entry = cache.get(single);
  return entry ? [entry] : [];
}

/** One page of a list, or all of it. */
export async function list(core: Core, served: ServedResource, options: ListRequest): Promise<EntryList> {
  const { from, looked, index, ...page } = await find(core, served, options);
  const converting = untilShown(served, page.entries);
  if (converting) await converting;
  core.storageUse.observer?.listed(served, { from, looked, index, returned: page.entries.length });
  return page;
}

async function find(core: Core, served: ServedResource, options: ListRequest): Promise<Found> {
  const { resourceVersion = "", resourceVersionMatch: match } = options;
  const selection = parseSelection(options);
  checkListOptions(options);
  const selector = selectorOf(served, selection);
  const isPaged = selector.single === undefined;
  // What may be of any age comes as a whole.
  const limit = isPaged && resourceVersion !== "0" ? Math.max(options.limit ?? 0, 0) : 0;
  if (isPaged && options.continue) return listFrom(core, served, { ...options, selector, limit });
  const asked = parseListVersion(resourceVersion);
  const behind = untilVersion(core, served, resourceVersion);
  if (behind) await behind;
  const { revision } = core.caches;
  // A page of a version is of that very version, unless the client says otherwise.
  const isExact = match === "Exact" || (!match && limit > 0 && asked > 0);
  if (isExact && asked !== revision) {
    return listAt(core, served, { selector, revision: asked, limit, after: undefined });
  }
  if (selector.converts) return pageOfConverted(core, served, { selector, limit, after: undefined });
  if (limit > 0) return pageOf(core, served, { selector, limit, after: undefined });
  return { ...search(served, selector), metadata: { resourceVersion: String(revision) } };
}

interface PageRequest {
  readonly selector: EntrySelector;
  /** 0 for no limit. */
  readonly limit: number;
  /** The last key of the page before. */
  readonly after: string | undefined;
}

/** All that a page is chosen from, as it was at a revision. */
interface Snapshot {
  readonly entries: Iterable<Entry>;
  readonly revision: number;
}

/** A page of the present state that is chosen by what another converts. */
async function pageOfConverted(core: Core, served: ServedResource, request: PageRequest): Promise<Found> {
  const { selector, after } = request;
  const { revision } = core.caches;
  const entries = candidatesOf(served, selector, { after });
  const converting = untilShown(served, entries);
  if (converting) await converting;
  return pageOf(core, served, { ...request, snapshot: { entries, revision } });
}

/** A page of the present state, or of a snapshot. */
function pageOf(
  core: Core,
  served: ServedResource,
  request: PageRequest & { readonly snapshot?: Snapshot },
): Found {
  const { selector, after, snapshot } = request;
  const limit = request.limit || Infinity;
  const { revision } = snapshot ?? core.caches;
  const { cache } = served.storage;
  if (!selector.selective) {
    const entries = cache.first(limit, selector.prefix, after);
    const remaining = entries.length < limit ? 0 : cache.count(selector.prefix, entries.at(-1)?.key);
    const metadata = pageMetadata({ selector, entries, revision, remaining });
    return { entries, metadata, from: "cache", looked: entries.length };
  }
  const entries: Entry[] = [];
  let remaining = 0;
  let looked = 0;
  const { candidates, index } = snapshot
    ? { candidates: snapshot.entries }
    : candidatesFor(served, selector, after);
  for (const entry of candidates) {
    if (entries.length >= limit) {
      remaining = 1;
      break;
    }
    looked += 1;
    if (selector.matches(entry)) entries.push(entry);
  }
  return {
    entries,
    metadata: pageMetadata({ selector, entries, revision, remaining }),
    from: "cache",
    looked,
    index,
  };
}

function pageMetadata(page: {
  readonly selector: EntrySelector;
  readonly entries: readonly Entry[];
  readonly revision: number;
  /** How many objects follow the page; what is selective only knows whether there are any. */
  readonly remaining: number;
}): ListMeta {
  const { selector, revision, remaining } = page;
  const last = page.entries.at(-1);
  const resourceVersion = String(revision);
  if (remaining === 0 || !last) return { resourceVersion };
  return {
    resourceVersion,
    continue: continueAfter(last.key, { prefix: selector.prefix, revision }),
    ...(selector.selective ? {} : { remainingItemCount: remaining }),
  };
}

/** The page that a continue token asks for, at the revision of the first page. */
async function listFrom(
  core: Core,
  served: ServedResource,
  request: ListRequest & { readonly selector: EntrySelector; readonly limit: number },
): Promise<Found> {
  const { selector, limit, resourceVersion = "" } = request;
  const token = decodeToken(request.continue ?? "");
  if (resourceVersion !== "" && resourceVersion !== "0") {
    throw ApiError.badRequest("specifying resource version is not allowed when using continue");
  }
  const page: PageRequest = { selector, limit, after: selector.prefix + token.start };
  if (token.revision < 0 || token.revision === core.caches.revision) {
    return selector.converts ? pageOfConverted(core, served, page) : pageOf(core, served, page);
  }
  return listAt(core, served, { ...page, revision: token.revision });
}

/** A page of a past state, read from the store's history. */
async function listAt(
  core: Core,
  served: ServedResource,
  request: PageRequest & { readonly revision: number },
): Promise<Found> {
  const { selector, revision } = request;
  const limit = request.limit || Infinity;
  const entries: Entry[] = [];
  let after = request.after;
  let looked = 0;
  for (;;) {
    const size = selector.selective ? historyPage : Math.min(limit - entries.length, historyPage);
    const page = await core.store
      .list(selector.prefix, { at: revision, limit: size, ...(after === undefined ? {} : { after }) })
      .catch((error: unknown) => {
        throw listError(error, { served, selector, after: request.after });
      });
    const candidates = page.items.map((item) => entryOf(served, item));
    const converting = selector.converts ? untilShown(served, candidates) : undefined;
    if (converting) await converting;
    for (const [index, entry] of candidates.entries()) {
      after = entry.key;
      if (!selector.matches(entry)) continue;
      entries.push(entry);
      if (entries.length < limit) continue;
      looked += index + 1;
      const remaining = page.remaining + page.items.length - index - 1;
      const metadata = pageMetadata({ selector, entries, revision, remaining });
      return { entries, metadata, from: "storage", looked };
    }
    looked += page.items.length;
    if (page.remaining > 0) continue;
    return { entries, metadata: { resourceVersion: String(revision) }, from: "storage", looked };
  }
}

/** The entry of what a store's history has, which may be there still. */
function entryOf({ storage }: ServedResource, { key, value, modRevision: revision }: Versioned): Entry {
  const present = storage.cache.get(key);
  return present?.revision === revision ? present : new Entry({ key, value, revision });
}

/** A continued list whose version is gone can go on with what there is now, if the client wants that. */
function listError(
  error: unknown,
  about: {
    readonly served: ServedResource;
    readonly selector: EntrySelector;
    readonly after: string | undefined;
  },
): unknown {
  const { served, selector, after } = about;
  const converted = fromStoreError(error, { served, name: "" });
  if (!ApiError.is(converted, "Expired") || after === undefined) return converted;
  return ApiError.expired(
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    encodeToken({ revision: presentRevision, start: after.slice(selector.prefix.length) }),
  );
}
