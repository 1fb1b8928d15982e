import { describe, expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { KubernetesObject, Resource } from "../../apimachinery/index.ts";
import type { Client, UserInfo } from "../../api/index.ts";
import {
  ConfigMap,
  LimitRange,
  Namespace,
  Node,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  ServiceAccount,
  Service,
} from "../../api/types/core-v1.ts";
import { StorageClass } from "../../api/types/storage-v1.ts";
import { Ingress, IngressClass } from "../../api/types/networking-v1.ts";
import { RuntimeClass } from "../../api/types/node-v1.ts";
import { PriorityClass } from "../../api/types/scheduling-v1.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import { defaultAdmission } from "./default-admission.ts";
import type { AdmissionRequest } from "./plugin.ts";

const ann: UserInfo = { name: "ann", groups: ["system:authenticated"] };
const kubelet: UserInfo = { name: "system:node:one", groups: ["system:nodes"] };
type Json = Readonly<Record<string, unknown>>;

const object = <T extends object>(name: string, rest: Json = {}, metadata: Json = {}): T =>
  ({
    metadata: {
      name,
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...metadata,
    },
    ...rest,
  }) as unknown as T;
const shop = { namespace: "shop" };
const pod = (spec: Json = {}, metadata: Json = {}): Pod =>
  object("web", { spec: { containers: [{ name: "c" }], ...spec } }, { ...shop, ...metadata });

function setUp() {
  const reader = memoryReader();
  for (const name of ["shop", "default"]) reader.put(Namespace, object(name));
  reader.put(ServiceAccount, object("default", {}, shop));
  const client = {
    update: async (resource: Resource<KubernetesObject>, value: KubernetesObject) => {
      reader.put(resource, value);
      return value;
    },
  } as unknown as Client;
  const plugins = defaultAdmission({ reader, random: seededRandom(1), client });
  const run = async <T extends object>(
    resource: Resource<T>,
    request: Partial<Omit<AdmissionRequest, "resource">> & { readonly object?: object },
  ): Promise<T> => {
    let current = request.object as KubernetesObject | undefined;
    const full = {
      operation: "CREATE",
      subresource: "",
      namespace: resource.namespaced ? "shop" : "",
      name: current?.metadata.name ?? "",
      user: ann,
      dryRun: false,
      ...request,
      resource: resource as Resource,
    } as AdmissionRequest;
    for (const plugin of plugins) {
      if (!plugin.operations.includes(full.operation) || !current) continue;
      current = (await plugin.admit?.({ ...full, object: current })) ?? current;
    }
    for (const plugin of plugins) {
      if (!plugin.operations.includes(full.operation)) continue;
      await plugin.validate?.({ ...full, ...(current ? { object: current } : {}) });
    }
    return current as unknown as T;
  };
  return { reader, run, plugins };
}

test("the order is upstream's", () => {
  expect(setUp().plugins.map((plugin) => plugin.name)).toEqual([
    "NamespaceLifecycle",
    "LimitRanger",
    "ServiceAccount",
    "NodeRestriction",
    "TaintNodesByCondition",
    "Priority",
    "DefaultTolerationSeconds",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "DefaultIngressClass",
    "ResourceQuota",
  ]);
});

describe("NamespaceLifecycle", () => {
  test("nothing lives in a missing namespace, nothing new in one that ends", async () => {
    const { reader, run } = setUp();
    await expect(run(ConfigMap, { object: object("a"), namespace: "gone" })).rejects.toMatchObject({
      code: 404,
      message: 'namespaces "gone" not found',
    });
    reader.put(Namespace, object("shop", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }));
    await expect(run(ConfigMap, { object: object("a") })).rejects.toMatchObject({
      code: 403,
      message:
        'configmaps "a" is forbidden: unable to create new content in namespace shop because it is being terminated',
      status: {
        details: {
          causes: [
            {
              reason: "NamespaceTerminating",
              message: "namespace shop is being terminated",
              field: "metadata.namespace",
            },
          ],
        },
      },
    });
    await run(ConfigMap, { object: object("a"), operation: "UPDATE" });
    await run(ConfigMap, { operation: "DELETE", name: "a" });
  });

  test("some namespaces stay", async () => {
    const { run } = setUp();
    await expect(run(Namespace, { operation: "DELETE", name: "default" })).rejects.toThrow(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    );
    await run(Namespace, { operation: "DELETE", name: "kube-node-lease" });
  });
});

