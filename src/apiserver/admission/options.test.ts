import { describe, expect, test } from "vitest";
import { Event, Namespace, Node, Pod, Service } from "../../api/types/core-v1.ts";
import { Deployment, ReplicaSet } from "../../api/types/apps-v1.ts";
import type { KubernetesObject, Resource } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import { object, pod, setUpAdmission, shop } from "./admission-suite.ts";
import type { Json } from "./admission-suite.ts";
import { admissionSelectionProblem } from "./default-admission.ts";

const enable = (...enableAdmissionPlugins: string[]) => setUpAdmission({ enableAdmissionPlugins });

describe("the selection of plugins", () => {
  test.each([
    [{}, undefined],
    [{ enableAdmissionPlugins: ["AlwaysPullImages"], disableAdmissionPlugins: ["PodSecurity"] }, undefined],
    [{ enableAdmissionPlugins: ["Magic"] }, 'enable-admission-plugins plugin "Magic" is unknown'],
    [{ disableAdmissionPlugins: ["Magic"] }, 'disable-admission-plugins plugin "Magic" is unknown'],
    [
      { enableAdmissionPlugins: ["Priority", "AlwaysDeny"], disableAdmissionPlugins: ["Priority"] },
      "[Priority] in enable-admission-plugins and disable-admission-plugins overlapped",
    ],
  ])("%o", (selection, problem) => expect(admissionSelectionProblem(selection)).toBe(problem));

  test("keeps upstream's order, policies and webhooks before quotas", () => {
    const dynamic = ["ValidatingAdmissionWebhook", "MutatingAdmissionWebhook"].map((name) => ({
      name,
      operations: [],
    }));
    const { plugins } = setUpAdmission({
      enableAdmissionPlugins: ["AlwaysDeny", "AlwaysPullImages"],
      disableAdmissionPlugins: ["RuntimeClass"],
      dynamic,
    });
    const names = plugins.map(({ name }) => name);
    expect(names).not.toContain("RuntimeClass");
    expect(names.slice(5, 7)).toEqual(["AlwaysPullImages", "PodSecurity"]);
    expect(names.slice(-4)).toEqual([
      "MutatingAdmissionWebhook",
      "ValidatingAdmissionWebhook",
      "ResourceQuota",
      "AlwaysDeny",
    ]);
  });
});

