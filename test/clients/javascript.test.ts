import * as k8s from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, type TestCluster } from "../../src/testing/index.ts";

const namespace = "default";
const labels = { app: "web" };

/** The JavaScript client of the Kubernetes project, as programs use it. */
describe("@kubernetes/client-node", () => {
  let cluster: TestCluster;
  const config = new k8s.KubeConfig();
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    config.loadFromString(await cluster.kubeconfig());
  });
  afterAll(() => cluster.stop());

  const core = () => config.makeApiClient(k8s.CoreV1Api);
  const apps = () => config.makeApiClient(k8s.AppsV1Api);
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 0,
      (error: unknown) => (error instanceof k8s.ApiException ? error.code : error),
    );

  test("reads and writes", async () => {
    const body = { metadata: { name: "crud", namespace }, data: { a: "1" } };
    const created = await core().createNamespacedConfigMap({ namespace, body });
    expect(created.metadata?.creationTimestamp).toBeInstanceOf(Date);
    expect(await codeOf(core().createNamespacedConfigMap({ namespace, body }))).toBe(409);
    const read = await core().readNamespacedConfigMap({ name: "crud", namespace });
    const data = { a: "2" };
    await core().replaceNamespacedConfigMap({ name: "crud", namespace, body: Object.assign(read, { data }) });
    read.data = {};
    const late = core().replaceNamespacedConfigMap({ name: "crud", namespace, body: read });
    expect(await codeOf(late)).toBe(409);
    const { items } = await core().listConfigMapForAllNamespaces({ fieldSelector: "metadata.name=crud" });
    expect(items.map((item) => item.data)).toEqual([data]);
    expect(await core().deleteNamespacedConfigMap({ name: "crud", namespace })).toMatchObject({
      status: "Success",
    });
    expect(await codeOf(core().readNamespacedConfigMap({ name: "crud", namespace }))).toBe(404);
  });

  test("patches of every kind", async () => {
    const body = { metadata: { name: "patched", namespace }, data: { a: "1" } };
    await core().createNamespacedConfigMap({ namespace, body });
    const patch = (strategy: k8s.PatchStrategy, change: object) =>
      core().patchNamespacedConfigMap(
        {
          name: "patched",
          namespace,
          body: change,
          fieldManager: "tests",
          ...(strategy === apply ? { force: true } : {}),
        },
        k8s.setHeaderOptions("Content-Type", strategy),
      );
    const apply = k8s.PatchStrategy.ServerSideApply;
    await patch(k8s.PatchStrategy.JsonPatch, [{ op: "add", path: "/data/b", value: "2" }]);
    await patch(k8s.PatchStrategy.MergePatch, { data: { c: "3" } });
    await patch(k8s.PatchStrategy.StrategicMergePatch, { data: { d: "4" } });
    const applied = await patch(apply, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "patched" },
      data: { e: "5" },
    });
    expect(applied.data).toEqual({ a: "1", b: "2", c: "3", d: "4", e: "5" });
    expect(applied.metadata?.managedFields?.map(({ operation }) => operation)).toContain("Apply");
  });

  test("objects of any kind", async () => {
    const client = k8s.KubernetesObjectApi.makeApiClient(config);
    const [object] = k8s.loadAllYaml(
      "apiVersion: v1\nkind: Secret\nmetadata: {name: generic, namespace: default}\nstringData: {a: b}\n",
    ) as [k8s.KubernetesObject & { metadata: { name: string; namespace: string } }];
    const created = (await client.create(object)) as k8s.V1Secret;
    expect(created.data).toEqual({ a: "Yg==" });
    expect(await client.read(object)).toMatchObject({ kind: "Secret" });
    const listed = await client.list("v1", "Secret", namespace);
    expect(listed.items.map(({ metadata }) => metadata?.name)).toContain("generic");
    await client.delete(object);
    expect(await codeOf(client.read(object))).toBe(404);
  });

  test("a watch tells of changes", async () => {
    const body = { metadata: { name: "watched", namespace, labels }, data: {} };
    const { metadata } = await core().createNamespacedConfigMap({ namespace, body });
    const seen: string[] = [];
    let end: (error: unknown) => void = () => {};
    const ended = new Promise<unknown>((resolve) => (end = resolve));
    const abort = await new k8s.Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { resourceVersion: metadata?.resourceVersion, labelSelector: "app=web" },
      (type, object: k8s.KubernetesObject) => {
        seen.push(`${type} ${object.metadata?.name}`);
        if (type === "DELETED") end(undefined);
      },
      (error) => end(error),
    );
    await core().patchNamespacedConfigMap(
      { name: "watched", namespace, body: { data: { a: "1" } } },
      k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.MergePatch),
    );
    await core().deleteNamespacedConfigMap({ name: "watched", namespace });
    expect(await ended).toBeUndefined();
    abort.abort();
    expect(seen).toEqual(["MODIFIED watched", "DELETED watched"]);
  });

  test("an informer follows objects", async () => {
    const list = () => core().listNamespacedConfigMap({ namespace, labelSelector: "informer=yes" });
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const informer = k8s.makeInformer(config, path, list, "informer=yes");
    const waiting = new Map<string, () => void>();
    for (const verb of ["add", "update", "delete"] as const)
      informer.on(verb, (object) => waiting.get(`${verb} ${object.metadata?.name}`)?.());
    const told = (event: string) => new Promise<void>((resolve) => waiting.set(event, resolve));
    const create = (name: string) =>
      core().createNamespacedConfigMap({
        namespace,
        body: { metadata: { name, namespace, labels: { informer: "yes" } } },
      });
    await create("informer-a");
    const first = told("add informer-a");
    await informer.start();
    await first;
    const second = told("add informer-b");
    await create("informer-b");
    await second;
    await informer.stop();
    await create("informer-c");
    const third = told("add informer-c");
    await informer.start();
    await third;
    const gone = told("delete informer-a");
    await core().deleteNamespacedConfigMap({ name: "informer-a", namespace });
    await gone;
    expect(informer.list().map(({ metadata }) => metadata?.name)).toEqual(["informer-b", "informer-c"]);
    await informer.stop();
  });

  test("a lease is held by one", async () => {
    const leases = config.makeApiClient(k8s.CoordinationV1Api);
    const lease = (holderIdentity: string) => ({
      metadata: { name: "leader", namespace },
      spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: new k8s.V1MicroTime() },
    });
    const created = await leases.createNamespacedLease({ namespace, body: lease("one") });
    expect(String(created.spec?.renewTime)).toMatch(/^\d{4}-.*\.\d{6}Z$/);
    const { resourceVersion } = created.metadata ?? {};
    const claim = (holderIdentity: string) => ({
      ...lease(holderIdentity),
      metadata: { name: "leader", namespace, resourceVersion },
    });
    const claimBy = (holder: string) =>
      leases.replaceNamespacedLease({ name: "leader", namespace, body: claim(holder) as k8s.V1Lease });
    const renewed = await claimBy("one");
    expect(await codeOf(claimBy("two"))).toBe(409);
    expect(renewed.spec?.holderIdentity).toBe("one");
  });

  test("deployments, scale, rights, logs of no pod", async () => {
    const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } };
    const body = {
      metadata: { name: "web", namespace },
      spec: { selector: { matchLabels: labels }, template },
    };
    await apps().createNamespacedDeployment({ namespace, body });
    const scale = await apps().readNamespacedDeploymentScale({ name: "web", namespace });
    expect(scale.spec?.replicas).toBe(1);
    await apps().replaceNamespacedDeploymentScale({
      name: "web",
      namespace,
      body: Object.assign(scale, { spec: { replicas: 0 } }),
    });
    const review = await config.makeApiClient(k8s.AuthorizationV1Api).createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb: "delete", resource: "pods" } } },
    });
    expect(review.status?.allowed).toBe(true);
    expect(await codeOf(core().readNamespacedPodLog({ name: "none", namespace }))).toBe(404);
    const gone = await apps().deleteNamespacedDeployment({
      name: "web",
      namespace,
      propagationPolicy: "Foreground",
    });
    expect(gone).toBeDefined();
    const version = await config.makeApiClient(k8s.VersionApi).getCode();
    expect(version).toMatchObject({ major: "1", minor: "36" });
  });
});
