import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyOf } from "../../apimachinery/index.ts";
import type { KubernetesObject, New } from "../../apimachinery/index.ts";
import { ConfigMap, Pod, ResourceQuota, Service } from "../../api/types/core-v1.ts";
import { fixedCatalog } from "../framework/index.ts";
import { Harness } from "../testing/harness.ts";
import { planQuotaStatus } from "./plan.ts";
import { resourceQuotaController } from "./index.ts";

const pod = (name: string, rest: object = {}): New<Pod> => ({
  metadata: { name, namespace: "shop" },
  spec: { containers: [{ name: "c", resources: { requests: { cpu: "250m" } } }] },
  ...rest,
});

const quota = (spec: object, status: object = {}): ResourceQuota =>
  ({ metadata: { name: "q", namespace: "shop" }, spec, status }) as unknown as ResourceQuota;

describe("plan", () => {
  const pods = (...objects: object[]) => [
    { resource: Pod, objects: objects as unknown as readonly KubernetesObject[] },
  ];
  const done = { status: { phase: "Succeeded" } };
  const bestEffort = { spec: { containers: [{ name: "c" }] } };
  const cases: readonly (readonly [string, ResourceQuota, readonly object[], object | undefined])[] = [
    [
      "sums what is asked for; a pod that is over holds nothing",
      quota({ hard: { pods: "5", "requests.cpu": "2" } }),
      [pod("a"), pod("b"), pod("c", done)],
      { hard: { pods: "5", "requests.cpu": "2" }, used: { pods: "2", "requests.cpu": "500m" } },
    ],
    [
      "counts only what its scopes take in",
      quota({ hard: { pods: "5" }, scopes: ["BestEffort"] }),
      [pod("a"), pod("b", bestEffort)],
      { hard: { pods: "5" }, used: { pods: "1" } },
    ],
    [
      "nothing is used of what nothing takes",
      quota({ hard: { pods: "5" } }),
      [],
      { hard: { pods: "5" }, used: { pods: "0" } },
    ],
    [
      "keeps what it cannot count",
      quota(
        { hard: { "count/gone.example.com": "1" } },
        { hard: {}, used: { "count/gone.example.com": "1" } },
      ),
      [],
      { hard: { "count/gone.example.com": "1" }, used: { "count/gone.example.com": "1" } },
    ],
    [
      "the same amount in other words is no change",
      quota(
        { hard: { "requests.cpu": "1" } },
        { hard: { "requests.cpu": "1000m" }, used: { "requests.cpu": "0.25" } },
      ),
      [pod("a")],
      undefined,
    ],
  ];
  for (const [name, given, objects, expected] of cases) {
    test(name, () => expect(planQuotaStatus(given, { counted: pods(...objects), now: 0 })).toEqual(expected));
  }
});

describe("controller", () => {
  let harness: Harness;
  beforeEach(() => {
    harness = new Harness();
    harness.start([resourceQuotaController], {
      catalog: fixedCatalog([Pod, Service, ConfigMap, ResourceQuota] as never),
    });
  });
  afterEach(() => harness.stop());

  const used = async () => (await harness.list(ResourceQuota))[0]?.status?.used;
  const create = (hard: object) =>
    harness.create(ResourceQuota, { metadata: { name: "q", namespace: "shop" }, spec: { hard } } as never);

  test("counts at once, again when its spec changes, and frees what is deleted", async () => {
    const one = await harness.create(Pod, pod("one"));
    await harness.create(ConfigMap, { metadata: { name: "c", namespace: "shop" } });
    await harness.create(Pod, { ...pod("two"), metadata: { name: "two", namespace: "other" } });
    const made = await create({ pods: "3", resourcequotas: "1" });
    await harness.settle();
    expect(await used()).toEqual({ pods: "1", resourcequotas: "1" });
    await harness.change(ResourceQuota, made, {
      spec: { hard: { configmaps: "2", resourcequotas: null } },
    });
    await harness.settle();
    expect(await used()).toEqual({ configmaps: "1", pods: "1" });
    await harness.client.delete(Pod, keyOf(one));
    await harness.settle();
    expect(await used()).toEqual({ configmaps: "1", pods: "0" });
  });

  test("a pod that ends frees what it held; a booking that got lost is mended", async () => {
    await create({ "requests.cpu": "1", "count/pods": "9" });
    await harness.settle(5_000);
    const made = await harness.create(Pod, pod("one"));
    await harness.settle(5_100);
    expect(await used()).toEqual({ "requests.cpu": "250m", "count/pods": "1" });
    await harness.change(Pod, made, { status: { phase: "Succeeded" } });
    await harness.settle();
    expect(await used()).toEqual({ "requests.cpu": "0", "count/pods": "1" });
  });
});
