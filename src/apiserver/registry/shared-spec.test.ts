import { expect, test } from "vitest";
import { Pod } from "../../api/types/core-v1.ts";
import { startCluster } from "../../testing/index.ts";

test("pods of one template hold one spec, each with its own name, status and errors", async () => {
  const cluster = await startCluster({ nodes: 0 });
  const { client } = cluster;
  const namespace = "default";
  const podOf = (image: string) => ({
    metadata: { generateName: "web-", namespace, labels: { app: "web" } },
    spec: { schedulerName: "none", containers: [{ name: "web", image }] },
  });
  const create = async (image = "registry.example.com/web:1") =>
    (await client.create(Pod, podOf(image))).metadata.name ?? "";
  const [, b, c] = [await create(), await create(), await create()];
  const specOf = async (name: string) => (await client.get(Pod, { namespace, name })).spec;
  expect(await specOf(c)).toBe(await specOf(b));
  for (let time = 0; time < 3; time++) {
    await expect(create(" ")).rejects.toThrow("must not have leading or trailing");
  }

  const key = { namespace, name: b };
  const emptied = client.patch(Pod, key, { type: "merge", body: { spec: { containers: null } } });
  await expect(emptied).rejects.toThrow("spec.containers: Required value");
  await client.patch(Pod, key, { type: "merge", body: { spec: { activeDeadlineSeconds: 5 } } });
  expect((await specOf(b)).activeDeadlineSeconds).toBe(5);
  expect((await specOf(c)).activeDeadlineSeconds).toBeUndefined();
  const managers = (await client.get(Pod, { namespace, name: c })).metadata.managedFields ?? [];
  expect(managers.map(({ fieldsV1 }) => Object.keys(fieldsV1 ?? {}))).toEqual([["f:metadata", "f:spec"]]);
  await cluster.stop();
});
