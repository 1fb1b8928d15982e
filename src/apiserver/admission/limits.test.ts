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
import { ResourceClaim } from "../../api/types/resource-v1.ts";
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
      "the same problem of two containers, told once",
      container,
      pod({ containers: [{ name: "a" }, { name: "b" }] }),
      "[minimum memory usage per Container is 500Mi.  No request is specified, maximum memory usage per Container is 1Gi.  No limit is specified]",
    ],
    [
      "a pod's own amounts",
      { type: "Pod", max: { cpu: "1" } },
      pod({ resources: { limits: { cpu: "2" } } }),
      "maximum cpu usage per Pod is 1, but limit is 2",
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

  test("a resize is held to the bounds, other changes and what is going are not", async () => {
    const { run } = withRange([{ type: "Container", max: { cpu: "1" } }]);
    const large = sized({}, { cpu: "2" });
    const change = (subresource: string, old: Pod) =>
      run(Pod, { operation: "UPDATE", subresource, object: large, old });
    await change("", large);
    await expect(change("resize", large)).rejects.toThrow(
      "maximum cpu usage per Container is 1, but limit is 2",
    );
    await change("resize", pod({}, { deletionTimestamp: "2026-01-01T00:00:00Z" }));
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

  test("a pod is counted anew when its scope changes or it is resized", async () => {
    const { run, used } = withQuota({ pods: "1" }, { scopes: ["Terminating"] });
    const ending = pod({ activeDeadlineSeconds: 5 });
    await run(Pod, { operation: "UPDATE", object: ending, old: pod() });
    expect(used()).toEqual({ pods: "1" });
    await run(Pod, { operation: "UPDATE", object: pod(), old: pod() });
    const cpu = withQuota({ "requests.cpu": "1" });
    await cpu.run(Pod, {
      operation: "UPDATE",
      subresource: "resize",
      object: sized("1"),
      old: sized("500m"),
    });
    expect(cpu.used()).toEqual({ "requests.cpu": "500m" });
    await expect(
      cpu.run(Pod, { operation: "UPDATE", subresource: "resize", object: sized("2"), old: sized("1") }),
    ).rejects.toThrow(
      "exceeded quota: quota, requested: requests.cpu=1, used: requests.cpu=500m, limited: requests.cpu=1",
    );
  });

  test("a pod that states its amounts as a whole need not state those of its containers", async () => {
    const { run, used } = withQuota({ "requests.cpu": "1" });
    await run(Pod, { object: pod({ resources: { requests: { cpu: "1" } } }) });
    expect(used()).toEqual({ "requests.cpu": "1" });
  });

  const scopeSelector = (scopeName: string, operator: string, values?: readonly string[]) => ({
    scopeSelector: { matchExpressions: [{ scopeName, operator, values }] },
  });
  const reaching = pod({
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "x", namespaces: ["a"] }],
      },
    },
  });
  const claimOf = (volumeAttributesClassName?: string) =>
    object<PersistentVolumeClaim>("data", { spec: { volumeAttributesClassName } }, shop);
  test.each([
    ["a scope", { scopes: ["NotBestEffort"] }, Pod, pod(), false],
    ["another scope", { scopes: ["BestEffort"] }, Pod, pod(), true],
    ["two scopes", { scopes: ["BestEffort", "Terminating"] }, Pod, pod(), false],
    ["reaching other namespaces", { scopes: ["CrossNamespacePodAffinity"] }, Pod, reaching, true],
    ["reaching none", { scopes: ["CrossNamespacePodAffinity"] }, Pod, pod(), false],
    [
      "a priority",
      scopeSelector("PriorityClass", "In", ["system-node-critical"]),
      Pod,
      pod({ priorityClassName: "system-node-critical" }),
      true,
    ],
    ["no priority", scopeSelector("PriorityClass", "In", ["high"]), Pod, pod(), false],
    ["other priorities", scopeSelector("PriorityClass", "NotIn", ["high"]), Pod, pod(), true],
    ["any priority", scopeSelector("PriorityClass", "DoesNotExist"), Pod, pod(), true],
    [
      "a class of volumes",
      scopeSelector("VolumeAttributesClass", "In", ["gold"]),
      PersistentVolumeClaim,
      claimOf("gold"),
      true,
    ],
    [
      "another class of volumes",
      scopeSelector("VolumeAttributesClass", "In", ["gold"]),
      PersistentVolumeClaim,
      claimOf(),
      false,
    ],
  ])("scopes take in %s", async (_, spec, resource, made, counted) => {
    const { run } = withQuota({ pods: "0", persistentvolumeclaims: "0" }, spec);
    const result = run(resource as typeof Pod, { object: made });
    if (counted) await expect(result).rejects.toThrow("exceeded quota: quota");
    else await result;
  });

  test("devices, storage by class and extended resources are counted", async () => {
    const { run, used } = withQuota({
      "gpu.deviceclass.resource.k8s.io/devices": "40",
      "fast.storageclass.storage.k8s.io/requests.storage": "10Gi",
      "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
      "requests.example.com/x": "2",
    });
    const requests = [
      { name: "a", exactly: { deviceClassName: "gpu", count: 2 } },
      {
        name: "b",
        firstAvailable: [
          { deviceClassName: "gpu", count: 1 },
          { deviceClassName: "gpu", allocationMode: "All" },
        ],
      },
    ];
    await run(ResourceClaim, { object: object("devices", { spec: { devices: { requests } } }, shop) });
    const resources = { requests: { storage: "1500m" } };
    await run(PersistentVolumeClaim, {
      object: object("data", { spec: { storageClassName: "fast", resources } }, shop),
    });
    const containers = [{ name: "c", resources: { requests: { "example.com/x": "2" } } }];
    await run(Pod, { object: pod({ containers }) });
    expect(used()).toEqual({
      "gpu.deviceclass.resource.k8s.io/devices": "34",
      "fast.storageclass.storage.k8s.io/requests.storage": "2",
      "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
      "requests.example.com/x": "2",
    });
  });

  test("what is limited needs a quota that allows it", async () => {
    const limitedResources = [
      { group: "", resource: "persistentvolumeclaims", matchContains: [".storageclass.storage.k8s.io/"] },
      {
        group: "",
        resource: "pods",
        matchScopes: [
          { scopeName: "PriorityClass" as const, operator: "In" as const, values: ["system-node-critical"] },
        ],
      },
    ];
    const { run, reader } = setUpAdmission({ limitedResources });
    await run(Pod, { object: pod() });
    const critical = pod({ priorityClassName: "system-node-critical" });
    await expect(run(Pod, { object: critical })).rejects.toMatchObject({
      code: 500,
      message: "insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]",
    });
    await expect(
      run(PersistentVolumeClaim, { object: object("data", { spec: { storageClassName: "fast" } }, shop) }),
    ).rejects.toThrow(
      "insufficient quota to consume: fast.storageclass.storage.k8s.io/persistentvolumeclaims",
    );
    const hard = { pods: "1" };
    const granted = { hard, ...scopeSelector("PriorityClass", "In", ["system-node-critical"]) };
    reader.put(ResourceQuota, object("q", { spec: granted, status: { hard, used: { pods: "0" } } }, shop));
    await run(Pod, { object: critical });
  });

  test("usage that was never counted is no ground to allow", async () => {
    const { run } = withQuota({ pods: "5" }, {}, {});
    await expect(run(Pod, { object: pod() })).rejects.toThrow(
      "status unknown for quota: quota, resources: pods",
    );
  });
});
