import type { Core } from "../../registry/context.ts";
import type { ServedResource } from "../../registry/served.ts";
import type { ListUse } from "../../registry/storage-use.ts";
import type { Counter, Histogram, MetricsRegistry, Reading } from "./registry.ts";

const labels = ["group", "resource"];
const requestBounds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
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

/** What the caches know of themselves, looked up when metrics are read. */
function observeCaches(registry: MetricsRegistry, core: Core): void {
  const each = (valueOf: (storage: ServedResource["storage"]) => number) => (): readonly Reading[] => {
    const readings = new Map<string, Reading>();
    for (const { storage, verbs } of core.served.all()) {
      // What is answered and never stored has no cache.
      if (!verbs.includes("list") || readings.has(storage.prefix)) continue;
      readings.set(storage.prefix, [valueOf(storage), storage.stored.group, storage.stored.plural]);
    }
    return [...readings.values()];
  };
  const changes = each(({ cache }) => cache.received);
  registry.observed(
    {
      name: "apiserver_watch_cache_events_received_total",
      help: "Changes that the cache has heard of.",
      type: "counter",
      labels,
    },
    changes,
  );
  registry.observed(
    {
      name: "apiserver_watch_cache_events_dispatched_total",
      help: "Changes that the cache has told watches of.",
      type: "counter",
      labels,
    },
    changes,
  );
  registry.observed(
    {
      name: "apiserver_watch_cache_resource_version",
      help: "The version of what the cache has.",
      labels,
    },
    each(() => core.caches.revision),
  );
  registry.observed(
    {
      name: "apiserver_resource_size_estimate_bytes",
      help: "Size of the objects that are stored, by the size of a few of them.",
      labels,
    },
    each(({ cache, prefix }) => Math.round(cache.size * averageSize(cache, prefix))),
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
