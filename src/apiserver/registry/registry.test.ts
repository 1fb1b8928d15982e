import { describe, expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import { ConfigMap, Pod } from "../../api/types/core-v1.ts";
import { createMemoryStore } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";

async function setUp() {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const store = createMemoryStore({ clock });
  const server = await createApiServer({
    store,
    clock,
    random: seededRandom(1),
    authorizer: { authorize: () => ({ type: "allow", reason: "" }) },
  });
  const client = server.client({ name: "tester", groups: [] });
  return { clock, store, server, client };
}
const configMap = (name: string, data: Record<string, string> = {}) => ({
  metadata: { name, namespace: "default" },
  data,
});

describe("create", () => {
  test("fills in metadata and reads its own write", async () => {
    const { client, server } = await setUp();
    const created = await client.create(ConfigMap, configMap("one", { a: "b" }));
    expect(created).toMatchObject({
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: { name: "one", namespace: "default", creationTimestamp: "2026-01-01T00:00:00Z" },
      data: { a: "b" },
    });
    expect(created.metadata.resourceVersion).toMatch(/^\d+$/);
    expect(await client.get(ConfigMap, { namespace: "default", name: "one" })).toBe(created);
    expect(server.reader.get(ConfigMap, { namespace: "default", name: "one" })).toBe(created);
  });

  test("refuses a name that is taken", async () => {
    const { client } = await setUp();
    await client.create(ConfigMap, configMap("one"));
    await expect(client.create(ConfigMap, configMap("one"))).rejects.toMatchObject({
      message: 'configmaps "one" already exists',
    });
  });
});

describe("update", () => {
  test("an old version conflicts, the same content writes nothing", async () => {
    const { client, store } = await setUp();
    const first = await client.create(ConfigMap, configMap("one", { a: "1" }));
    const second = await client.update(ConfigMap, { ...first, data: { a: "2" } });
    await expect(client.update(ConfigMap, { ...first, data: { a: "3" } })).rejects.toMatchObject({
      message:
        'Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again',
    });
    const before = store.revision;
    expect(await client.update(ConfigMap, second)).toBe(second);
    expect(store.revision).toBe(before);
  });
});

describe("list", () => {
  test("pages are of one revision", async () => {
    const { client } = await setUp();
    for (const name of ["a", "b", "c", "d"]) await client.create(ConfigMap, configMap(name));
    const first = await client.list(ConfigMap, { namespace: "default", limit: 3 });
    expect(first.metadata.remainingItemCount).toBe(1);
    await client.delete(ConfigMap, { namespace: "default", name: "d" });
    const rest = await client.list(ConfigMap, {
      namespace: "default",
      limit: 3,
      continue: first.metadata.continue ?? "",
    });
    expect(rest.items.map((item) => item.metadata.name)).toEqual(["d"]);
    expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });
});

describe("watch", () => {
  test("selectors turn changes into comings and goings", async () => {
    const { client } = await setUp();
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const batch of client.watch(ConfigMap, {
        namespace: "default",
        labelSelector: "app=web",
        signal: stop.signal,
      })) {
        for (const event of batch) seen.push(`${event.type} ${(event.object as ConfigMap).metadata.name}`);
        if (seen.length === 3) stop.abort();
      }
    })();
    const one = await client.create(ConfigMap, configMap("one"));
    const labelled = { ...one, metadata: { ...one.metadata, labels: { app: "web" } } };
    const two = await client.update(ConfigMap, labelled);
    const three = await client.update(ConfigMap, { ...two, data: { x: "y" } });
    const { labels: _, ...bare } = three.metadata;
    await client.update(ConfigMap, { ...three, metadata: bare });
    await watching;
    expect(seen).toEqual(["ADDED one", "MODIFIED one", "DELETED one"]);
  });
});

describe("pods", () => {
  test("bind sets the node and the condition", async () => {
    const { client } = await setUp();
    await client.create(Pod, {
      metadata: { name: "web", namespace: "default" },
      spec: { containers: [{ name: "c", image: "i" }] },
    });
    await client.post(Pod, { namespace: "default", name: "web" }, "binding", {
      metadata: { name: "web" },
      target: { name: "node-1" },
    });
    const pod = await client.get(Pod, { namespace: "default", name: "web" });
    expect(pod.spec?.nodeName).toBe("node-1");
    expect(pod.status?.conditions).toMatchObject([{ type: "PodScheduled", status: "True" }]);
  });
});
