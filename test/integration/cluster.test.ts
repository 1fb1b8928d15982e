import { describe, expect, test } from "vitest";
import { ApiError } from "../../src/apimachinery/index.ts";
import { Deployment, ReplicaSet } from "../../src/api/types/apps-v1.ts";
import { ConfigMap, Namespace, Node, Pod, ServiceAccount } from "../../src/api/types/core-v1.ts";
import { VirtualClock, startCluster, type TestCluster } from "../../src/testing/index.ts";
import { HttpsClient } from "./harness.ts";

const labels = { app: "web" };
const deployment = (image: string) => ({
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas: 3,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: "web", image }] } },
  },
});

/** Settles with the list once `holds` is true of it; follows the watch, so no time is waited for. */
async function until<T extends object>(
  { client }: TestCluster,
  resource: Parameters<TestCluster["client"]["list"]>[0],
  holds: (items: readonly T[]) => boolean,
): Promise<readonly T[]> {
  const stop = new AbortController();
  const read = async () => (await client.list(resource)).items as readonly T[];
  try {
    let items = await read();
    if (holds(items)) return items;
    for await (const _ of client.watch(resource, { signal: stop.signal })) {
      items = await read();
      if (holds(items)) return items;
    }
  } finally {
    stop.abort();
  }
  throw new Error("the watch ended");
}

const isRunning = (pod: Pod) =>
  pod.status.phase === "Running" && pod.metadata.deletionTimestamp === undefined;
const running = (image: string, count: number) => (pods: readonly Pod[]) =>
  pods.length === count && pods.every((pod) => isRunning(pod) && pod.spec.containers[0]?.image === image);

