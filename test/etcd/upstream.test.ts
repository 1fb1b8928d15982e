import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import type { Client } from "../../src/api/index.ts";
import type { KubernetesObject, Resource } from "../../src/apimachinery/index.ts";
import { DaemonSet, Deployment, StatefulSet } from "../../src/api/types/apps-v1.ts";
import { Job } from "../../src/api/types/batch-v1.ts";
import { Lease } from "../../src/api/types/coordination-v1.ts";
import {
  ConfigMap,
  Event,
  Namespace,
  PersistentVolumeClaim,
  Pod,
  Secret,
  Service,
  ServiceAccount,
} from "../../src/api/types/core-v1.ts";
import { NetworkPolicy } from "../../src/api/types/networking-v1.ts";
import { ClusterRole, Role, RoleBinding } from "../../src/api/types/rbac-v1.ts";
import { generateServiceAccountKey } from "../../src/apiserver/authentication/index.ts";
import { createControlPlane } from "../../src/control-plane/index.ts";
import { connectEtcdStore } from "../../src/etcd/client/index.ts";
import type { Server } from "../differential/exchange.ts";
import { startUpstream } from "../differential/servers.ts";
import { hasEtcd } from "./harness.ts";
import { startMembers } from "./members.ts";
import type { EtcdCluster } from "./members.ts";

/** A folder with upstream's `kube-apiserver`, of a version that serves what is written here. */
const upstreamFolder = process.env["KUBETS_UPSTREAM"];

const bare = { automountServiceAccountToken: false };
const template = {
  metadata: { labels: { app: "x" }, annotations: { a: "ü" } },
  spec: {
    containers: [
      { name: "c", image: "i", ports: [{ containerPort: 80 }], resources: { limits: { cpu: "100m" } } },
    ],
  },
};
const selector = { matchLabels: { app: "x" } };
const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];

