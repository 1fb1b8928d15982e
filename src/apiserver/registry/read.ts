import { ApiError } from "../../apimachinery/index.ts";
import type { ListMeta, ObjectKey } from "../../apimachinery/index.ts";
import type { ListOptions, Selection } from "../../api/index.ts";
import { fromStoreError, groupResource } from "./context.ts";
import type { Core } from "./context.ts";
import { Entry } from "./entry.ts";
import { selectorOf } from "./selection.ts";
import type { ServedResource } from "./served.ts";
import { storageKey } from "./storage-path.ts";

/** A list before it is encoded. */
export interface EntryList {
  readonly entries: readonly Entry[];
  readonly metadata: ListMeta;
}

const tokenVersion = "meta.k8s.io/v1";
/** How many objects are read from history at once while looking for those that match. */
const historyPage = 500;

/** The entry of an object; throws `NotFound`. */
export function get(served: ServedResource, key: ObjectKey): Entry {
  const entry = served.storage.cache.get(storageKey(served.storage.prefix, key));
  if (!entry) throw ApiError.notFound(groupResource(served), key.name);
  return entry;
}

/** All present entries of a selection, in the order of their keys. */
export function selectEntries(served: ServedResource, selection: Selection): readonly Entry[] {
  const selector = selectorOf(served, selection);
  const { cache } = served.storage;
  if (selector.name !== undefined && (selection.namespace || !served.resource.namespaced)) {
    const key = storageKey(served.storage.prefix, { namespace: selection.namespace, name: selector.name });
    const entry = cache.get(key);
    return entry && selector.matches(entry) ? [entry] : [];
  }
  const chosen: Entry[] = [];
  for (const entry of cache.range(selector.prefix)) if (selector.matches(entry)) chosen.push(entry);
  return chosen;
}

/** One page of a list, or all of it. */
export async function list(core: Core, served: ServedResource, options: ListOptions): Promise<EntryList> {
  const { limit = 0, resourceVersion = "", resourceVersionMatch } = options;
  checkListOptions(options);
  if (options.continue) return listFrom(core, served, options);
  const { revision } = core.caches;
  const asked = parseVersion(resourceVersion);
  if (asked > revision) throw tooLarge(asked, revision);
  if (resourceVersionMatch === "Exact" && asked !== revision) {
    return listAt(core, served, { selection: options, revision: asked, limit, after: undefined });
  }
  if (limit === 0) {
    return { entries: selectEntries(served, options), metadata: { resourceVersion: String(revision) } };
  }
  return pageOf(core, served, { selection: options, limit, after: undefined });
}

