import { describe, expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import type { WatchEvent } from "../../api/index.ts";
import { ConfigMap, Secret } from "../../api/types/core-v1.ts";
import { createMemoryStore } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";
import type { WatchRequest } from "./list-options.ts";
import { freshnessTimeout } from "./versions.ts";
import { bookmarkInterval, bookmarkLead, watch } from "./watch.ts";

async function setUp(storeOf: (store: Store) => Store = (store) => store) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const store = storeOf(createMemoryStore({ clock }));
  const start = async () => {
    const server = await createApiServer({
      store,
      clock,
      random: seededRandom(1),
      authorizer: { authorize: () => ({ type: "allow", reason: "" }) },
    });
    const client = server.client({ name: "tester", groups: [] });
    return { server, client, core: server.core };
  };
  return { clock, store, start, ...(await start()) };
}
type Started = Pick<Awaited<ReturnType<typeof setUp>>, "client" | "core">;

const configMap = (name: string, labels: Record<string, string> = {}) => ({
  metadata: { name, namespace: "default", labels },
});

/** Starts a watch of config maps; answers a function that takes what has come. */
async function watching({ core }: Pick<Started, "core">, request: WatchRequest) {
  const served = core.served.find("", "v1", "configmaps")!;
  const source = await watch(core, served, request);
  return () =>
    source
      .take()
      .map((event) =>
        event.type === "BOOKMARK"
          ? `BOOKMARK ${event.initialEventsEnd ? "end" : event.revision}`
          : `${event.type} ${event.entry.object.metadata.name} ${event.entry.revision}`,
      );
}

