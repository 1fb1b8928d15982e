import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import { ConfigMap, Namespace, Service } from "../../src/api/types/core-v1.ts";
import { IPAddress } from "../../src/api/types/networking-v1.ts";
import { generateServiceAccountKey } from "../../src/apiserver/authentication/index.ts";
import { createControlPlane } from "../../src/control-plane/index.ts";
import { connectEtcdStore } from "../../src/etcd/client/index.ts";
import { hasEtcd } from "./harness.ts";
import { startMembers } from "./members.ts";
import type { EtcdCluster } from "./members.ts";

const at = (name: string) => ({ namespace: "default", name });

describe.skipIf(!hasEtcd)("API servers on one etcd", () => {
  let cluster: EtcdCluster;
  beforeAll(async () => void (cluster = await startMembers(1)));
  afterAll(() => cluster.stop());

  /** A control plane without controllers, and a client of it. */
  async function startServer() {
    const outside = { clock: systemClock, logger: silentLogger, random: systemRandom };
    const store = await connectEtcdStore({ servers: cluster.urls, ...outside });
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

  test("give services addresses that are not given twice", async () => {
    const servers = [await startServer(), await startServer()];
    const made = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        servers[index % 2]!.create(Service, {
          metadata: at(`s${index}`),
          spec: { ports: [{ port: 80 }] },
        }),
      ),
    );
    const addresses = new Set(made.map(({ spec }) => spec?.clusterIP));
    expect(addresses.size).toBe(40);
    const held = await servers[0]!.list(IPAddress);
    expect(held.items.filter(({ metadata }) => addresses.has(metadata.name)).length).toBe(40);
  });
});