/** A kind with an object of it; `{}` stands for what the namespace and a name are put into. */
const samples: readonly [Resource<object>, object][] = [
  [Pod, { spec: { ...template.spec, ...bare, nodeName: "n", tolerations: [{ operator: "Exists" }] } }],
  [
    Deployment,
    { spec: { replicas: 2, selector, template, strategy: { rollingUpdate: { maxSurge: "25%" } } } },
  ],
  [StatefulSet, { spec: { serviceName: "s", selector, template } }],
  [DaemonSet, { spec: { selector, template } }],
  [Job, { spec: { completions: 2, template: { spec: { ...template.spec, restartPolicy: "Never" } } } }],
  [Service, { spec: { clusterIP: "None", selector: { a: "b" }, ports: [{ port: 80, targetPort: "http" }] } }],
  [Secret, { type: "Opaque", data: { key: "AAEC/w==" } }],
  [ConfigMap, { data: { a: "b", text: "ü\n" }, binaryData: { b: "AAE=" }, immutable: true }],
  [ServiceAccount, { automountServiceAccountToken: false }],
  [
    PersistentVolumeClaim,
    { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
  ],
  [Role, { rules }],
  [
    RoleBinding,
    { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" }, subjects: [] },
  ],
  [ClusterRole, { rules, aggregationRule: undefined }],
  [NetworkPolicy, { spec: { podSelector: selector, policyTypes: ["Ingress"] } }],
  [
    Lease,
    { spec: { holderIdentity: "me", leaseDurationSeconds: 5, renewTime: "2026-01-01T00:00:00.123456Z" } },
  ],
];

const eventIn = (namespace: string) => ({
  involvedObject: { kind: "Pod", namespace, name: "p" },
  reason: "Tested",
  message: "m",
  type: "Normal",
  count: 2,
  firstTimestamp: "2026-01-01T00:00:00Z",
});

/** Kinds whose objects wait for a controller before they go. */
const finalized = new Set(["PersistentVolumeClaim"]);
/** Kinds of which v1.20 does not know what later versions require of an update. */
const unchangeable = new Set(["Job"]);

/** Upstream shows times that are not set as null up to v1.33. */
const withoutNulls = (_: string, value: unknown) => (value === null ? undefined : value);

const pathOf = ({ group, version, plural, namespaced }: Resource<object>, namespace: string, name = "") => {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const below = namespaced ? `/namespaces/${namespace}` : "";
  return `${root}${below}/${plural}${name === "" ? "" : `/${name}`}`;
};

describe.skipIf(!hasEtcd || upstreamFolder === undefined)(
  "upstream's API server and ours on one etcd",
  () => {
    let cluster: EtcdCluster;
    let upstream: Server;
    let ours: Client;
    const closing: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      cluster = await startMembers(1);
      const [etcdUrl] = cluster.urls as [string];
      // Its objects are of a version that ours no longer has, and the other way round.
      upstream = await startUpstream(upstreamFolder!, {
        etcdUrl,
        flags: ["--enable-priority-and-fairness=false"],
      });
      const outside = { clock: systemClock, logger: silentLogger, random: systemRandom };
      const store = await connectEtcdStore({ servers: cluster.urls, ...outside });
      const plane = await createControlPlane({
        store,
        ...outside,
        storageMediaType: "application/vnd.kubernetes.protobuf",
        serviceAccountKey: await generateServiceAccountKey(),
        issuer: "https://kubernetes.default.svc",
        rootCertificateAuthority: "",
        serviceCIDR: "10.96.0.0/16",
      });
      closing.push(
        () => plane.close(),
        () => store.close(),
      );
      ours = plane.clientFor({ name: "admin", groups: ["system:masters"] });
    }, 120_000);

    afterAll(async () => {
      for (const close of closing) await close();
      await upstream?.close();
      await cluster?.stop();
    });

    async function ask(method: string, path: string, body?: object) {
      const headers = { "content-type": "application/json" };
      const sent = body && JSON.stringify(body);
      const { status, text } = await upstream.send({ method, path, headers, body: sent });
      return { status, object: JSON.parse(text, withoutNulls) as KubernetesObject & Record<string, unknown> };
    }

    const named = (resource: Resource<object>, namespace: string, object: object) => ({
      kind: resource.kind,
      apiVersion: resource.group === "" ? resource.version : `${resource.group}/${resource.version}`,
      metadata: resource.namespaced ? { name: "sample", namespace } : { name: `sample-${namespace}` },
      ...object,
    });

    const keyOf = (resource: Resource<object>, namespace: string) =>
      resource.namespaced ? { name: "sample", namespace } : { name: `sample-${namespace}` };

    /** All that upstream shows of an object, but for what v1.36 no longer has, ours shows too. */
    function expectSame(shown: object, theirs: KubernetesObject & Record<string, unknown>) {
      const {
        selfLink: _,
        managedFields: __,
        ...metadata
      } = theirs.metadata as unknown as Record<string, unknown>;
      expect(shown).toMatchObject({ ...theirs, metadata });
    }

    const all = (namespace: string): readonly [Resource<object>, object][] => [
      ...samples,
      [Event, eventIn(namespace)],
    ];

    test("ours reads, changes and deletes what upstream's wrote", async () => {
      await ask("POST", "/api/v1/namespaces", { metadata: { name: "theirs" } });
      await ask("POST", "/api/v1/namespaces/theirs/serviceaccounts", { metadata: { name: "default" } });
      for (const [resource, object] of all("theirs")) {
        const made = await ask("POST", pathOf(resource, "theirs"), named(resource, "theirs", object));
        expect([resource.kind, made.status, made.status === 201 ? "" : made.object]).toEqual([
          resource.kind,
          201,
          "",
        ]);
        const key = keyOf(resource, "theirs");
        const shown = (await ours.get(resource, key)) as KubernetesObject;
        expectSame(shown, made.object);
        const labelled = { ...shown, metadata: { ...shown.metadata, labels: { changed: "yes" } } };
        await ours.update(resource, labelled);
        await expect(ours.update(resource, labelled)).rejects.toMatchObject({ code: 409 });
        const changed = await ask("GET", pathOf(resource, "theirs", key.name));
        expect(changed.object.metadata.labels).toEqual({ changed: "yes" });
        expectSame(await ours.get(resource, key), changed.object);
        await ours.delete(resource, key, { gracePeriodSeconds: 0, propagationPolicy: "Background" });
        const left = await ask("GET", pathOf(resource, "theirs", key.name));
        if (finalized.has(resource.kind)) expect(left.object.metadata.deletionTimestamp).toBeDefined();
        else expect([resource.kind, left.status]).toEqual([resource.kind, 404]);
      }
    });

    test("upstream's reads, changes and deletes what ours wrote", async () => {
      await ours.create(Namespace, { metadata: { name: "ours" } });
      await ours.create(ServiceAccount, { metadata: { name: "default", namespace: "ours" } });
      for (const [resource, object] of all("ours")) {
        const made = (await ours.create(resource, named(resource, "ours", object))) as KubernetesObject;
        const path = pathOf(resource, "ours", made.metadata.name);
        const theirs = await ask("GET", path);
        expect([resource.kind, theirs.status]).toEqual([resource.kind, 200]);
        expectSame(made, theirs.object);
        if (unchangeable.has(resource.kind)) continue;
        const { metadata } = theirs.object;
        const changed = await ask("PUT", path, {
          ...theirs.object,
          metadata: { ...metadata, labels: { changed: "yes" } },
        });
        expect([resource.kind, changed.status]).toEqual([resource.kind, 200]);
        expectSame(await ours.get(resource, keyOf(resource, "ours")), changed.object);
        expect((await ask("PUT", path, theirs.object)).status).toBe(409);
        await ask("DELETE", `${path}?gracePeriodSeconds=0&propagationPolicy=Background`);
        const left = ours.get(resource, keyOf(resource, "ours"));
        if (finalized.has(resource.kind)) {
          expect(((await left) as KubernetesObject).metadata.deletionTimestamp).toBeDefined();
        } else await expect(left).rejects.toMatchObject({ code: 404 });
      }
    });

    test("both record which node ports are taken", async () => {
      const service = (name: string, nodePort: number) => ({
        metadata: { name, namespace: "default" },
        spec: { type: "NodePort" as const, ports: [{ port: 80, nodePort }] },
      });
      const path = "/api/v1/namespaces/default/services";
      expect((await ask("POST", path, service("theirs", 30_100))).status).toBe(201);
      await expect(ours.create(Service, service("mine", 30_100))).rejects.toMatchObject({ code: 422 });
      await ours.create(Service, service("mine", 30_101));
      expect((await ask("POST", path, service("other", 30_101))).status).toBe(422);
      await ask("DELETE", `${path}/theirs`);
      await ours.create(Service, service("again", 30_100));
    });
  },
);
