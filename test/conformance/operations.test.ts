import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Api } from "./api.ts";
import { runLifecycle, type Lifecycle } from "./lifecycle.ts";

const namespace = "operations";
const labels = { app: "web" };
const podSpec = { containers: [{ name: "web", image: "web:1" }] };
const condition = (type: string) => ({ type, status: "True", reason: "E2E", message: "Set by an e2e test" });
const dates = { lastTransitionTime: "2030-01-01T00:00:00Z" };

/** Tests that take a kind through all its operations, by the names that upstream has given them. */
const lifecycles: readonly (readonly [title: string, Lifecycle])[] = [
  [
    "[sig-api-machinery] API priority and fairness should support FlowSchema API operations [Conformance]",
    {
      apiVersion: "flowcontrol.apiserver.k8s.io/v1",
      kind: "FlowSchema",
      resource: "flowschemas",
      object: () => ({
        spec: {
          matchingPrecedence: 10_000,
          priorityLevelConfiguration: { name: "global-default" },
          rules: [
            {
              subjects: [{ kind: "User", user: { name: "example-e2e" } }],
              nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
            },
          ],
        },
      }),
      status: { conditions: [{ ...condition("PatchStatusFailed"), ...dates }] },
    },
  ],
  [
    "[sig-api-machinery] API priority and fairness should support PriorityLevelConfiguration API operations [Conformance]",
    {
      apiVersion: "flowcontrol.apiserver.k8s.io/v1",
      kind: "PriorityLevelConfiguration",
      resource: "prioritylevelconfigurations",
      object: () => ({
        spec: {
          type: "Limited",
          limited: { nominalConcurrencyShares: 2, limitResponse: { type: "Reject" } },
        },
      }),
      status: { conditions: [{ ...condition("PatchStatusFailed"), ...dates }] },
    },
  ],
  [
    "[sig-apps] CronJob should support CronJob API operations [Conformance]",
    {
      apiVersion: "batch/v1",
      kind: "CronJob",
      resource: "cronjobs",
      namespace,
      object: () => ({
        spec: {
          schedule: "* */1 * * ?",
          concurrencyPolicy: "Allow",
          suspend: true,
          jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: "OnFailure" } } } },
        },
      }),
      status: { lastScheduleTime: "2030-01-01T00:00:00Z" },
    },
  ],
  [
    "[sig-network] EndpointSlice should support creating EndpointSlice API operations [Conformance]",
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      resource: "endpointslices",
      namespace,
      object: () => ({ addressType: "IPv4", endpoints: [{ addresses: ["1.2.3.4", "5.6.7.8"] }] }),
    },
  ],
  [
    "[sig-network] ServiceCIDR and IPAddress API should support IPAddress API operations [Conformance]",
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "IPAddress",
      resource: "ipaddresses",
      name: (index) => `192.168.1.${index + 1}`,
      object: () => ({ spec: { parentRef: { resource: "services", name: "web", namespace } } }),
    },
  ],
  [
    "[sig-network] ServiceCIDR and IPAddress API should support ServiceCIDR API operations [Conformance]",
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "ServiceCIDR",
      resource: "servicecidrs",
      object: (index) => ({ spec: { cidrs: [`10.20${index}.0.0/24`] } }),
      status: { conditions: [{ ...condition("StatusUpdated"), ...dates }] },
    },
  ],
  [
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass [Conformance]",
    {
      apiVersion: "resource.k8s.io/v1",
      kind: "DeviceClass",
      resource: "deviceclasses",
      object: () => ({ spec: { selectors: [{ cel: { expression: "device.driver == 'example.com'" } }] } }),
    },
  ],
  [
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim [Conformance]",
    {
      apiVersion: "resource.k8s.io/v1",
      kind: "ResourceClaim",
      resource: "resourceclaims",
      namespace,
      object: () => ({
        spec: { devices: { requests: [{ name: "request", exactly: { deviceClassName: "class" } }] } },
      }),
      status: {
        allocation: {
          devices: {
            results: [{ request: "request", driver: "example.com", pool: "pool", device: "device" }],
          },
        },
      },
    },
  ],
  [
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate [Conformance]",
    {
      apiVersion: "resource.k8s.io/v1",
      kind: "ResourceClaimTemplate",
      resource: "resourceclaimtemplates",
      namespace,
      object: () => ({
        spec: {
          spec: { devices: { requests: [{ name: "request", exactly: { deviceClassName: "class" } }] } },
        },
      }),
    },
  ],
  [
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice [Conformance]",
    {
      apiVersion: "resource.k8s.io/v1",
      kind: "ResourceSlice",
      resource: "resourceslices",
      object: () => ({
        spec: {
          driver: "example.com",
          pool: { name: "pool", resourceSliceCount: 1 },
          nodeName: "elsewhere",
          devices: [],
        },
      }),
    },
  ],
  [
    "[sig-scheduling] LimitRange should list, patch and delete a LimitRange by collection [Conformance]",
    {
      apiVersion: "v1",
      kind: "LimitRange",
      resource: "limitranges",
      namespace,
      object: () => ({ spec: { limits: [{ type: "PersistentVolumeClaim", max: { storage: "1Ti" } }] } }),
    },
  ],
  [
    "[sig-storage] CSIInlineVolumes should run through the lifecycle of a CSIDriver [Conformance]",
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "CSIDriver",
      resource: "csidrivers",
      object: () => ({ spec: { attachRequired: true, volumeLifecycleModes: ["Ephemeral"] } }),
    },
  ],
  [
    "[sig-storage] CSINodes CSI Conformance should run through the lifecycle of a csinode [Conformance]",
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "CSINode",
      resource: "csinodes",
      object: (index) => ({ spec: { drivers: [{ name: "example.com", nodeID: `node-${index}` }] } }),
    },
  ],
  [
    "[sig-storage] CSIStorageCapacity should support CSIStorageCapacities API operations [Conformance]",
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "CSIStorageCapacity",
      resource: "csistoragecapacities",
      namespace,
      object: () => ({ storageClassName: "fast", capacity: "1Gi" }),
    },
  ],
  [
    "[sig-storage] StorageClasses CSI Conformance should run through the lifecycle of a StorageClass [Conformance]",
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      resource: "storageclasses",
      object: () => ({ provisioner: "example.com/disk", reclaimPolicy: "Delete", parameters: { a: "b" } }),
    },
  ],
  [
    "[sig-storage] VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment [Conformance]",
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "VolumeAttachment",
      resource: "volumeattachments",
      object: () => ({
        spec: { attacher: "example.com", nodeName: "node-1", source: { persistentVolumeName: "volume" } },
      }),
    },
  ],
  [
    "[sig-storage] VolumeAttachment Conformance should apply changes to a volumeattachment status [Conformance]",
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "VolumeAttachment",
      resource: "volumeattachments",
      object: () => ({
        spec: { attacher: "example.com", nodeName: "node-1", source: { persistentVolumeName: "volume" } },
      }),
      status: { attached: true },
    },
  ],
  [
    "[sig-storage] VolumeAttributesClass [FeatureGate:VolumeAttributesClass] should run through the lifecycle of a VolumeAttributesClass [Conformance]",
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "VolumeAttributesClass",
      resource: "volumeattributesclasses",
      object: () => ({ driverName: "example.com", parameters: { iops: "100" } }),
    },
  ],
  [
    "[sig-network] Services should delete a collection of services [Conformance]",
    {
      apiVersion: "v1",
      kind: "Service",
      resource: "services",
      namespace,
      object: () => ({ spec: { selector: labels, ports: [{ name: "http", port: 80, protocol: "TCP" }] } }),
    },
  ],
  [
    "[sig-network] Services should complete a service status lifecycle [Conformance]",
    {
      apiVersion: "v1",
      kind: "Service",
      resource: "services",
      namespace,
      object: () => ({
        spec: { type: "LoadBalancer", ports: [{ name: "http", port: 80, protocol: "TCP" }] },
      }),
      status: { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } },
    },
  ],
  [
    "[sig-node] Node Lifecycle should run through the lifecycle of a node [Conformance]",
    {
      apiVersion: "v1",
      kind: "Node",
      resource: "nodes",
      object: () => ({}),
      status: { capacity: { cpu: "4" } },
    },
  ],
  [
    "[sig-apps] DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets [Conformance]",
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      resource: "poddisruptionbudgets",
      namespace,
      object: () => ({ spec: { minAvailable: 1, selector: { matchLabels: labels } } }),
    },
  ],
  [
    "[sig-node] PodTemplates should replace a pod template [Conformance]",
    {
      apiVersion: "v1",
      kind: "PodTemplate",
      resource: "podtemplates",
      namespace,
      object: () => ({ template: { metadata: { labels }, spec: podSpec } }),
    },
  ],
];

