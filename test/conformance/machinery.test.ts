import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiServerService, publishService } from "../../src/control-plane/index.ts";
import { Api, type Body } from "./api.ts";

const aggregated = (version: string) =>
  `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;

interface Discovered extends Body {
  readonly versions: readonly {
    readonly version: string;
    readonly resources: readonly { readonly resource: string; readonly verbs: readonly string[] }[];
  }[];
}

describe("machinery", () => {
  let api: Api;
  beforeAll(async () => {
    api = await Api.start({ nodes: 0 });
  });
  afterAll(() => api.stop());

  const resourcesOf = async (accept: string) => {
    const answers = await Promise.all(
      ["/api", "/apis"].map((path) => api.send(path, { headers: { accept } })),
    );
    expect(answers.map(({ contentType }) => contentType)).toEqual(answers.map(() => accept));
    const groups = answers.flatMap(({ body }) => body.items as readonly Discovered[]);
    return groups.flatMap(({ metadata, versions }) =>
      versions.flatMap(({ version, resources }) =>
        resources.map(({ resource }) => [metadata.name ?? "", version, resource].join("/")),
      ),
    );
  };
  const wanted = [
    "/v1/namespaces",
    "/v1/pods",
    "apps/v1/deployments",
    "rbac.authorization.k8s.io/v1/roles",
    "apiextensions.k8s.io/v1/customresourcedefinitions",
  ];

  test("[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface [Conformance]", async () => {
    expect(await resourcesOf(aggregated("v2"))).toEqual(expect.arrayContaining(wanted));
  });

  test("[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers [Conformance]", async () => {
    expect(await resourcesOf(aggregated("v2"))).toEqual(expect.arrayContaining(wanted));
    // Its beta version is gone since v1.33: clients that still ask for it get the plain list.
    for (const accept of ["application/json", `${aggregated("v2beta1")},application/json`]) {
      const plain = await api.send("/apis", { headers: { accept } });
      expect([plain.contentType, plain.body.kind]).toEqual(["application/json", "APIGroupList"]);
    }
    const several = await api.send("/apis", { headers: { accept: `${aggregated("v2")},application/json` } });
    expect(several.contentType).toBe(aggregated("v2"));
  });

  test("[sig-api-machinery] Discovery should locate the groupVersion and a resource within each APIGroup [Conformance]", async () => {
    const resources = [
      ["admissionregistration.k8s.io/v1", "validatingwebhookconfigurations"],
      ["apiextensions.k8s.io/v1", "customresourcedefinitions"],
      ["apiregistration.k8s.io/v1", "apiservices"],
      ["apps/v1", "deployments"],
      ["authentication.k8s.io/v1", "tokenreviews"],
      ["authorization.k8s.io/v1", "selfsubjectaccessreviews"],
      ["autoscaling/v1", "horizontalpodautoscalers"],
      ["autoscaling/v2", "horizontalpodautoscalers"],
      ["batch/v1", "jobs"],
      ["certificates.k8s.io/v1", "certificatesigningrequests"],
      ["coordination.k8s.io/v1", "leases"],
      ["discovery.k8s.io/v1", "endpointslices"],
      ["events.k8s.io/v1", "events"],
      ["networking.k8s.io/v1", "ingresses"],
      ["node.k8s.io/v1", "runtimeclasses"],
      ["policy/v1", "poddisruptionbudgets"],
      ["scheduling.k8s.io/v1", "priorityclasses"],
      ["storage.k8s.io/v1", "csinodes"],
    ] as const;
    const { groups } = (await api.get("/apis")) as Body & {
      groups: readonly { name: string; versions: readonly { groupVersion: string }[] }[];
    };
    for (const [groupVersion, resource] of resources) {
      const group = groups.find(({ name }) => name === groupVersion.split("/")[0]);
      expect(group?.versions.map((version) => version.groupVersion)).toContain(groupVersion);
      const list = (await api.get(`/apis/${groupVersion}`)) as Body & {
        resources: readonly { name: string }[];
      };
      expect([list["groupVersion"], list.resources.map(({ name }) => name)]).toEqual([
        groupVersion,
        expect.arrayContaining([resource]),
      ]);
    }
  });

  const deployment = (metadata: string, spec: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: validated
  labels: {app: web}
${metadata}spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1"}]
${spec}`;
  const deployments = "/apis/apps/v1/namespaces/default/deployments";
  const send = (validation: string, body: string) =>
    api.send(`${deployments}?dryRun=All&fieldValidation=${validation}`, {
      method: "POST",
      headers: { "content-type": "application/yaml" },
      body,
    });

  test("[sig-api-machinery] FieldValidation should detect unknown and duplicate fields of a typed object [Conformance]", async () => {
    const body = deployment("", "  foo: bar\n  paused: true\n");
    const strict = await send("Strict", body);
    expect(strict.status).toBe(400);
    expect(strict.body["message"]).toContain('unknown field "spec.foo"');
    const warned = await send("Warn", body);
    expect(warned.status).toBe(201);
    expect(warned.warnings).toContain('unknown field \\"spec.foo\\"');
    const ignored = await send("Ignore", body);
    expect([ignored.status, ignored.warnings]).toEqual([201, ""]);
    const json = '{"metadata":{"name":"j"},"data":{},"foo":1,"data":{}}';
    const answer = await api.send("/api/v1/namespaces/default/configmaps?fieldValidation=Strict", {
      method: "POST",
      body: json,
    });
    expect([answer.status, answer.body["message"]]).toEqual([
      400,
      expect.stringMatching(
        /unknown field "foo".*duplicate field "data"|duplicate field "data".*unknown field "foo"/,
      ),
    ]);
  });

  test("[sig-api-machinery] FieldValidation should detect unknown metadata fields of a typed object [Conformance]", async () => {
    const body = deployment("  unknownMeta: a\n", "");
    const strict = await send("Strict", body);
    expect([strict.status, strict.body["message"]]).toEqual([
      400,
      expect.stringContaining('unknown field "metadata.unknownMeta"'),
    ]);
  });

  test("[sig-api-machinery] Namespaces [Serial] should apply a finalizer to a Namespace [Conformance]", async () => {
    const path = await api.namespace("finalized");
    const finalizer = "e2e.example.com/fakeFinalizer";
    const current = await api.get(path);
    const { finalizers } = current["spec"] as { finalizers: readonly string[] };
    const extended = { ...current, spec: { finalizers: [...finalizers, finalizer] } };
    const finalized = await api.update(`${path}/finalize`, extended);
    expect(finalized["spec"]).toEqual({ finalizers: ["kubernetes", finalizer] });
    const without = { ...finalized, spec: { finalizers } };
    expect((await api.update(`${path}/finalize`, without))["spec"]).toEqual({ finalizers: ["kubernetes"] });
    await api.delete(path);
    await api.until(
      "/api/v1/namespaces?fieldSelector=metadata.name%3Dfinalized",
      ({ items }) => items.length === 0,
    );
  });

  test("[sig-api-machinery] Namespaces [Serial] should apply an update to a Namespace [Conformance]", async () => {
    const path = await api.namespace("updated");
    const current = await api.get(path);
    const labels = { ...current.metadata.labels, updated: "updated" };
    await api.update(path, { ...current, metadata: { ...current.metadata, labels } });
    expect((await api.get(path)).metadata.labels).toMatchObject({
      updated: "updated",
      "kubernetes.io/metadata.name": "updated",
    });
  });

  test("[sig-api-machinery] Namespaces [Serial] should apply changes to a namespace status [Conformance]", async () => {
    const path = await api.namespace("status");
    const condition = (type: string) => ({ type, status: "True", reason: "E2E", message: "by a test" });
    const status = { conditions: [condition("StatusPatch")] };
    expect((await api.patch(`${path}/status`, { status }))["status"]).toMatchObject(status);
    const current = await api.get(`${path}/status`);
    const updated = { phase: "Active", conditions: [condition("StatusPatch"), condition("StatusUpdate")] };
    expect((await api.update(`${path}/status`, { ...current, status: updated }))["status"]).toMatchObject(
      updated,
    );
  });

  test("[sig-api-machinery] ResourceQuota should manage the lifecycle of a ResourceQuota [Conformance]", async () => {
    const path = await api.namespace("quota");
    const labels = { "e2e-quota": "one" };
    const spec = { hard: { cpu: "1", memory: "500Mi" } };
    await api.create(`${path}/resourcequotas`, { metadata: { name: "one", labels }, spec });
    expect((await api.get(`${path}/resourcequotas/one`))["spec"]).toEqual(spec);
    const listed = await api.get("/api/v1/resourcequotas?labelSelector=e2e-quota%3Done");
    expect(listed.items).toHaveLength(1);
    const change = { metadata: { labels: { one: "patched" } }, spec: { hard: { memory: "750Mi" } } };
    const patched = await api.patch(`${path}/resourcequotas/one`, change, "strategic");
    expect(patched["spec"]).toEqual({ hard: { cpu: "1", memory: "750Mi" } });
    await api.delete(`${path}/resourcequotas?labelSelector=e2e-quota%3Done`);
    expect((await api.get(`${path}/resourcequotas`)).items).toEqual([]);
  });

  const templates = "/api/v1/namespaces/default/podtemplates";
  const createTemplates = async (count: number) => {
    for (let index = 0; index < count; index++)
      await api.create(templates, {
        metadata: { name: `template-${String(index).padStart(4, "0")}` },
        template: {
          metadata: { labels: { app: "chunks" } },
          spec: { containers: [{ name: "a", image: "a" }] },
        },
      });
  };

  test("[sig-api-machinery] Servers with support for API chunking should return chunks of results for list calls [Conformance]", async () => {
    const count = 40;
    await createTemplates(count);
    for (const limit of [1, 7, 39, 40, 60]) {
      const seen: string[] = [];
      let next: string | undefined = "";
      let version: string | undefined;
      while (next !== undefined) {
        const page: Body = await api.get(`${templates}?limit=${limit}${next && `&continue=${next}`}`);
        expect(page.items.length).toBeLessThanOrEqual(limit);
        version ??= page.metadata.resourceVersion;
        expect(page.metadata.resourceVersion).toBe(version);
        seen.push(...page.items.map(({ metadata }) => metadata.name));
        next = page.metadata.continue;
        if (next !== undefined) expect(page.metadata.remainingItemCount).toBe(count - seen.length);
      }
      expect(seen).toEqual([...new Set(seen)]);
      expect(seen).toHaveLength(count);
    }
    await api.delete(templates);
  });

  const pods = "/api/v1/namespaces/default/pods";
  const pod = (name: string, spec: object) => ({
    metadata: { name },
    spec: { containers: [{ name: "web", image: "web:1" }], ...spec },
  });
  const create = (name: string, spec: object) => api.send(pods, { method: "POST", body: pod(name, spec) });

  test("[sig-node] RuntimeClass should reject a Pod requesting a non-existent RuntimeClass [NodeConformance] [Conformance]", async () => {
    const { status, body } = await create("none", { runtimeClassName: "nonexistent" });
    expect([status, body["reason"], body["message"]]).toEqual([
      403,
      "Forbidden",
      'pods "none" is forbidden: pod rejected: RuntimeClass "nonexistent" not found',
    ]);
  });

  test("[sig-node] RuntimeClass should reject a Pod requesting a deleted RuntimeClass [NodeConformance] [Conformance]", async () => {
    const classes = "/apis/node.k8s.io/v1/runtimeclasses";
    await api.create(classes, { metadata: { name: "deleted" }, handler: "handler" });
    expect((await create("before", { runtimeClassName: "deleted" })).status).toBe(201);
    await api.delete(`${classes}/deleted`);
    expect((await create("after", { runtimeClassName: "deleted" })).status).toBe(403);
  });

  test("[sig-node] Sysctls [LinuxOnly] [NodeConformance] should reject invalid sysctls [Conformance]", async () => {
    const sysctls = ["foo-", "kernel.shmmax", "safe-and-unsafe", "bar.."].map((name) => ({
      name,
      value: "1",
    }));
    const { status, body } = await create("sysctls", { securityContext: { sysctls } });
    expect(status).toBe(422);
    const message = String(body["message"]);
    const told = sysctls.map(({ name }) => message.includes(`Invalid value: "${name}"`));
    expect(told).toEqual([true, false, false, true]);
  });

  test("[sig-storage] CSIInlineVolumes should support CSIVolumeSource in Pod API [Conformance]", async () => {
    await api.create("/apis/storage.k8s.io/v1/csidrivers", {
      metadata: { name: "inline.example.com" },
      spec: { volumeLifecycleModes: ["Ephemeral"] },
    });
    const csi = { driver: "inline.example.com", readOnly: true, volumeAttributes: { a: "b" } };
    await api.create(pods, pod("inline", { volumes: [{ name: "data", csi }] }));
    const volumes = ((await api.get(`${pods}/inline`))["spec"] as { volumes: readonly object[] }).volumes;
    expect(volumes).toContainEqual({ name: "data", csi });
    await api.patch(`${pods}/inline`, { metadata: { labels: { patched: "true" } } });
    await api.delete(`${pods}/inline`);
    expect((await api.send(`${pods}/inline`)).status).toBe(404);
  });

  test("[sig-network] API Server should have Endpoints and EndpointSlices pointing to API Server [Conformance]", async () => {
    const published = { clusterIP: "10.96.0.1", address: "192.0.2.1", port: 6443 };
    await publishService(api.cluster.client, apiServerService(published));
    const service = await api.get("/api/v1/namespaces/default/services/kubernetes");
    expect(service["spec"]).toMatchObject({ ports: [{ name: "https", port: 443, protocol: "TCP" }] });
    const endpoints = await api.get("/api/v1/namespaces/default/endpoints/kubernetes");
    const [subset] = endpoints["subsets"] as { addresses: { ip: string }[]; ports: { port: number }[] }[];
    const { items } = await api.get(
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name%3Dkubernetes",
    );
    const [slice] = items as unknown as { endpoints: { addresses: string[] }[]; ports: { port: number }[] }[];
    expect(slice?.endpoints.flatMap(({ addresses }) => addresses)).toEqual(
      subset?.addresses.map(({ ip }) => ip),
    );
    expect(slice?.ports.map(({ port }) => port)).toEqual(subset?.ports.map(({ port }) => port));
  });
});