test("a deployment rolls out, scales, is updated, rolled back and deleted with all it owns", async () => {
  const cluster = await startCluster({ nodes: 2 });
  try {
    const { client } = cluster;
    const key = { namespace: "default", name: "web" };
    await client.create(Deployment, deployment("web:1"));
    const pods = await until<Pod>(cluster, Pod, running("web:1", 3));
    const nodes = (await client.list(Node)).items.map(({ metadata }) => metadata.name);
    expect(pods.every(({ spec }) => nodes.includes(spec.nodeName ?? ""))).toBe(true);
    expect(new Set(pods.map(({ status }) => status.podIP)).size).toBe(3);

    await client.patch(
      Deployment,
      key,
      { type: "merge", body: { spec: { replicas: 5 } } },
      { subresource: "scale" },
    );
    await until<Pod>(cluster, Pod, running("web:1", 5));

    const setImage = (image: string) =>
      client.patch(Deployment, key, {
        type: "strategic",
        body: { spec: { template: { spec: { containers: [{ name: "web", image }] } } } },
      });
    await setImage("web:2");
    await until<Pod>(cluster, Pod, running("web:2", 5));
    await setImage("web:1");
    await until<Pod>(cluster, Pod, running("web:1", 5));
    const [settled] = await until<Deployment>(
      cluster,
      Deployment,
      ([web]) =>
        web?.status.observedGeneration === web?.metadata.generation && web?.status.availableReplicas === 5,
    );
    expect(settled?.metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("3");
    // Back to the first template means back to its replica set.
    expect((await client.list(ReplicaSet)).items).toHaveLength(2);

    await client.delete(Deployment, key);
    await until(cluster, ReplicaSet, (items) => items.length === 0);
    await until(cluster, Pod, (items) => items.length === 0);
  } finally {
    await cluster.stop();
  }
});

test("a namespace takes all that is in it along", async () => {
  const cluster = await startCluster();
  try {
    const { client } = cluster;
    const namespace = "short-lived";
    await client.create(Namespace, { metadata: { name: namespace } });
    await until<ServiceAccount>(cluster, ServiceAccount, (items) =>
      items.some(({ metadata }) => metadata.namespace === namespace),
    );
    await client.create(ConfigMap, { metadata: { name: "a", namespace } });
    const object = deployment("web:1");
    await client.create(Deployment, { ...object, metadata: { name: "web", namespace } });
    await until<Pod>(cluster, Pod, running("web:1", 3));
    await client.delete(Namespace, { name: namespace });
    await until<Namespace>(cluster, Namespace, (items) =>
      items.every(({ metadata }) => metadata.name !== namespace),
    );
    for (const resource of [Pod, ConfigMap, Deployment, ReplicaSet, ServiceAccount]) {
      const { items } = await client.list<object>(resource, { namespace });
      expect(items).toEqual([]);
    }
    const late = client.create(ConfigMap, { metadata: { name: "late", namespace } });
    await expect(late).rejects.toThrow('namespaces "short-lived" not found');
  } finally {
    await cluster.stop();
  }
});

test("objects are the same over HTTPS", async () => {
  const cluster = await startCluster({ nodes: 0 });
  const https = new HttpsClient(await cluster.kubeconfig());
  try {
    const created = await https.post("/api/v1/namespaces/default/configmaps", {
      metadata: { name: "both" },
      data: { a: "b" },
    });
    const own = await cluster.client.get(ConfigMap, { namespace: "default", name: "both" });
    expect(created.body.metadata).toEqual(own.metadata);
    const stranger = cluster.clientFor({ name: "jane", groups: ["system:authenticated"] });
    const refused = await stranger.list(ConfigMap, { namespace: "default" }).catch((error: unknown) => error);
    expect(ApiError.is(refused, "Forbidden")).toBe(true);
  } finally {
    https.close();
    await cluster.stop();
  }
});

describe("on a virtual clock", () => {
  test("minutes pass when the test says so", async () => {
    const clock = new VirtualClock(Date.UTC(2030, 0, 1));
    const cluster = await startCluster({ clock });
    try {
      const { client } = cluster;
      const object = deployment("web:1");
      const spec = { ...object.spec, minReadySeconds: 300 };
      await client.create(Deployment, { ...object, spec });
      const available = (count: number) => (items: readonly Deployment[]) =>
        items[0]?.status.readyReplicas === 3 && (items[0].status.availableReplicas ?? 0) === count;
      const turn = advance(clock);
      try {
        const [started] = await until<Deployment>(cluster, Deployment, available(3));
        expect(Date.parse(started?.metadata.creationTimestamp ?? "")).toBe(Date.UTC(2030, 0, 1));
        expect(clock.now() - Date.UTC(2030, 0, 1)).toBeGreaterThanOrEqual(300_000);
      } finally {
        await turn.stop();
      }
    } finally {
      await cluster.stop();
    }
  });
});

/** Lets virtual time pass in steps, between which everything that is due gets its turn. */
function advance(clock: VirtualClock): { stop(): Promise<void> } {
  const stop = new AbortController();
  const done = (async () => {
    while (!stop.signal.aborted) {
      await clock.advance(5_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  return {
    async stop() {
      stop.abort();
      await done;
    },
  };
}

test("stop leaves nothing that would keep a process alive", async () => {
  const count = () => {
    const counts: Record<string, number> = {};
    for (const type of process.getActiveResourcesInfo()) counts[type] = (counts[type] ?? 0) + 1;
    const { Timeout = 0, TCPServerWrap = 0, TCPSocketWrap = 0 } = counts;
    return { timers: Timeout, servers: TCPServerWrap, sockets: TCPSocketWrap };
  };
  const before = count();
  const cluster = await startCluster({ nodes: 2 });
  const https = new HttpsClient(await cluster.kubeconfig());
  await cluster.client.create(Deployment, deployment("web:1"));
  await until<Pod>(cluster, Pod, running("web:1", 3));
  expect(await https.send("/readyz")).toMatchObject({ status: 200 });
  https.close();
  await cluster.stop();
  const after = count();
  expect(after.servers).toBeLessThanOrEqual(before.servers);
  expect(after.timers).toBeLessThanOrEqual(before.timers);
});
