import { expect, it, onTestFinished } from "vitest";
import { Deployment } from "../api/types/apps-v1.ts";
import { ConfigMap, Pod } from "../api/types/core-v1.ts";
import { startCluster, type TestCluster } from "./index.ts";

const labels = { app: "web" };
const web = {
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } },
  },
};
const key = { namespace: "default", name: "web" };

/** Settles when so many pods run. */
async function running({ client }: TestCluster, count: number): Promise<readonly string[]> {
  const names = async () =>
    (await client.list(Pod, { namespace: "default" })).items
      .filter(({ status, metadata }) => status.phase === "Running" && !metadata.deletionTimestamp)
      .map(({ metadata }) => metadata.name)
      .toSorted();
  const stop = new AbortController();
  for await (const _ of client.watch(Pod, { signal: stop.signal })) {
    if ((await names()).length === count) stop.abort();
  }
  return names();
}

it("branches a cluster, running and stopped, into ones that go their own way", async () => {
  const trunk = await startCluster();
  await trunk.client.create(Deployment, web);
  const pods = await running(trunk, 2);

  const branch = await trunk.branch();
  onTestFinished(() => branch.stop());
  expect(await running(branch, 2)).toEqual(pods);
  const scale = { type: "merge", body: { spec: { replicas: 3 } } } as const;
  await branch.client.patch(Deployment, key, scale, { subresource: "scale" });
  expect((await running(branch, 3)).length).toBe(3);
  const note = { metadata: { name: "note", namespace: "default" } };
  await trunk.client.create(ConfigMap, note);
  expect(await running(trunk, 2)).toEqual(pods);
  await expect(branch.client.get(ConfigMap, note.metadata)).rejects.toThrow("not found");

  await trunk.stop();
  const later = await trunk.branch();
  onTestFinished(() => later.stop());
  expect(await running(later, 2)).toEqual(pods);
  expect((await later.client.get(ConfigMap, note.metadata)).metadata.name).toBe("note");
});