describe("operations of kinds", () => {
  let api: Api;
  beforeAll(async () => {
    api = await Api.start({ nodes: 0 });
    await api.namespace(namespace);
  });
  afterAll(() => api.stop());

  test.each(lifecycles)("%s", (_, lifecycle) => runLifecycle(api, lifecycle));

  for (const [resource, kind, title] of [
    [
      "configmaps",
      "ConfigMap",
      "[sig-storage] ConfigMap should be immutable if `immutable` field is set [Conformance]",
    ],
    [
      "secrets",
      "Secret",
      "[sig-storage] Secrets should be immutable if `immutable` field is set [Conformance]",
    ],
  ] as const)
    test(title, async () => {
      const collection = `/api/v1/namespaces/${namespace}/${resource}`;
      const path = `${collection}/immutable`;
      const data = (value: string) => ({ data: { key: Buffer.from(value).toString("base64") } });
      await api.create(collection, { metadata: { name: "immutable" }, ...data("one") });
      await api.patch(path, data("two"));
      await api.patch(path, { immutable: true });
      for (const change of [data("three"), { immutable: false }, { immutable: null }]) {
        const { status, body } = await api.send(path, {
          method: "PATCH",
          headers: { "content-type": "application/merge-patch+json" },
          body: change,
        });
        expect([status, body["reason"]]).toEqual([422, "Invalid"]);
      }
      await api.patch(path, { metadata: { labels: { still: "allowed" } } });
      expect(await api.get(path)).toMatchObject({ kind, immutable: true, ...data("two") });
      await api.delete(path);
      await api.create(collection, { metadata: { name: "immutable" }, ...data("four") });
    });

  test("[sig-node] ConfigMap should update ConfigMap successfully [NodeConformance] [Conformance]", async () => {
    const collection = `/api/v1/namespaces/${namespace}/configmaps`;
    const created = await api.create(collection, { metadata: { name: "updated" }, data: {} });
    await api.update(`${collection}/updated`, { ...created, data: { "data-1": "value-1" } });
    expect((await api.get(`${collection}/updated`))["data"]).toEqual({ "data-1": "value-1" });
  });

  test("[sig-auth] ServiceAccounts should update a ServiceAccount [Conformance]", async () => {
    const collection = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    const created = await api.create(collection, {
      metadata: { name: "updated" },
      automountServiceAccountToken: false,
    });
    await api.update(`${collection}/updated`, { ...created, automountServiceAccountToken: true });
    expect(await api.get(`${collection}/updated`)).toMatchObject({ automountServiceAccountToken: true });
  });

  test("[sig-auth] ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview [Conformance]", async () => {
    const collection = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    const account = await api.create(collection, { metadata: { name: "reviewed" } });
    const request = await api.create(`${collection}/reviewed/token`, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 3600 },
    });
    const { token } = request["status"] as { token: string };
    const review = await api.create("/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token } });
    expect(review["status"]).toMatchObject({
      authenticated: true,
      user: {
        username: `system:serviceaccount:${namespace}:reviewed`,
        uid: account.metadata.uid,
        groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
      },
    });
    expect(review["status"]).not.toHaveProperty("error");
  });

  test("[sig-auth] SubjectReview should support SubjectReview API operations [Conformance]", async () => {
    const root = "/apis/authorization.k8s.io/v1";
    const user = `system:serviceaccount:${namespace}:default`;
    const resourceAttributes = { verb: "list", resource: "configmaps", namespace };
    const spec = { user, resourceAttributes };
    const review = () => api.create(`${root}/subjectaccessreviews`, { spec });
    const local = () =>
      api.create(`${root}/namespaces/${namespace}/localsubjectaccessreviews`, {
        metadata: { namespace },
        spec,
      });
    for (const ask of [review, local]) expect((await ask())["status"]).toMatchObject({ allowed: false });
    const forbidden = await api.send(`/api/v1/namespaces/${namespace}/configmaps`, {
      headers: { "impersonate-user": user, "impersonate-group": "system:authenticated" },
    });
    expect(forbidden.status).toBe(403);
    await api.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
      metadata: { name: "viewer" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subjects: [{ kind: "ServiceAccount", name: "default", namespace }],
    });
    for (const ask of [review, local]) expect((await ask())["status"]).toMatchObject({ allowed: true });
    const own = await api.create(`${root}/selfsubjectaccessreviews`, { spec: { resourceAttributes } });
    expect(own["status"]).toMatchObject({ allowed: true });
  });
});
