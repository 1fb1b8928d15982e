import { historyCapacity } from "../../registry/cache.ts";
import type { Core } from "../../registry/context.ts";
import type { ServedResource } from "../../registry/served.ts";
import type { ListUse } from "../../registry/storage-use.ts";
import type { Counter, Histogram, MetricsRegistry, Reading } from "./registry.ts";

const labels = ["group", "resource"];
const requestBounds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
/** The last bound of how long reads wait for a cache. */
const longestReadWait = 3;
const millisecondsPerSecond = 1_000;
/** How many objects stand for the size of all. */
const sampleSize = 8;

/** Counts what is asked of the store and of the caches in front of it, in series that are looked up once a resource. */
export function observeStorage(
  registry: MetricsRegistry,
  {
    core,
    storageSize,
  }: { readonly core: Core; readonly storageSize: (() => number | undefined) | undefined },
): void {
  const families = storageFamilies(registry);
  const series = new WeakMap<ServedResource["storage"], StorageSeries>();
  const seriesOf = ({ storage }: ServedResource): StorageSeries => {
    const known = series.get(storage);
    if (known) return known;
    const made = new StorageSeries(families, [storage.stored.group, storage.stored.plural]);
    series.set(storage, made);
    return made;
  };
  core.storageUse.observer = {
    now: () => performance.now() / millisecondsPerSecond,
    asked: (served, { operation, seconds, failed }) => seriesOf(served).asked(operation, { seconds, failed }),
    listed: (served, use) => seriesOf(served).listed(use),
    waited: (served, read) => seriesOf(served).waited(read),
  };
  observeCaches(registry, core);
  registry.observed(
    {
      name: "apiserver_storage_size_bytes",
      help: "Size of the store's files.",
      stability: "STABLE",
      labels: ["storage_cluster_id"],
    },
    () => {
      const size = storageSize?.();
      return size === undefined ? [] : [[size, "etcd-0"]];
    },
  );
}

type Families = ReturnType<typeof storageFamilies>;

interface ListSeries {
  readonly total: Counter;
  readonly looked: readonly Counter[];
  readonly returned: Counter;
}

/** What is counted of one resource. */
class StorageSeries {
  private readonly families: Families;
  private readonly names: readonly [group: string, resource: string];
  private readonly operations = new Map<
    string,
    { readonly duration: Histogram; readonly total: Counter; readonly errors: () => Counter }
  >();
  private readonly lists = new Map<string, ListSeries>();

  constructor(families: Families, names: readonly [group: string, resource: string]) {
    this.families = families;
    this.names = names;
  }

  asked(name: string, { seconds, failed }: { readonly seconds: number; readonly failed: boolean }): void {
    let operation = this.operations.get(name);
    if (!operation) this.operations.set(name, (operation = this.makeOperation(name)));
    operation.total.value += 1;
    operation.duration.observe(seconds);
    if (failed) operation.errors().value += 1;
  }

  listed({ from, looked, returned, index = "" }: ListUse): void {
    const name = index === "" ? from : index;
    let list = this.lists.get(name);
    if (!list) this.lists.set(name, (list = this.makeList(from, index)));
    list.total.value += 1;
    list.returned.value += returned;
    for (const counter of list.looked) counter.value += looked;
  }

  waited({ seconds, isFresh }: { readonly seconds: number; readonly isFresh: boolean }): void {
    const [group, resource] = this.names;
    const { waits, consistentReads } = this.families;
    waits.with(group, resource).observe(seconds);
    // Nobody is answered by the store in the place of a cache that lags.
    consistentReads.with("false", group, resource, String(isFresh)).value += 1;
  }

  private makeOperation(operation: string) {
    const [group, resource] = this.names;
    const { durations, totals, errors } = this.families;
    return {
      duration: durations.with(group, operation, resource),
      total: totals.with(group, operation, resource),
      errors: () => errors.with(group, operation, resource),
    };
  }

  private makeList(from: ListUse["from"], index: string): ListSeries {
    const [group, resource] = this.names;
    const { storageLists, cacheLists } = this.families;
    if (from === "storage") {
      const { total, fetched, evaluated, returned } = storageLists;
      return {
        total: total.with(group, resource),
        looked: [fetched.with(group, resource), evaluated.with(group, resource)],
        returned: returned.with(group, resource),
      };
    }
    const { total, fetched, returned } = cacheLists;
    return {
      total: total.with(group, index, resource),
      looked: [fetched.with(group, index, resource)],
      returned: returned.with(group, resource),
    };
  }
}