describe("watches", () => {
  test("resume after a version; bookmarks tell of progress, one of them shortly before the end", async () => {
    const { client, clock, core } = await setUp();
    const one = await client.create(ConfigMap, configMap("one"));
    const two = await client.create(ConfigMap, configMap("two"));
    const { resourceVersion } = one.metadata;
    const deadline = clock.now() + bookmarkInterval + 2 * bookmarkLead;
    const take = await watching({ core }, { resourceVersion, allowBookmarks: true, deadline });
    expect(take()).toEqual([`ADDED two ${two.metadata.resourceVersion}`]);
    const bookmark = `BOOKMARK ${core.caches.revision}`;
    await clock.advance(bookmarkInterval);
    expect(take()).toEqual([bookmark]);
    await clock.advance(bookmarkLead);
    expect(take()).toEqual([bookmark]);
  });

  test("mark the end of the initial events", async () => {
    const { client, core } = await setUp();
    const { resourceVersion } = (await client.create(ConfigMap, configMap("one"))).metadata;
    const initial = { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" };
    const bookmarked = await watching({ core }, { ...initial, allowBookmarks: true });
    expect(bookmarked()).toEqual([`ADDED one ${resourceVersion}`, "BOOKMARK end"]);
    const plain = await watching({ core }, initial);
    expect(plain()).toEqual([`ADDED one ${resourceVersion}`]);
    const none = await watching({ core }, { ...initial, sendInitialEvents: false });
    expect(none()).toEqual([]);
  });

  test("see objects come into view and leave it", async () => {
    const { client, core } = await setUp();
    const take = await watching({ core }, { labelSelector: "seen=yes" });
    const key = { namespace: "default", name: "one" };
    const label = (seen: string) =>
      client.patch(ConfigMap, key, { type: "merge", body: { metadata: { labels: { seen } } } });
    await client.create(ConfigMap, configMap("one"));
    await label("yes");
    const left = await label("no");
    await label("yes");
    await client.delete(ConfigMap, key);
    const events = take();
    expect(events.map((event) => event.split(" ")[0])).toEqual(["ADDED", "DELETED", "ADDED", "DELETED"]);
    expect(events[1]).toBe(`DELETED one ${left.metadata.resourceVersion}`);
  });

  test("from a version that is to come hear of what follows it", async () => {
    const { client, core } = await setUp();
    const resourceVersion = String(core.caches.revision + 1);
    const take = await watching({ core }, { resourceVersion });
    await client.create(ConfigMap, configMap("early"));
    await client.create(ConfigMap, configMap("late"));
    expect(take().map((event) => event.split(" ")[1])).toEqual(["late"]);
  });

  test("with initial events wait for their version, for a while", async () => {
    const { client, core, clock } = await setUp();
    const request = { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" };
    const soon = watching({ core }, { ...request, resourceVersion: String(core.caches.revision + 1) });
    await client.create(ConfigMap, configMap("one"));
    expect((await soon)()).toHaveLength(1);
    const never = watching({ core }, { ...request, resourceVersion: "99999999" });
    const refused = expect(never).rejects.toMatchObject({
      code: 504,
      message: `Timeout: Too large resource version: 99999999, current: ${core.caches.revision}`,
    });
    await clock.advance(freshnessTimeout);
    await refused;
  });

  const refusals: readonly (readonly [WatchRequest, code: number, message: string])[] = [
    [
      { resourceVersionMatch: "Exact", resourceVersion: "1" },
      422,
      'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
    ],
    [
      { sendInitialEvents: true },
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
    [
      { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan", continue: "x" },
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided',
    ],
    [
      { resourceVersion: "x" },
      500,
      'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
    ],
    [{ labelSelector: "a b", resourceVersionMatch: "x" }, 400, "unable to parse requirement: found 'b'"],
  ];
  test.each(refusals)("%j is refused", async (request, code, message) => {
    const { core } = await setUp();
    await expect(watching({ core }, request)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });
});

describe("a server that has started again", () => {
  test("replays what the store still knows, then goes on", async () => {
    const { client, store, start } = await setUp();
    const one = await client.create(ConfigMap, configMap("one", { a: "b" }));
    await client.create(Secret, { metadata: { name: "other", namespace: "default" } });
    const changed = await client.update(ConfigMap, { ...one, metadata: { ...one.metadata, labels: {} } });
    await client.delete(ConfigMap, { namespace: "default", name: "one" });
    const gone = store.revision;
    const again = await start();
    const { resourceVersion } = one.metadata;
    const take = await watching(again, { resourceVersion });
    await again.client.create(ConfigMap, configMap("two"));
    const version = changed.metadata.resourceVersion;
    expect(take()).toEqual([`MODIFIED one ${version}`, `DELETED one ${gone}`, `ADDED two ${store.revision}`]);
    const selected = await watching(again, { resourceVersion, labelSelector: "a=b" });
    expect(selected()).toEqual([`DELETED one ${version}`]);
  });

  test("says that what is compacted is gone", async () => {
    const { client, store, start } = await setUp();
    const one = await client.create(ConfigMap, configMap("one"));
    await client.create(ConfigMap, configMap("two"));
    await client.create(ConfigMap, configMap("three"));
    await store.compact(store.revision - 1);
    const asked = one.metadata.resourceVersion;
    await expect(watching(await start(), { resourceVersion: asked })).rejects.toMatchObject({
      status: {
        metadata: {},
        status: "Failure",
        message: `too old resource version: ${asked} (${store.compactedRevision})`,
        reason: "Expired",
        code: 410,
      },
    });
  });
});

/** A store as seen from another process: changes come by a watch, later than the commits that made them. */
const remote = (store: Store): Store =>
  new Proxy(store, {
    get: (target, name) => {
      if (name === "subscribe") return undefined;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });

describe("a store that tells of changes by its watch alone", () => {
  test("lets who wrote read, and watchers see changes in order", async () => {
    const { client, core, server } = await setUp(remote);
    const seen: WatchEvent<ConfigMap>[] = [];
    const stop = new AbortController();
    const done = (async () => {
      for await (const batch of client.watch(ConfigMap, { signal: stop.signal })) seen.push(...batch);
    })();
    const one = await client.create(ConfigMap, configMap("one"));
    const key = { namespace: "default", name: "one" };
    expect(await client.get(ConfigMap, key)).toEqual(one);
    const two = await client.update(ConfigMap, { ...one, data: { a: "1" } });
    expect((await client.list(ConfigMap)).metadata.resourceVersion).toBe(two.metadata.resourceVersion);
    await client.delete(ConfigMap, key);
    await expect(client.get(ConfigMap, key)).rejects.toMatchObject({ code: 404 });
    expect(core.caches.revision).toBe(Number(two.metadata.resourceVersion) + 1);
    stop.abort();
    await done;
    expect(seen.map(({ type }) => type)).toEqual(["ADDED", "MODIFIED", "DELETED"]);
    await server.close();
  });
});