describe("optional plugins", () => {
  test("AlwaysDeny", async () => {
    await expect(enable("AlwaysDeny").run(Pod, { operation: "DELETE", name: "web" })).rejects.toThrow(
      'pods "web" is forbidden: admission control is denying all modifications',
    );
  });

  test("AlwaysPullImages", async () => {
    const { run } = enable("AlwaysPullImages");
    const given = pod({
      containers: [{ name: "c", image: "a", imagePullPolicy: "Never" }],
      volumes: [{ name: "v", image: { reference: "b" } }],
    });
    const { spec } = await run(Pod, { object: given });
    expect(spec.containers[0]?.imagePullPolicy).toBe("Always");
    expect(spec.volumes?.[0]?.image?.pullPolicy).toBe("Always");
    const kept = await run(Pod, { operation: "UPDATE", object: given, old: given });
    expect(kept.spec.containers[0]?.imagePullPolicy).toBe("Never");
  });

  test("LimitPodHardAntiAffinityTopology", async () => {
    const { run } = enable("LimitPodHardAntiAffinityTopology");
    const apart = (topologyKey: string) =>
      pod({
        affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey }] } },
      });
    await run(Pod, { object: apart("kubernetes.io/hostname") });
    await expect(run(Pod, { object: apart("zone") })).rejects.toThrow(
      "affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key kubernetes.io/hostname is allowed",
    );
  });

  test("ExtendedResourceToleration", async () => {
    const requests = { cpu: "1", "example.com/b": "1", "example.com/a": "1" };
    const given = pod({ containers: [{ name: "c", resources: { requests, limits: requests } }] });
    const { spec } = await enable("ExtendedResourceToleration").run(Pod, { object: given });
    expect(spec.tolerations?.slice(-2)).toEqual([
      { key: "example.com/a", operator: "Exists", effect: "NoSchedule" },
      { key: "example.com/b", operator: "Exists", effect: "NoSchedule" },
    ]);
  });

  test("DenyServiceExternalIPs", async () => {
    const { run } = enable("DenyServiceExternalIPs");
    const service = (...externalIPs: string[]) => object<Service>("s", { spec: { externalIPs } }, shop);
    await run(Service, {
      operation: "UPDATE",
      object: service("1.1.1.1"),
      old: service("1.1.1.1", "2.2.2.2"),
    });
    await expect(run(Service, { object: service("1.1.1.1") })).rejects.toThrow(
      'services "s" is forbidden: Use of external IPs is denied by admission control',
    );
  });

  const annotated = (plugin: string, annotations: Json) => {
    const context = enable(plugin);
    context.reader.put(Namespace, object("shop", {}, { annotations }));
    return context;
  };

  test("PodNodeSelector", async () => {
    const { run } = annotated("PodNodeSelector", {
      "scheduler.alpha.kubernetes.io/node-selector": "a=b, c=d",
    });
    const { spec } = await run(Pod, { object: pod({ nodeSelector: { c: "d", e: "f" } }) });
    expect(spec.nodeSelector).toEqual({ a: "b", c: "d", e: "f" });
    await expect(run(Pod, { object: pod({ nodeSelector: { a: "x" } }) })).rejects.toThrow(
      "pod node label selector conflicts with its namespace node label selector",
    );
  });

  test("PodTolerationRestriction", async () => {
    const { run } = annotated("PodTolerationRestriction", {
      "scheduler.alpha.kubernetes.io/defaultTolerations": '[{"key":"a","operator":"Exists"}]',
      "scheduler.alpha.kubernetes.io/tolerationsWhitelist":
        '[{"key":"a","operator":"Exists"},{"key":"node.kubernetes.io/not-ready","operator":"Exists"},{"key":"node.kubernetes.io/unreachable","operator":"Exists"}]',
    });
    const { spec } = await run(Pod, { object: pod() });
    expect(spec.tolerations?.map(({ key }) => key)).toContain("a");
    await expect(
      run(Pod, { object: pod({ tolerations: [{ key: "z", operator: "Exists" }] }) }),
    ).rejects.toThrow(
      "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist",
    );
    await expect(
      run(Pod, { object: pod({ tolerations: [{ key: "a", value: "v" }] }) }),
    ).rejects.toMatchObject({
      code: 500,
      message: "namespace tolerations and pod tolerations conflict",
    });
  });

  test("NamespaceAutoProvision and NamespaceExists", async () => {
    const made: string[] = [];
    const context = setUpAdmission({
      enableAdmissionPlugins: ["NamespaceAutoProvision", "NamespaceExists"],
      client: {
        create: async (resource: Resource, namespace: KubernetesObject) => {
          made.push(namespace.metadata.name);
          context.reader.put(resource, namespace);
        },
      } as unknown as Client,
    });
    await context.run(Service, { namespace: "fresh", object: object("s", {}, { namespace: "fresh" }) });
    expect(made).toEqual(["fresh"]);
    await expect(context.run(Service, { namespace: "gone", operation: "DELETE", name: "s" })).rejects.toThrow(
      'namespaces "gone" not found',
    );
  });

  test("EventRateLimit", async () => {
    const { plugins, clock } = enable("EventRateLimit");
    const limit = plugins.find(({ name }) => name === "EventRateLimit");
    const event = () => limit?.validate?.({ resource: Event, subresource: "", dryRun: false } as never);
    for (let count = 0; count < 10_000; count++) void event();
    expect(event).toThrow("Too many requests: limit reached on type Server for key ");
    await clock.advance(1);
    expect(event).not.toThrow();
  });

  test("OwnerReferencesPermissionEnforcement", async () => {
    const allowed = new Set<string>();
    const { run } = setUpAdmission({
      enableAdmissionPlugins: ["OwnerReferencesPermissionEnforcement"],
      findKinds: (_, kind) => (kind === "Deployment" ? [Deployment] : []),
      authorizer: {
        authorize: (asked) =>
          asked.type === "resource" && allowed.has(`${asked.verb} ${asked.resource}/${asked.subresource}`)
            ? { type: "allow", reason: "" }
            : { type: "noOpinion", reason: "no" },
      },
    });
    const owned = (kind: string, blockOwnerDeletion?: boolean) =>
      object<ReplicaSet>(
        "r",
        { spec: {} },
        {
          ...shop,
          ownerReferences: [{ apiVersion: "apps/v1", kind, name: "d", uid: "d", blockOwnerDeletion }],
        },
      );
    const plain = object<ReplicaSet>("r", { spec: {} }, shop);
    await run(ReplicaSet, { object: owned("Deployment") });
    await expect(
      run(ReplicaSet, { operation: "UPDATE", object: owned("Deployment"), old: plain }),
    ).rejects.toThrow("cannot set an ownerRef on a resource you can't delete: no, <nil>");
    await expect(run(ReplicaSet, { object: owned("Deployment", true) })).rejects.toThrow(
      "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: no, <nil>",
    );
    await expect(run(ReplicaSet, { object: owned("Magic", true) })).rejects.toThrow(
      'cannot find RESTMapping for APIVersion apps/v1 Kind Magic: no matches for kind "Magic" in version "apps/v1"',
    );
    allowed.add("update deployments/finalizers").add("delete replicasets/");
    await run(ReplicaSet, { operation: "UPDATE", object: owned("Deployment", true), old: plain });
  });
});