function storageFamilies(registry: MetricsRegistry) {
  const counter = (name: string, help: string, of: readonly string[] = labels) =>
    registry.counter({ name, help, labels: of });
  const asked = ["group", "operation", "resource"];
  const indexed = ["group", "index", "resource"];
  const [name, help] = ["etcd_request_duration_seconds", "Time of what is asked of the store, in seconds."];
  return {
    durations: registry.histogram({ name, help, labels: asked }, requestBounds),
    waits: registry.histogram(
      {
        name: "apiserver_watch_cache_read_wait_seconds",
        help: "Time that reads waited for the cache, in seconds.",
        labels,
      },
      requestBounds.filter((bound) => bound <= longestReadWait),
    ),
    consistentReads: counter(
      "apiserver_watch_cache_consistent_read_total",
      "Reads from the cache that must see all that was written before.",
      ["fallback", ...labels, "success"],
    ),
    totals: counter("etcd_requests_total", "What was asked of the store.", asked),
    errors: counter("etcd_request_errors_total", "What was asked of the store in vain.", asked),
    storageLists: {
      total: counter("apiserver_storage_list_total", "Lists that were answered from the store."),
      fetched: counter(
        "apiserver_storage_list_fetched_objects_total",
        "Objects read from the store for lists.",
      ),
      evaluated: counter(
        "apiserver_storage_list_evaluated_objects_total",
        "Objects held against selectors for lists from the store.",
      ),
      returned: counter(
        "apiserver_storage_list_returned_objects_total",
        "Objects answered in lists from the store.",
      ),
    },
    cacheLists: {
      total: counter("apiserver_cache_list_total", "Lists that were answered from the cache.", indexed),
      fetched: counter(
        "apiserver_cache_list_fetched_objects_total",
        "Objects looked at in the cache for lists.",
        indexed,
      ),
      returned: counter(
        "apiserver_cache_list_returned_objects_total",
        "Objects answered in lists from the cache.",
      ),
    },
  };
}

type OfCache = readonly [
  name: string,
  help: string,
  valueOf: (storage: ServedResource["storage"], core: Core) => number,
];

/** What caches count. */
const cacheCounters: readonly OfCache[] = [
  [
    "apiserver_watch_cache_events_received_total",
    "Changes that the cache has heard of.",
    ({ cache }) => cache.received,
  ],
  [
    "apiserver_watch_cache_events_dispatched_total",
    "Changes that the cache has told watches of.",
    ({ cache }) => cache.received,
  ],
  ["apiserver_init_events_total", "Objects that the first fill had.", ({ cache }) => cache.initial],
  [
    "apiserver_watch_cache_initializations_total",
    "How often the cache was filled.",
    ({ cache }) => cache.fills,
  ],
  [
    "apiserver_terminated_watchers_total",
    "Watches that were ended because they took nothing.",
    ({ cache }) => cache.cutOff,
  ],
];

/** How caches are. */
const cacheGauges: readonly OfCache[] = [
  ["watch_cache_capacity", "Changes that the cache keeps.", () => historyCapacity],
  [
    "apiserver_watch_cache_resource_version",
    "The version of what the cache has.",
    (_, { caches }) => caches.revision,
  ],
  [
    "apiserver_resource_size_estimate_bytes",
    "Size of the objects that are stored, by the size of a few of them.",
    ({ cache, prefix }) => Math.round(cache.size * averageSize(cache, prefix)),
  ],
];

/** What the caches know of themselves, looked up when metrics are read. */
function observeCaches(registry: MetricsRegistry, core: Core): void {
  const each = (valueOf: OfCache[2]) => (): readonly Reading[] => {
    const readings = new Map<string, Reading>();
    for (const { storage, verbs } of core.served.all()) {
      // What is answered and never stored has no cache.
      if (!verbs.includes("list") || readings.has(storage.prefix)) continue;
      readings.set(storage.prefix, [valueOf(storage, core), storage.stored.group, storage.stored.plural]);
    }
    return [...readings.values()];
  };
  for (const [name, help, valueOf] of cacheCounters) {
    registry.observed({ name, help, type: "counter", labels }, each(valueOf));
  }
  for (const [name, help, valueOf] of cacheGauges) registry.observed({ name, help, labels }, each(valueOf));
  registry.observed(
    {
      name: "apiserver_storage_events_received_total",
      help: "Changes that the store has told of.",
      type: "counter",
      stability: "BETA",
      labels,
    },
    each(({ cache }) => cache.received),
  );
}

function averageSize(cache: ServedResource["storage"]["cache"], prefix: string): number {
  let bytes = 0;
  let count = 0;
  for (const entry of cache.range(prefix)) {
    if (count >= sampleSize) break;
    count += 1;
    bytes += entry.tailLength;
  }
  return count === 0 ? 0 : bytes / count;
}
