import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { seededRandom, silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import type { Client } from "../../src/api/index.ts";
import { ApiError } from "../../src/apimachinery/index.ts";
import { ConfigMap, Namespace, Service } from "../../src/api/types/core-v1.ts";
import { IPAddress } from "../../src/api/types/networking-v1.ts";
import { generateServiceAccountKey } from "../../src/apiserver/authentication/index.ts";
import { createControlPlane } from "../../src/control-plane/index.ts";
import { connectEtcdStore } from "../../src/etcd/client/index.ts";
import { chaosSeconds, chaosSeed, disturb } from "./disturbance.ts";
import { hasEtcd } from "./harness.ts";
import { startMembers } from "./members.ts";
import type { EtcdCluster } from "./members.ts";

const at = (name: string) => ({ namespace: "default", name });

/** A control plane without controllers, and a client of it. */
async function startServerOn(
  cluster: EtcdCluster,
  patience: { attemptTimeout?: number; requestTimeout?: number } = {},
) {
  const outside = { clock: systemClock, logger: silentLogger, random: systemRandom };
  const store = await connectEtcdStore({
    servers: cluster.urls,
    hasUniqueValues: true,
    ...outside,
    ...patience,
  });
  onTestFinished(() => store.close());
  const plane = await createControlPlane({
    store,
    ...outside,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer: "https://kubernetes.default.svc",
    rootCertificateAuthority: "",
    serviceCIDR: "10.96.0.0/24",
  });
  onTestFinished(() => plane.close());
  return plane.clientFor({ name: "admin", groups: ["system:masters"] });
}

/** Adds one to a counter again and again; answers how often that was acknowledged, and how often nobody knows. */
async function count(client: Client, { name, until }: { name: string; until: number }) {
  let [acknowledged, unknown] = [0, 0];
  while (Date.now() < until) {
    await systemClock.sleep(10);
    let current: ConfigMap;
    try {
      current = await client.get(ConfigMap, at(name));
    } catch (error) {
      expect([503, 504]).toContain(ApiError.from(error).code);
      continue;
    }
    try {
      const n = Number(current.data?.["n"]) + 1;
      await client.update(ConfigMap, { ...current, data: { n: String(n) } });
      acknowledged++;
    } catch (error) {
      const { code } = ApiError.from(error);
      if (code !== 409) {
        expect([503, 504]).toContain(code);
        unknown++;
      }
    }
  }
  return { acknowledged, unknown };
}

/** The numbers of the counters as a watch shows them. */
function follow(client: Client, resourceVersion: string) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const seen = new Map<string, number[]>();
  const reading = (async () => {
    const options = { namespace: "default", resourceVersion, signal: stop.signal };
    for await (const events of client.watch(ConfigMap, options)) {
      for (const { object } of events) {
        const { metadata, data } = object as ConfigMap;
        seen.set(metadata.name, [...(seen.get(metadata.name) ?? []), Number(data?.["n"])]);
      }
    }
  })();
  return { seen, end: () => (stop.abort(), reading) };
}