describe("pods and their node", () => {
  const withNode = (labels: Json, allocatable: Json = { cpu: "2", memory: "1Gi" }) => {
    const context = setUpAdmission();
    context.reader.put(Node, object<Node>("one", { status: { allocatable } }, { labels }));
    return context;
  };

  test("are told zone and region", async () => {
    const zone = "topology.kubernetes.io/zone";
    const { run } = withNode({ [zone]: "a", other: "x" });
    const binding = await run(Pod, {
      subresource: "binding",
      name: "web",
      object: object("web", { target: { kind: "Node", name: "one" } }, shop),
    });
    expect(binding.metadata.labels).toEqual({ [zone]: "a" });
    const own = await run(Pod, { object: pod({ nodeName: "one" }, { labels: { [zone]: "mine" } }) });
    expect(own.metadata.labels).toEqual({ [zone]: "mine" });
  });

  const sized = (cpu: string, generation: number, nodeName = "one") =>
    pod({ nodeName, containers: [{ name: "c", resources: { requests: { cpu } } }] }, { generation });
  test.each([
    ["what fits", { "kubernetes.io/os": "linux" }, sized("2", 2), undefined],
    [
      "more than the node has",
      { "kubernetes.io/os": "linux" },
      sized("3", 2),
      "Node didn't have enough allocatable resources: cpu, requested: 3000, allocatable: 2000",
    ],
    [
      "on Windows",
      { "kubernetes.io/os": "windows" },
      sized("1", 2),
      'pod resize is only supported on linux nodes, node "one" is "windows"',
    ],
    ["on no node", {}, sized("1", 2, "none"), 'node "none" not found'],
    ["no change", {}, sized("9", 1), undefined],
  ])("grow only to %s", async (_, labels, next, problem) => {
    const { run } = withNode(labels);
    const result = run(Pod, { operation: "UPDATE", subresource: "resize", object: next, old: sized("1", 1) });
    if (problem === undefined) await result;
    else await expect(result).rejects.toThrow(problem);
  });
});
