import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import type { V1ConfigMap } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster } from "../../src/testing/index.ts";
import type { TestCluster } from "../../src/testing/index.ts";

let cluster: TestCluster;
const config = new KubeConfig();
const namespace = "default";

beforeAll(async () => {
  cluster = await startCluster({ nodes: 0 });
  config.loadFromString(await cluster.kubeconfig());
});
afterAll(() => cluster.stop());

test("JavaScript's client creates, reads, patches, applies, lists and deletes", async () => {
  const core = config.makeApiClient(CoreV1Api);
  const made = await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name: "js", labels: { app: "js" } }, data: { a: "1" } },
  });
  expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date);
  const merged = await core.patchNamespacedConfigMap(
    { namespace, name: "js", body: { data: { b: "2" } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
  expect(merged.data).toEqual({ a: "1", b: "2" });
  const applied = await core.patchNamespacedConfigMap(
    {
      namespace,
      name: "js",
      fieldManager: "tests",
      body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "js" }, data: { c: "3" } },
    },
    setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply),
  );
  expect(applied.data).toEqual({ a: "1", b: "2", c: "3" });
  const list = await core.listNamespacedConfigMap({ namespace, labelSelector: "app=js" });
  expect(list.items.map(({ metadata }) => metadata?.name)).toEqual(["js"]);
  await core.deleteNamespacedConfigMap({ namespace, name: "js" });
  await expect(core.readNamespacedConfigMap({ namespace, name: "js" })).rejects.toMatchObject({ code: 404 });
});

test("JavaScript's client is told what is wrong with an object", async () => {
  const apps = config.makeApiClient(AppsV1Api);
  const template = { metadata: { labels: { app: "x" } }, spec: { containers: [] } };
  const body = { metadata: { name: "x" }, spec: { selector: { matchLabels: { app: "y" } }, template } };
  await expect(apps.createNamespacedDeployment({ namespace, body })).rejects.toMatchObject({
    code: 422,
    body: expect.stringContaining("`selector` does not match template `labels`"),
  });
});

test("JavaScript's informer sees an object come, change and go", async () => {
  const core = config.makeApiClient(CoreV1Api);
  const selector = "watched=yes";
  const informer = makeInformer<V1ConfigMap>(
    config,
    `/api/v1/namespaces/${namespace}/configmaps`,
    () => core.listNamespacedConfigMap({ namespace, labelSelector: selector }),
    selector,
  );
  const seen: string[] = [];
  const gone = new Promise<void>((resolve) => {
    informer.on("add", ({ data }) => void seen.push(`add ${data?.["a"]}`));
    informer.on("update", ({ data }) => void seen.push(`update ${data?.["a"]}`));
    informer.on("delete", ({ data }) => {
      seen.push(`delete ${data?.["a"]}`);
      resolve();
    });
  });
  await informer.start();
  const metadata = { name: "seen", labels: { watched: "yes" } };
  await core.createNamespacedConfigMap({ namespace, body: { metadata, data: { a: "1" } } });
  await core.replaceNamespacedConfigMap({ namespace, name: "seen", body: { metadata, data: { a: "2" } } });
  await core.deleteNamespacedConfigMap({ namespace, name: "seen" });
  await gone;
  await informer.stop();
  expect(seen).toEqual(["add 1", "update 2", "delete 2"]);
});
