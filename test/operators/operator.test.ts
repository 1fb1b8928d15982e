import * as k8s from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServedCluster } from "./served-cluster.ts";
import { finalizer, group, plural, version, websiteDefinition, WebsiteOperator } from "./website-operator.ts";

const namespace = "default";
const timeout = 60_000;
const websites = `/apis/${group}/${version}/namespaces/${namespace}/${plural}`;
const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
const replicaSets = `/apis/apps/v1/namespaces/${namespace}/replicasets`;

/** An operator as people write them, with the JavaScript client of the Kubernetes project. */
describe("an operator", () => {
  let cluster: ServedCluster;
  let operator: WebsiteOperator;

  beforeAll(async () => {
    cluster = await ServedCluster.start();
    const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    expect((await cluster.ask("POST", definitions, websiteDefinition)).status).toBe(201);
    await cluster.until(async () => (await cluster.ask("GET", websites)).status === 200);
    const config = new k8s.KubeConfig();
    config.loadFromString(cluster.kubeconfig);
    operator = new WebsiteOperator(config);
    await operator.start();
  }, timeout);
  afterAll(async () => {
    await operator.stop();
    await cluster.stop();
  });

  const get = async (collection: string, name: string) => cluster.ask("GET", `${collection}/${name}`);
  const create = async (name: string, spec: object) => {
    const body = { apiVersion: `${group}/${version}`, kind: "Website", metadata: { name }, spec };
    const { status, text } = await cluster.ask("POST", websites, body);
    expect(status, text).toBe(201);
  };
  const change = (name: string, body: object) =>
    cluster.ask("PATCH", `${websites}/${name}`, body, { "content-type": "application/merge-patch+json" });
  /** Whether the operator has seen to what is asked for now. */
  const isDone = async (name: string) => {
    const { metadata, status } = (await get(websites, name)).body;
    return status?.observedGeneration === metadata.generation;
  };

  test(
    "brings about what is asked for, and reports it",
    async () => {
      await create("first", { content: "hello" });
      await cluster.until(() => isDone("first"));
      const { body: website } = await get(websites, "first");
      expect(website).toMatchObject({
        metadata: { generation: 1, finalizers: [finalizer] },
        spec: { replicas: 1 },
        status: { conditions: [{ type: "Ready", status: "True", message: "hello" }] },
      });
      expect((await get(configMaps, "first")).body.data).toEqual({ "index.html": "hello" });
      const { body: deployment } = await get(deployments, "first");
      expect(deployment.metadata.ownerReferences[0].uid).toBe(website.metadata.uid);
      const managers: readonly { subresource?: string }[] = website.metadata.managedFields;
      expect(managers.map(({ subresource }) => subresource)).toContain("status");
    },
    timeout,
  );

  test(
    "goes on where its watch ended",
    async () => {
      await create("second", { content: "one" });
      const before = operator.endedWatches;
      await cluster.until(() => operator.endedWatches > before + 1);
      await change("second", { spec: { content: "two", replicas: 3 } });
      await cluster.until(() => isDone("second"));
      expect((await get(configMaps, "second")).body.data).toEqual({ "index.html": "two" });
      expect((await get(deployments, "second")).body.spec.replicas).toBe(3);
      expect(operator.errors).toEqual([]);
    },
    timeout,
  );

  test(
    "tries again what others' changes came between",
    async () => {
      await create("third", { content: "start" });
      for (let index = 0; index < 20; index++) {
        const answer = await change("third", { spec: { content: `change ${index}` } });
        expect(answer.status).toBe(200);
      }
      await cluster.until(() => isDone("third"));
      const { body: website } = await get(websites, "third");
      expect(website.metadata.generation).toBe(21);
      expect((await get(configMaps, "third")).body.data).toEqual({ "index.html": "change 19" });
      // One who writes what is out of date is refused, and may go on from what there is.
      const stale = { ...website, metadata: { ...website.metadata, resourceVersion: "1" } };
      const refused = await cluster.ask("PUT", `${websites}/third/status`, stale);
      expect([refused.status, refused.body.reason]).toEqual([409, "Conflict"]);
      expect(refused.body.message).toContain("the object has been modified; please apply your changes");
      expect(operator.errors).toEqual([]);
    },
    timeout,
  );

  test(
    "is asked before an object goes, and what belonged to it goes, too",
    async () => {
      await create("fourth", { content: "bye" });
      await cluster.until(() => isDone("fourth"));
      await cluster.until(async () => (await cluster.ask("GET", replicaSets)).text.includes('"fourth-'));
      const deleted = await cluster.ask("DELETE", `${websites}/fourth`);
      expect(deleted.body.metadata.deletionTimestamp).toBeDefined();
      await cluster.until(async () => (await get(websites, "fourth")).status === 404);
      expect(operator.cleaned).toEqual(["fourth"]);
      for (const collection of [configMaps, deployments]) {
        await cluster.until(async () => (await get(collection, "fourth")).status === 404);
      }
      await cluster.until(async () => !(await cluster.ask("GET", replicaSets)).text.includes('"fourth-'));
      // Those of others stay.
      expect((await get(configMaps, "first")).status).toBe(200);
      expect(operator.errors).toEqual([]);
    },
    timeout,
  );
});
