import { describe, expect, test } from "vitest";
import { ApiError } from "../../apimachinery/index.ts";
import {
  ConfigMap,
  LimitRange,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  Service,
} from "../../api/types/core-v1.ts";
import { object, pod, setUpAdmission, shop } from "./admission-suite.ts";
import type { Json } from "./admission-suite.ts";

describe("LimitRanger", () => {
  const withRange = (limits: readonly Json[]) => {
    const context = setUpAdmission();
    context.reader.put(LimitRange, object("range", { spec: { limits } }, shop));
    return context;
  };
  const sized = (requests: Json, limits: Json = {}) =>
    pod({ containers: [{ name: "c", resources: { requests, limits } }] });

  test("defaults fill in what containers leave out", async () => {
    const { run } = withRange([
      {
        type: "Container",
        default: { cpu: "1", memory: "1Gi" },
        defaultRequest: { cpu: "100m", memory: "1Mi" },
      },
    ]);
    const made = await run(Pod, { object: sized({ cpu: "200m" }) });
    expect(made.spec.containers[0]?.resources).toEqual({
      requests: { cpu: "200m", memory: "1Mi" },
      limits: { cpu: "1", memory: "1Gi" },
    });
    expect(made.metadata.annotations?.["kubernetes.io/limit-ranger"]).toBe(
      "LimitRanger plugin set: memory request for container c; cpu, memory limit for container c",
    );
  });

  const container = { type: "Container", min: { memory: "500Mi" }, max: { memory: "1Gi" } };
  const cases: [string, Json, Pod, string | undefined][] = [
    ["within", container, sized({ memory: "600Mi" }, { memory: "1Gi" }), undefined],
    [
      "above the maximum",
      container,
      sized({ memory: "600Mi" }, { memory: "1536Mi" }),
      "maximum memory usage per Container is 1Gi, but limit is 1536Mi",
    ],
    [
      "below the minimum",
      container,
      sized({ memory: "100Mi" }, { memory: "1Gi" }),
      "minimum memory usage per Container is 500Mi, but request is 100Mi",
    ],
    [
      "several problems",
      container,
      sized({}),
      "[minimum memory usage per Container is 500Mi.  No request is specified, maximum memory usage per Container is 1Gi.  No limit is specified]",
    ],
    [
      "a ratio",
      { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
      sized({ cpu: "100m" }, { cpu: "300m" }),
      "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
    ],
    [
      "a pod's sum",
      { type: "Pod", max: { cpu: "1" } },
      pod({
        containers: [
          { name: "a", resources: { limits: { cpu: "600m" } } },
          { name: "b", resources: { limits: { cpu: "600m" } } },
        ],
      }),
      "maximum cpu usage per Pod is 1, but limit is 1200m",
    ],
  ];
  test.each(cases)("%s", async (_, item, made, problem) => {
    const { run } = withRange([item]);
    const result = run(Pod, { object: made });
    if (problem === undefined) await result;
    else await expect(result).rejects.toThrow(`pods "web" is forbidden: ${problem}`);
  });

  test("claims have a size", async () => {
    const { run } = withRange([
      { type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "2Gi" } },
    ]);
    const claim = (storage: string) =>
      object<PersistentVolumeClaim>("data", { spec: { resources: { requests: { storage } } } }, shop);
    await run(PersistentVolumeClaim, { object: claim("2Gi") });
    await expect(run(PersistentVolumeClaim, { object: claim("3Gi") })).rejects.toThrow(
      "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi",
    );
  });
});

describe("ResourceQuota", () => {
  const withQuota = (hard: Record<string, string>, spec: Json = {}, used?: Record<string, string>) => {
    const context = setUpAdmission();
    const zero = Object.fromEntries(Object.keys(hard).map((name) => [name, "0"]));
    context.reader.put(
      ResourceQuota,
      object("quota", { spec: { hard, ...spec }, status: { hard, used: used ?? zero } }, shop),
    );
    return {
      ...context,
      used: () => context.reader.get(ResourceQuota, { ...shop, name: "quota" })?.status?.used,
    };
  };
  const sized = (cpu: string) => pod({ containers: [{ name: "c", resources: { requests: { cpu } } }] });
  const configMap = (name: string) => object<ConfigMap>(name, {}, shop);

  test("usage is booked until the quota is full, however many ask at once", async () => {
    const { run, used } = withQuota({ pods: "2", "requests.cpu": "1" });
    const results = await Promise.allSettled(
      ["400m", "400m", "400m"].map((cpu) => run(Pod, { object: sized(cpu) })),
    );
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect((results[2] as PromiseRejectedResult).reason).toBeInstanceOf(ApiError);
    expect(String((results[2] as PromiseRejectedResult).reason)).toContain(
      'pods "web" is forbidden: exceeded quota: quota, requested: pods=1,requests.cpu=400m, used: pods=2,requests.cpu=800m, limited: pods=2,requests.cpu=1',
    );
    expect(used()).toEqual({ pods: "2", "requests.cpu": "800m" });
  });

  test("dry runs book nothing; what is counted must be stated; scopes narrow", async () => {
    const { run, used } = withQuota({ "requests.cpu": "1" });
    await run(Pod, { object: sized("1"), dryRun: true });
    expect(used()).toEqual({ "requests.cpu": "0" });
    await expect(run(Pod, { object: pod() })).rejects.toThrow(
      "failed quota: quota: must specify requests.cpu for: c",
    );
    const scoped = withQuota({ pods: "0" }, { scopes: ["BestEffort"] });
    await scoped.run(Pod, { object: sized("1") });
    await expect(scoped.run(Pod, { object: pod() })).rejects.toThrow("exceeded quota: quota");
  });

  test("other kinds are counted, and changes by their difference", async () => {
    const { run, used } = withQuota({ "count/configmaps": "1", "services.nodeports": "1", services: "5" });
    await run(ConfigMap, { object: configMap("a") });
    await expect(run(ConfigMap, { object: configMap("b") })).rejects.toThrow(
      "exceeded quota: quota, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1",
    );
    const service = (type: string) => object<Service>("s", { spec: { type, ports: [{ port: 80 }] } }, shop);
    await run(Service, { object: service("ClusterIP") });
    await run(Service, {
      object: service("NodePort"),
      old: service("ClusterIP"),
      operation: "UPDATE",
    });
    expect(used()).toEqual({ "count/configmaps": "1", "services.nodeports": "1", services: "1" });
  });

  test("usage that was never counted is no ground to allow", async () => {
    const { run } = withQuota({ pods: "5" }, {}, {});
    await expect(run(Pod, { object: pod() })).rejects.toThrow(
      "status unknown for quota: quota, resources: pods",
    );
  });
});
