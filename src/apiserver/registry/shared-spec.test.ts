import { expect, test } from "vitest";
import { Pod } from "../../api/types/core-v1.ts";
import { startCluster } from "../../testing/index.ts";

test("pods of one template hold one spec, each with its own name, status and errors", async () => {
  const cluster = await startCluster({ nodes: 0 });
  const { client } = cluster;
  const namespace = "default";
  const podOf = (name: string, image = "registry.example.com/web:1") => ({
    metadata: { name, namespace, labels: { app: "web" } },
    spec: { containers: [{ name: "web", image }] },
  });
  for (const name of ["a", "b", "c"]) await client.create(Pod, podOf(name));
  const specOf = async (name: string) => (await client.get(Pod, { namespace, name })).spec;
  expect(await specOf("c")).toBe(await specOf("b"));
  await expect(client.create(Pod, podOf("d", " "))).rejects.toThrow("must not have leading or trailing");
  await expect(client.create(Pod, podOf("e", " "))).rejects.toThrow("must not have leading or trailing");

  const changed = await client
    .patch(
      Pod,
      { namespace, name: "b" },
      { type: "merge", body: { spec: { containers: null, activeDeadlineSeconds: 5 } } },
    )
    .catch((error: unknown) => String(error));
  expect(changed).toContain("spec.containers: Required value");
  await client.patch(
    Pod,
    { namespace, name: "b" },
    { type: "merge", body: { spec: { activeDeadlineSeconds: 5 } } },
  );
  expect((await specOf("b")).activeDeadlineSeconds).toBe(5);
  expect((await specOf("c")).activeDeadlineSeconds).toBeUndefined();
  const [first, second] = (await client.get(Pod, { namespace, name: "c" })).metadata.managedFields ?? [];
  expect(Object.keys(first?.fieldsV1 ?? {})).toEqual(["f:metadata", "f:spec"]);
  expect(second).toBeUndefined();
  await cluster.stop();
});