function checkListOptions(options: ListOptions): void {
  const { resourceVersion = "", resourceVersionMatch } = options;
  if (resourceVersionMatch === undefined) return;
  const forbidden = (why: string) =>
    ApiError.invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", [
      { type: "FieldValueForbidden", field: "resourceVersionMatch", detail: why },
    ]);
  if (options.continue) {
    throw forbidden("resourceVersionMatch is forbidden when continue is provided");
  }
  if (resourceVersion === "") {
    throw forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (resourceVersionMatch === "Exact" && resourceVersion === "0") {
    throw forbidden('resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
  }
}

/** A resourceVersion as a number; 0 for none. */
export function parseVersion(text: string): number {
  if (text === "") return 0;
  const version = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(version)) return version;
  throw ApiError.badRequest(
    `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

/** A version from the future: the client shall ask again. */
export function tooLarge(asked: number, current: number): ApiError {
  return new ApiError({
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    reason: "Timeout",
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
    code: 504,
  });
}

interface PageRequest {
  readonly selection: Selection;
  readonly limit: number;
  /** The last key of the page before. */
  readonly after: string | undefined;
}

/** A page of the present state. */
function pageOf(core: Core, served: ServedResource, request: PageRequest): EntryList {
  const selector = selectorOf(served, request.selection);
  const { revision } = core.caches;
  const entries: Entry[] = [];
  let more = false;
  let remaining = 0;
  for (const entry of served.storage.cache.range(selector.prefix, request.after)) {
    if (entries.length < request.limit) {
      if (selector.matches(entry)) entries.push(entry);
    } else if (selector.selective) {
      more = true;
      break;
    } else {
      more = true;
      remaining += 1;
    }
  }
  return {
    entries,
    metadata: pageMetadata({ served, entries, revision, more, remaining, selective: selector.selective }),
  };
}

function pageMetadata(page: {
  served: ServedResource;
  entries: readonly Entry[];
  revision: number;
  more: boolean;
  remaining: number;
  selective: boolean;
}): ListMeta {
  const last = page.entries.at(-1);
  const resourceVersion = String(page.revision);
  if (!page.more || !last) return { resourceVersion };
  const start = startAfter(last.key, page.served);
  return {
    resourceVersion,
    continue: encodeToken({ v: tokenVersion, rv: page.revision, start }),
    ...(page.selective ? {} : { remainingItemCount: page.remaining }),
  };
}

const startAfter = (key: string, { storage }: ServedResource) => `${key.slice(storage.prefix.length)}\u0000`;

/** In a token: go on with what there is when the token is used. */
const presentRevision = -1;

interface ContinueToken {
  readonly v: string;
  readonly rv: number;
  readonly start: string;
}

function encodeToken(token: ContinueToken): string {
  return btoa(JSON.stringify(token)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decodeToken(text: string): ContinueToken {
  const invalid = (why: string) => ApiError.badRequest(`continue key is not valid: ${why}`);
  let token: ContinueToken;
  try {
    token = JSON.parse(atob(text.replaceAll("-", "+").replaceAll("_", "/"))) as ContinueToken;
  } catch {
    throw invalid("illegal base64 data");
  }
  if (token.v !== tokenVersion)
    throw invalid(`server does not recognize this encoded version ${JSON.stringify(token.v)}`);
  if (token.rv === 0 || typeof token.start !== "string") {
    throw invalid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  return token;
}

/** The page that a continue token asks for, at the revision of the first page. */
async function listFrom(core: Core, served: ServedResource, options: ListOptions): Promise<EntryList> {
  if (options.resourceVersion && options.resourceVersion !== "0") {
    throw ApiError.badRequest("specifying resource version is not allowed when using continue");
  }
  const token = decodeToken(options.continue ?? "");
  const { prefix } = served.storage;
  const after = prefix + (token.start.endsWith("\u0000") ? token.start.slice(0, -1) : token.start);
  const limit = options.limit ?? 0;
  const page: PageRequest = {
    selection: options,
    limit: limit === 0 ? Number.MAX_SAFE_INTEGER : limit,
    after,
  };
  if (token.rv === presentRevision || token.rv === core.caches.revision) return pageOf(core, served, page);
  return listAt(core, served, { ...page, revision: token.rv });
}

/** A page of a past state, read from the store's history. */
async function listAt(
  core: Core,
  served: ServedResource,
  request: PageRequest & { readonly revision: number },
): Promise<EntryList> {
  const selector = selectorOf(served, request.selection);
  const { revision } = request;
  const limit = request.limit === 0 ? Number.MAX_SAFE_INTEGER : request.limit;
  const entries: Entry[] = [];
  let after = request.after;
  for (;;) {
    const size = selector.selective ? historyPage : Math.min(limit - entries.length, historyPage);
    const page = await core.store
      .list(selector.prefix, { at: revision, limit: size, ...(after === undefined ? {} : { after }) })
      .catch((error: unknown) => {
        throw listError(error, { served, after: request.after });
      });
    for (const [index, item] of page.items.entries()) {
      after = item.key;
      const present = served.storage.cache.get(item.key);
      const entry =
        present?.revision === item.modRevision
          ? present
          : new Entry({ key: item.key, value: item.value, revision: item.modRevision });
      if (!selector.matches(entry)) continue;
      entries.push(entry);
      if (entries.length < limit) continue;
      const remaining = page.remaining + page.items.length - index - 1;
      const metadata = pageMetadata({
        served,
        entries,
        revision,
        more: remaining > 0,
        remaining,
        selective: selector.selective,
      });
      return { entries, metadata };
    }
    if (page.remaining === 0) return { entries, metadata: { resourceVersion: String(revision) } };
  }
}

/** A continued list whose version is gone can go on with what there is now, if the client wants that. */
function listError(
  error: unknown,
  { served, after }: { readonly served: ServedResource; readonly after: string | undefined },
): unknown {
  const converted = fromStoreError(error, { served, name: "" });
  if (!ApiError.is(converted, "Expired") || after === undefined) return converted;
  return ApiError.expired(
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    encodeToken({ v: tokenVersion, rv: presentRevision, start: startAfter(after, served) }),
  );
}
