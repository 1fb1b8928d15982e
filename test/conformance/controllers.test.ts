import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VirtualClock } from "../../src/testing/index.ts";
import { Api, type Body } from "./api.ts";

const minute = 60_000;
const step = 5_000;
const labels = { app: "web" };
const containers = [{ name: "web", image: "web:1" }];

/** On a virtual clock, which moves only while a test waits for something that takes time. */
describe("controllers", () => {
  const clock = new VirtualClock(Date.UTC(2024, 0, 1));
  let api: Api;
  beforeAll(async () => {
    api = await Api.start({ nodes: 0, clock });
  });
  afterAll(async () => {
    await passing(() => api.stop());
  });

  /** Lets time pass until the work is done. */
  async function passing<T>(work: () => Promise<T>): Promise<T> {
    const done = new AbortController();
    const turn = async () => {
      while (!done.signal.aborted) {
        await clock.advance(step);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const turning = turn();
    try {
      return await work();
    } finally {
      done.abort();
      await turning;
    }
  }

  async function pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += step) {
      await clock.advance(step);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  const until = (path: string, holds: (list: Body) => boolean) => passing(() => api.until(path, holds));
  const inNamespace = (name: string) => passing(() => api.namespace(name));

  test("[sig-api-machinery] ResourceQuota should apply changes to a resourcequota status [Conformance]", async () => {
    const path = await inNamespace("quota-status");
    const quota = `${path}/resourcequotas/one`;
    await api.create(`${path}/resourcequotas`, {
      metadata: { name: "one" },
      spec: { hard: { cpu: "500m" } },
    });
    const shows = (cpu: string) => (list: Body) =>
      (list.items[0]?.["status"] as { hard?: { cpu?: string } })?.hard?.cpu === cpu;
    await until(`${path}/resourcequotas`, shows("500m"));
    const current = await api.get(quota);
    await api.update(`${quota}/status`, { ...current, status: { hard: { cpu: "2" } } });
    // The controller puts right what the specification does not say.
    await until(`${path}/resourcequotas`, shows("500m"));
    await api.patch(`${quota}/status`, { status: { hard: { cpu: "3" } } });
    await until(`${path}/resourcequotas`, shows("500m"));
  });

  const batch = (namespace: string, rest: string) => `/apis/batch/v1/namespaces/${namespace}/${rest}`;
  const cronJob = (spec: object) => ({
    metadata: { name: "cron" },
    spec: {
      schedule: "*/1 * * * ?",
      jobTemplate: { spec: { template: { spec: { containers, restartPolicy: "OnFailure" } } } },
      ...spec,
    },
  });
  const activeOf = async (namespace: string) => {
    const { status } = (await api.get(batch(namespace, "cronjobs/cron"))) as Body & {
      status: { active?: readonly { name: string }[] };
    };
    return (status.active ?? []).map(({ name }) => name);
  };

  test("[sig-apps] CronJob should schedule multiple jobs concurrently [Conformance]", async () => {
    await inNamespace("concurrent");
    await api.create(batch("concurrent", "cronjobs"), cronJob({ concurrencyPolicy: "Allow" }));
    await until(batch("concurrent", "jobs"), ({ items }) => items.length > 1);
    const active = (list: Body) =>
      ((list.items[0]?.["status"] as { active?: unknown[] })?.active ?? []).length > 1;
    await until(batch("concurrent", "cronjobs"), active);
    await api.delete(batch("concurrent", "cronjobs/cron"));
  });

  test("[sig-apps] CronJob should not schedule jobs when suspended [Slow] [Conformance]", async () => {
    await inNamespace("suspended");
    await api.create(batch("suspended", "cronjobs"), cronJob({ suspend: true }));
    await pass(5 * minute);
    expect((await api.get(batch("suspended", "jobs"))).items).toEqual([]);
    await api.delete(batch("suspended", "cronjobs/cron"));
  });

  test("[sig-apps] CronJob should not schedule new jobs when ForbidConcurrent [Slow] [Conformance]", async () => {
    await inNamespace("forbid");
    await api.create(batch("forbid", "cronjobs"), cronJob({ concurrencyPolicy: "Forbid" }));
    const { items } = await until(batch("forbid", "jobs"), (list) => list.items.length === 1);
    await pass(5 * minute);
    const names = (await api.get(batch("forbid", "jobs"))).items.map(({ metadata }) => metadata.name);
    expect([names, await activeOf("forbid")]).toEqual([[items[0]?.metadata.name], [items[0]?.metadata.name]]);
    await api.delete(batch("forbid", "cronjobs/cron"));
  });

  test("[sig-apps] CronJob should replace jobs when ReplaceConcurrent [Conformance]", async () => {
    await inNamespace("replace");
    await api.create(batch("replace", "cronjobs"), cronJob({ concurrencyPolicy: "Replace" }));
    const { items } = await until(batch("replace", "jobs"), (list) => list.items.length === 1);
    const first = items[0]?.metadata.name;
    const replaced = ({ items: [job, ...others] }: Body) =>
      job !== undefined && others.length === 0 && job.metadata.name !== first;
    await until(batch("replace", "jobs"), replaced);
    await api.delete(batch("replace", "cronjobs/cron"));
  });

  test("[sig-apps] Job should manage the lifecycle of a job [Conformance]", async () => {
    await inNamespace("job");
    const jobs = batch("job", "jobs");
    const template = { spec: { containers, restartPolicy: "OnFailure" } };
    await api.create(jobs, {
      metadata: { name: "one", labels: { "e2e-job": "one" } },
      spec: { suspend: true, parallelism: 2, completions: 2, backoffLimit: 6, template },
    });
    await api.patch(`${jobs}/one`, { metadata: { labels: { one: "patched" } }, spec: { suspend: false } });
    await until("/api/v1/namespaces/job/pods", ({ items }) => items.length === 2);
    const active = ({ items }: Body) =>
      (items[0]?.["status"] as { active?: number } | undefined)?.active === 2;
    const { items } = await until(jobs, active);
    const [job] = items;
    expect(job?.metadata.labels).toMatchObject({ one: "patched" });
    const annotations = { updated: "true" };
    await api.update(`${jobs}/one`, { ...job, metadata: { ...job?.metadata, annotations } });
    expect((await api.get("/apis/batch/v1/jobs?labelSelector=one%3Dpatched")).items).toHaveLength(1);
    await api.delete(`${jobs}?labelSelector=one%3Dpatched&propagationPolicy=Background`);
    await until(jobs, (list) => list.items.length === 0);
    await until("/api/v1/namespaces/job/pods", (list) => list.items.length === 0);
  });

  test("[sig-apps] DisruptionController should create a PodDisruptionBudget [Conformance]", async () => {
    await inNamespace("budgets");
    const budgets = "/apis/policy/v1/namespaces/budgets/poddisruptionbudgets";
    const processed = (generation: number) => (list: Body) =>
      (list.items[0]?.["status"] as { observedGeneration?: number })?.observedGeneration === generation;
    const selector = { matchLabels: labels };
    await api.create(budgets, { metadata: { name: "one" }, spec: { minAvailable: 1, selector } });
    await until(budgets, processed(1));
    const current = await api.get(`${budgets}/one`);
    await api.update(`${budgets}/one`, { ...current, spec: { minAvailable: 2, selector } });
    await until(budgets, processed(2));
    const patched = await api.patch(`${budgets}/one`, { spec: { minAvailable: "50%" } });
    expect(patched["spec"]).toMatchObject({ minAvailable: "50%" });
    await until(budgets, processed(3));
    await api.delete(`${budgets}/one`);
    expect((await api.get(budgets)).items).toEqual([]);
  });

  test("[sig-auth] ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace [Conformance]", async () => {
    const path = await inNamespace("authority");
    const name = "kube-root-ca.crt";
    const named = `${path}/configmaps?fieldSelector=metadata.name%3D${name}`;
    const { items } = await until(named, (list) => list.items.length === 1);
    const data = items[0]?.["data"];
    await api.delete(`${path}/configmaps/${name}`);
    await until(named, (list) => list.items.length === 1);
    await api.update(`${path}/configmaps/${name}`, { metadata: { name }, data: { "ca.crt": "wrong" } });
    const right = (list: Body) => JSON.stringify(list.items[0]?.["data"]) === JSON.stringify(data);
    await until(named, right);
  });

  const slicesOf = (namespace: string, service: string) =>
    `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io/service-name%3D${service}`;
  const emptyService = {
    metadata: { name: "example-empty-selector" },
    spec: { selector: { "does-not-match-anything": "endpoints" }, ports: [{ name: "example", port: 80 }] },
  };

  test("[sig-network] EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods [Conformance]", async () => {
    const path = await inNamespace("slices");
    await api.create(`${path}/services`, emptyService);
    const slices = slicesOf("slices", "example-empty-selector");
    const { items } = await until(slices, (list) => list.items.length === 1);
    expect(items[0]).toMatchObject({ endpoints: null });
    await api.delete(`${path}/services/example-empty-selector`);
    await until(slices, (list) => list.items.length === 0);
  });

  test("[sig-network] EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods [Conformance]", async () => {
    const path = await inNamespace("endpoints");
    await api.create(`${path}/services`, emptyService);
    const { items } = await until(`${path}/endpoints`, (list) => list.items.length === 1);
    expect(items[0]).not.toHaveProperty("subsets");
    await api.delete(`${path}/services/example-empty-selector`);
    await until(`${path}/endpoints`, (list) => list.items.length === 0);
  });

  test("[sig-network] EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete [Conformance]", async () => {
    const path = await inNamespace("mirrored");
    const metadata = { name: "example-custom-endpoints" };
    await api.create(`${path}/services`, { metadata, spec: { ports: [{ name: "example", port: 80 }] } });
    const subsets = (ip: string) => [{ addresses: [{ ip }], ports: [{ name: "example", port: 80 }] }];
    await api.create(`${path}/endpoints`, { metadata, subsets: subsets("10.1.2.3") });
    const slices = slicesOf("mirrored", metadata.name);
    const holds = (ip: string) => (list: Body) =>
      JSON.stringify(
        list.items.map(({ endpoints }) => (endpoints as { addresses: unknown }[])[0]?.addresses),
      ) === JSON.stringify([[ip]]);
    await until(slices, holds("10.1.2.3"));
    await api.update(`${path}/endpoints/${metadata.name}`, { metadata, subsets: subsets("10.2.3.4") });
    await until(slices, holds("10.2.3.4"));
    await api.delete(`${path}/endpoints/${metadata.name}`);
    await until(slices, (list) => list.items.length === 0);
  });

  const volumes = "/api/v1/persistentvolumes";
  const volumeSpec = (storageClassName: string) => ({
    storageClassName,
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: "1Gi" },
    persistentVolumeReclaimPolicy: "Retain",
    csi: { driver: "example.com", volumeHandle: storageClassName },
  });
  const claimSpec = (storageClassName: string) => ({
    storageClassName,
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
  });
  const bound = ({ items }: Body) => (items[0]?.["status"] as { phase?: string })?.phase === "Bound";

  test("[sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC [Conformance]", async () => {
    const path = await inNamespace("volumes");
    const claims = `${path}/persistentvolumeclaims`;
    const metadata = { name: "one", labels: { "e2e-pv": "one" } };
    await api.create(volumes, { metadata, spec: volumeSpec("one") });
    await api.create(claims, { metadata, spec: claimSpec("one") });
    await until(claims, bound);
    for (const object of [`${volumes}/one`, `${claims}/one`]) {
      await passing(() => api.patch(object, { metadata: { labels: { one: "patched" } } }));
      const current = await api.get(object);
      const updated = { ...current.metadata.labels, one: "updated" };
      await api.update(object, { ...current, metadata: { ...current.metadata, labels: updated } });
    }
    const listed = await api.get("/api/v1/persistentvolumeclaims?labelSelector=one%3Dupdated");
    expect(listed.items.map(({ metadata: { name } }) => name)).toEqual(["one"]);
    await api.delete(`${claims}?labelSelector=one%3Dupdated`);
    await until(claims, (list) => list.items.length === 0);
    await api.delete(`${volumes}?labelSelector=one%3Dupdated`);
    await until(volumes, (list) => list.items.length === 0);
  });

  test("[sig-storage] PersistentVolumes CSI Conformance should apply changes to a pv/pvc status [Conformance]", async () => {
    const path = await inNamespace("volume-status");
    const claim = `${path}/persistentvolumeclaims/two`;
    await api.create(volumes, { metadata: { name: "two" }, spec: volumeSpec("two") });
    await api.create(`${path}/persistentvolumeclaims`, { metadata: { name: "two" }, spec: claimSpec("two") });
    await until(`${path}/persistentvolumeclaims`, bound);
    const condition = {
      type: "StatusPatched",
      status: "True",
      reason: "E2E patchStatus",
      message: "Set by e2e test",
    };
    const patched = await api.patch(`${claim}/status`, { status: { conditions: [condition] } });
    expect(patched["status"]).toMatchObject({ phase: "Bound", conditions: [condition] });
    const status = patched["status"] as object;
    const conditions = [{ ...condition, type: "StatusUpdated" }];
    const updated = await api.update(`${claim}/status`, { ...patched, status: { ...status, conditions } });
    expect(updated["status"]).toMatchObject({ conditions });
    const message = { status: { message: "StatusPatched", reason: "E2E patchStatus" } };
    const volume = await api.patch(`${volumes}/two/status`, message);
    expect(volume).toMatchObject(message);
    const changed = { ...(volume["status"] as object), message: "StatusUpdated" };
    expect(await api.update(`${volumes}/two/status`, { ...volume, status: changed })).toMatchObject({
      status: changed,
    });
  });

  test("[sig-api-machinery] Servers with support for API chunking should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent [Slow] [Conformance]", async () => {
    const path = await inNamespace("chunks");
    const templates = `${path}/podtemplates`;
    const names = Array.from({ length: 12 }, (_, index) => `template-${String(index).padStart(4, "0")}`);
    for (const name of names)
      await api.create(templates, {
        metadata: { name },
        template: { metadata: { labels }, spec: { containers } },
      });
    const first = await api.get(`${templates}?limit=4`);
    // Only a version that is not the newest goes away, with the second compaction after it.
    await api.create(`${path}/configmaps`, { metadata: { name: "newer" } });
    await pass(11 * minute);
    const { status, body } = await api.send(`${templates}?limit=4&continue=${first.metadata.continue}`);
    expect([status, body["reason"]]).toEqual([410, "Expired"]);
    const second = await api.get(`${templates}?limit=4&continue=${body.metadata.continue}`);
    expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
    const third = await api.get(`${templates}?continue=${second.metadata.continue}`);
    expect(third.metadata.resourceVersion).toBe(second.metadata.resourceVersion);
    const seen = [first, second, third].flatMap(({ items }) => items.map(({ metadata }) => metadata.name));
    expect(seen).toEqual(names);
  });
});