describe("ServiceAccount", () => {
  test("pods get an account and its token", async () => {
    const { spec } = await setUp().run(Pod, { object: pod({ initContainers: [{ name: "i" }] }) });
    expect(spec.serviceAccountName).toBe("default");
    const [volume] = spec.volumes ?? [];
    expect(volume?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume?.projected?.sources?.[0]).toEqual({
      serviceAccountToken: { expirationSeconds: 3607, path: "token" },
    });
    for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
      expect(container.volumeMounts).toEqual([
        {
          name: volume?.name,
          readOnly: true,
          mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
        },
      ]);
    }
  });

  test("unless pod or account says no; a missing account is told; pull secrets are taken over", async () => {
    const { reader, run } = setUp();
    expect((await run(Pod, { object: pod({ automountServiceAccountToken: false }) })).spec.volumes).toBe(
      undefined,
    );
    await expect(run(Pod, { object: pod({ serviceAccountName: "bot" }) })).rejects.toThrow(
      'pods "web" is forbidden: error looking up service account shop/bot: serviceaccount "bot" not found',
    );
    reader.put(
      ServiceAccount,
      object("bot", { automountServiceAccountToken: false, imagePullSecrets: [{ name: "hub" }] }, shop),
    );
    const { spec } = await run(Pod, { object: pod({ serviceAccountName: "bot" }) });
    expect(spec.volumes).toBe(undefined);
    expect(spec.imagePullSecrets).toEqual([{ name: "hub" }]);
  });
});

describe("pods", () => {
  test("tolerate lost nodes for a while", async () => {
    const { run } = setUp();
    const own = {
      key: "node.kubernetes.io/not-ready",
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 5,
    };
    const { spec } = await run(Pod, { object: pod({ tolerations: [own] }) });
    expect(spec.tolerations).toEqual([
      own,
      {
        key: "node.kubernetes.io/unreachable",
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      },
    ]);
    const all = [{ operator: "Exists" }];
    expect((await run(Pod, { object: pod({ tolerations: all }) })).spec.tolerations).toEqual(all);
  });

  test("get the number of their priority class", async () => {
    const { reader, run } = setUp();
    expect((await run(Pod, { object: pod() })).spec).toMatchObject({ priority: 0 });
    expect(
      (await run(Pod, { object: pod({ priorityClassName: "system-node-critical" }) })).spec.priority,
    ).toBe(2_000_001_000);
    reader.put(PriorityClass, object("usual", { value: 7, globalDefault: true }));
    expect((await run(Pod, { object: pod() })).spec).toMatchObject({
      priority: 7,
      priorityClassName: "usual",
    });
    await expect(run(Pod, { object: pod({ priorityClassName: "none" }) })).rejects.toThrow(
      'pods "web" is forbidden: no PriorityClass with name none was found',
    );
    await expect(run(Pod, { object: pod({ priority: 9 }) })).rejects.toThrow(
      "the integer value of priority (9) must not be provided in pod spec; priority admission controller computed 7 from the given PriorityClass name",
    );
    await expect(
      run(PriorityClass, { object: object("other", { value: 8, globalDefault: true }) }),
    ).rejects.toThrow("PriorityClass usual is already marked as default. Only one default can exist");
  });

  test("get overhead and placement of their runtime class", async () => {
    const { reader, run } = setUp();
    reader.put(
      RuntimeClass,
      object("vm", {
        handler: "vm",
        overhead: { podFixed: { cpu: "250m" } },
        scheduling: { nodeSelector: { vm: "yes" }, tolerations: [{ key: "vm", operator: "Exists" }] },
      }),
    );
    const { spec } = await run(Pod, {
      object: pod({ runtimeClassName: "vm", nodeSelector: { disk: "ssd" } }),
    });
    expect(spec).toMatchObject({ overhead: { cpu: "250m" }, nodeSelector: { disk: "ssd", vm: "yes" } });
    expect(spec.tolerations).toContainEqual({ key: "vm", operator: "Exists" });
    await expect(run(Pod, { object: pod({ runtimeClassName: "none" }) })).rejects.toThrow(
      'pod rejected: RuntimeClass "none" not found',
    );
    await expect(
      run(Pod, { object: pod({ runtimeClassName: "vm", nodeSelector: { vm: "no" } }) }),
    ).rejects.toThrow(
      "conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no",
    );
  });
});