describe.skipIf(!hasEtcd)("API servers on one etcd", () => {
  let cluster: EtcdCluster;
  beforeAll(async () => void (cluster = await startMembers(1)));
  afterAll(() => cluster.stop());
  const startServer = () => startServerOn(cluster);

  test("see each other's writes, in reads and watches, and conflict as one", async () => {
    const [one, other] = [await startServer(), await startServer()];
    await one.create(Namespace, { metadata: { name: "shared" } });
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const start = (await other.list(ConfigMap, { namespace: "shared" })).metadata.resourceVersion!;
    const seen: string[] = [];
    const watching = (async () => {
      const options = { namespace: "shared", resourceVersion: start, signal: stop.signal };
      for await (const events of other.watch(ConfigMap, options)) {
        seen.push(...events.map(({ type, object }) => `${type} ${(object as ConfigMap).data?.["n"]}`));
        if (seen.some((text) => text.startsWith("DELETED"))) return;
      }
    })();
    const key = { namespace: "shared", name: "counter" };
    await one.create(ConfigMap, { metadata: key, data: { n: "0" } });
    for (let round = 1; round <= 20; round++) {
      const [reader, writer] = round % 2 ? [other, one] : [one, other];
      const read = await reader.get(ConfigMap, key);
      expect(read.data?.["n"]).toBe(String(round - 1));
      await writer.update(ConfigMap, { ...read, data: { n: String(round) } });
      await expect(reader.update(ConfigMap, read)).rejects.toMatchObject({ code: 409 });
      const listed = await reader.list(ConfigMap, { namespace: "shared" });
      expect(listed.items.map(({ data }) => data?.["n"])).toEqual([String(round)]);
    }
    await expect(other.create(ConfigMap, { metadata: key })).rejects.toMatchObject({
      reason: "AlreadyExists",
    });
    await one.delete(ConfigMap, key);
    await expect(other.get(ConfigMap, key)).rejects.toMatchObject({ code: 404 });
    await other.create(ConfigMap, { metadata: key });
    await watching;
    expect(seen).toEqual([
      "ADDED 0",
      ...Array.from({ length: 20 }, (_, index) => `MODIFIED ${index + 1}`),
      "DELETED 20",
    ]);
  });

  test("give services addresses and ports that are not given twice", async () => {
    const servers = [await startServer(), await startServer()];
    const made = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        servers[index % 2]!.create(Service, {
          metadata: at(`s${index}`),
          spec: { type: "NodePort", ports: [{ port: 80 }] },
        }),
      ),
    );
    const addresses = new Set(made.map(({ spec }) => spec?.clusterIP));
    expect(addresses.size).toBe(40);
    const held = await servers[0]!.list(IPAddress);
    expect(held.items.filter(({ metadata }) => addresses.has(metadata.name)).length).toBe(40);
    const ports = made.map(({ spec }) => spec.ports?.[0]?.nodePort);
    expect(new Set(ports).size).toBe(40);
    const wanted = (name: string, server: number) =>
      servers[server]!.create(Service, {
        metadata: at(name),
        spec: { type: "NodePort", ports: [{ port: 80, nodePort: 30_001 }] },
      });
    const both = await Promise.allSettled([wanted("a", 0), wanted("b", 1)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const refused = both.find((one) => one.status === "rejected");
    expect(String(refused?.reason)).toContain("provided port is already allocated");
    const [winner, loser] = both[0].status === "fulfilled" ? (["a", "b"] as const) : (["b", "a"] as const);
    await servers[0]!.delete(Service, at(winner));
    await wanted(loser, 1);
  });
});

describe.skipIf(!hasEtcd)("API servers on an etcd whose members are killed and stopped", () => {
  test(
    "lose no acknowledged write, and show each change once and in order",
    { timeout: (chaosSeconds + 90) * 1_000 },
    async () => {
      const cluster = await startMembers(3);
      onTestFinished(() => cluster.stop());
      const patience = { attemptTimeout: 2_000, requestTimeout: 10_000 };
      const servers = [
        await startServerOn(cluster, patience),
        await startServerOn(cluster, patience),
      ] as const;
      const names = ["one", "two", "three"];
      for (const name of names) await servers[0].create(ConfigMap, { metadata: at(name), data: { n: "0" } });
      const { resourceVersion } = (await servers[1].list(ConfigMap, { namespace: "default" })).metadata;
      const watches = servers.map((server) => follow(server, resourceVersion!));
      const until = Date.now() + chaosSeconds * 1_000;
      const counting = names.map(async (name) => {
        const counted = await Promise.all(servers.map((server) => count(server, { name, until })));
        return counted.reduce((sum, one) => ({
          acknowledged: sum.acknowledged + one.acknowledged,
          unknown: sum.unknown + one.unknown,
        }));
      });
      await disturb(cluster, { random: seededRandom(chaosSeed), until });
      for (const [index, name] of names.entries()) {
        const { acknowledged, unknown } = await counting[index]!;
        const finals = await Promise.all(servers.map((server) => server.get(ConfigMap, at(name))));
        const [final, other] = finals.map(({ data }) => Number(data?.["n"]));
        expect(other).toBe(final);
        expect(final).toBeGreaterThanOrEqual(acknowledged);
        expect(final).toBeLessThanOrEqual(acknowledged + unknown);
        expect(acknowledged).toBeGreaterThan(5);
        const expected = Array.from({ length: final! }, (_, number) => number + 1);
        for (const { seen } of watches) expect(seen.get(name)).toEqual(expected);
      }
      for (const { end } of watches) await end();
    },
  );
});