test("new nodes are tainted until they are ready", async () => {
  const node = await setUp().run(Node, { object: object("one") });
  expect(node.spec?.taints).toEqual([{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]);
});

describe("LimitRanger", () => {
  const withRange = (limits: readonly Json[]) => {
    const context = setUp();
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
    const context = setUp();
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
      old: service("ClusterIP") as never,
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

describe("storage and ingresses", () => {
  const byDefault = { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } };
  const claim = (spec: Json = {}) => object<PersistentVolumeClaim>("data", { spec }, shop);

  test("claims get the newest default class and a finalizer", async () => {
    const { reader, run } = setUp();
    reader.put(StorageClass, object("old", {}, byDefault));
    reader.put(StorageClass, object("new", {}, { ...byDefault, creationTimestamp: "2026-01-02T00:00:00Z" }));
    const made = await run(PersistentVolumeClaim, { object: claim() });
    expect(made.spec.storageClassName).toBe("new");
    expect(made.metadata.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
    expect(
      (await run(PersistentVolumeClaim, { object: claim({ storageClassName: "" }) })).spec.storageClassName,
    ).toBe("");
  });

  test("claims grow only where their class lets them", async () => {
    const { reader, run } = setUp();
    const sized = (storage: string) => ({
      ...claim({ storageClassName: "fast", resources: { requests: { storage } } }),
      status: { phase: "Bound" },
    });
    const grow = () =>
      run(PersistentVolumeClaim, { operation: "UPDATE", object: sized("2Gi"), old: sized("1Gi") as never });
    await expect(grow()).rejects.toThrow("only dynamically provisioned pvc can be resized");
    reader.put(StorageClass, object("fast", { allowVolumeExpansion: true }));
    await grow();
  });

  test("ingresses get the default class", async () => {
    const { reader, run } = setUp();
    reader.put(
      IngressClass,
      object("edge", {}, { annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } }),
    );
    expect((await run(Ingress, { object: object("i", { spec: {} }, shop) })).spec?.ingressClassName).toBe(
      "edge",
    );
  });
});

describe("NodeRestriction", () => {
  const own = pod({ nodeName: "one" });
  const foreign = pod({ nodeName: "two" });
  const node = (name: string, rest: Json = {}, labels: Json = {}) => object<Node>(name, rest, { labels });
  const as = (request: Json) =>
    ({ ...request, user: kubelet }) as Parameters<ReturnType<typeof setUp>["run"]>[1];
  const cases: [string, Resource<never> | Resource, Json, string | undefined][] = [
    ["own node", Node as Resource, { operation: "UPDATE", object: node("one"), old: node("one") }, undefined],
    [
      "another node",
      Node as Resource,
      { operation: "UPDATE", object: node("two"), old: node("two") },
      'node "one" is not allowed to modify node "two"',
    ],
    [
      "taints",
      Node as Resource,
      { operation: "UPDATE", object: node("one", { spec: { taints: [{ key: "a" }] } }), old: node("one") },
      'node "one" is not allowed to modify taints',
    ],
    [
      "restricted labels",
      Node as Resource,
      {
        operation: "UPDATE",
        object: node("one", {}, { "x.node-restriction.kubernetes.io/a": "1" }),
        old: node("one"),
      },
      "is not allowed to modify labels: x.node-restriction.kubernetes.io/a",
    ],
    [
      "own pod's status",
      Pod as Resource,
      { operation: "UPDATE", subresource: "status", object: own, old: own },
      undefined,
    ],
    [
      "another pod's status",
      Pod as Resource,
      { operation: "UPDATE", subresource: "status", object: foreign, old: foreign },
      'node "one" can only update pod status for pods with spec.nodeName set to itself',
    ],
    [
      "a pod that mirrors nothing",
      Pod as Resource,
      { object: own },
      'pod does not have "kubernetes.io/config.mirror" annotation, node "one" can only create mirror pods',
    ],
    [
      "a mirror pod",
      Pod as Resource,
      { object: pod({ nodeName: "one" }, { annotations: { "kubernetes.io/config.mirror": "x" } }) },
      undefined,
    ],
  ];
  test.each(cases)("%s", async (_, resource, request, problem) => {
    const result = setUp().run(resource as Resource, as(request));
    if (problem === undefined) await result;
    else await expect(result).rejects.toThrow(problem);
  });
});
