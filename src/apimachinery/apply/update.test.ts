import { expect, test } from "vitest";
import { schemas } from "../../api/index.ts";
import type { JsonObject } from "../json.ts";
import { fieldSets, statusFields, specFields, updateManagedFields } from "./index.ts";

const typeOf = (group: string, kind: string) =>
  schemas.typeOf({ group, version: "v1", kind }) ?? expect.fail(`no type of ${kind}`);
const now = Date.UTC(2026, 0, 1);
const time = "2026-01-01T00:00:00Z";

const meta = (extra: JsonObject = {}): JsonObject => ({
  name: "web",
  namespace: "default",
  uid: "u",
  resourceVersion: "1",
  creationTimestamp: time,
  ...extra,
});

const pod: JsonObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: meta({ labels: { app: "web" } }),
  spec: {
    containers: [
      {
        name: "nginx",
        image: "nginx",
        ports: [{ containerPort: 80, protocol: "TCP" }],
        env: [{ name: "A", value: "b" }],
        resources: {},
        imagePullPolicy: "Always",
      },
    ],
    restartPolicy: "Always",
    securityContext: {},
    nodeSelector: { disk: "ssd" },
  },
  status: { phase: "Pending", qosClass: "BestEffort" },
};

const create = (object: JsonObject, options: { group: string; apiVersion: string }) =>
  updateManagedFields({
    object,
    type: typeOf(options.group, object["kind"] as string),
    manager: "kubectl-create",
    apiVersion: options.apiVersion,
    now,
    resetFields: statusFields,
  });

test("a created pod belongs to its maker, but for its status and what the server sets", () => {
  expect(create(pod, { group: "", apiVersion: "v1" })).toEqual([
    {
      manager: "kubectl-create",
      operation: "Update",
      apiVersion: "v1",
      time,
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
        "f:spec": {
          "f:containers": {
            'k:{"name":"nginx"}': {
              ".": {},
              "f:env": { ".": {}, 'k:{"name":"A"}': { ".": {}, "f:name": {}, "f:value": {} } },
              "f:image": {},
              "f:imagePullPolicy": {},
              "f:name": {},
              "f:ports": {
                ".": {},
                'k:{"containerPort":80,"protocol":"TCP"}': {
                  ".": {},
                  "f:containerPort": {},
                  "f:protocol": {},
                },
              },
              "f:resources": {},
            },
          },
          "f:nodeSelector": {},
          "f:restartPolicy": {},
          "f:securityContext": {},
        },
      },
    },
  ]);
});

test("a created Deployment: structs that are always there are nobody's", () => {
  const deployment: JsonObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: meta({ generation: 1 }),
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "web" } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "a" }] } },
    },
    status: {},
  };
  expect(create(deployment, { group: "apps", apiVersion: "apps/v1" })?.[0]?.fieldsV1).toEqual({
    "f:spec": {
      "f:replicas": {},
      "f:selector": {},
      "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {} }, "f:type": {} },
      "f:template": {
        "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
        "f:spec": { "f:containers": { 'k:{"name":"a"}': { ".": {}, "f:name": {}, "f:resources": {} } } },
      },
    },
  });
});

test("elements and keys are in upstream's order", () => {
  const service: JsonObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: meta({ annotations: { z: "", b: "" }, finalizers: ["y/y", "a/a"] }),
    spec: {
      ports: [
        { port: 443, protocol: "TCP" },
        { port: 80, protocol: "UDP" },
        { port: 80, protocol: "TCP" },
      ],
    },
  };
  expect(JSON.stringify(create(service, { group: "", apiVersion: "v1" })?.[0]?.fieldsV1)).toBe(
    JSON.stringify({
      "f:metadata": {
        "f:annotations": { ".": {}, "f:b": {}, "f:z": {} },
        "f:finalizers": { ".": {}, 'v:"a/a"': {}, 'v:"y/y"': {} },
      },
      "f:spec": {
        "f:ports": {
          ".": {},
          'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {} },
          'k:{"port":80,"protocol":"UDP"}': { ".": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {} },
          'k:{"port":443,"protocol":"TCP"}': { ".": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {} },
        },
      },
    }),
  );
});

const withEntries = (object: JsonObject, managedFields: unknown): JsonObject => ({
  ...object,
  metadata: { ...(object["metadata"] as JsonObject), managedFields: managedFields as readonly JsonObject[] },
});

const tracked = withEntries(pod, create(pod, { group: "", apiVersion: "v1" }));
const podType = typeOf("", "Pod");

function update(
  old: JsonObject,
  object: JsonObject,
  options: { manager: string; subresource?: string; later?: number },
) {
  return updateManagedFields({
    old,
    object,
    type: podType,
    manager: options.manager,
    apiVersion: "v1",
    subresource: options.subresource,
    now: now + (options.later ?? 60_000),
    resetFields: options.subresource === "status" ? specFields : statusFields,
  });
}

test("an update takes what it changes from others, and what it removes from everyone", () => {
  const changed: JsonObject = {
    ...tracked,
    metadata: { ...(tracked["metadata"] as JsonObject), labels: { app: "web2", tier: "x" } },
    spec: { ...(pod["spec"] as JsonObject), restartPolicy: undefined },
  };
  const entries = update(tracked, changed, { manager: "editor" }) ?? [];
  expect(entries.map(({ manager, time: at }) => [manager, at])).toEqual([
    ["kubectl-create", time],
    ["editor", "2026-01-01T00:01:00Z"],
  ]);
  expect(entries[1]?.fieldsV1).toEqual({ "f:metadata": { "f:labels": { "f:app": {}, "f:tier": {} } } });
  const paths = fieldSets.pathsOf(entries[0]?.fieldsV1 ?? {});
  expect(paths).toContain(".metadata.labels");
  expect(paths).not.toContain(".metadata.labels.app");
  expect(paths).not.toContain(".spec.restartPolicy");
});

test("an update that changes nothing leaves the entries as they are", () => {
  const entries = update(tracked, { ...tracked }, { manager: "editor" });
  expect(entries?.[0]).toBe(
    (tracked["metadata"] as { managedFields?: readonly unknown[] }).managedFields?.[0],
  );
  expect(entries).toHaveLength(1);
});

test("status writes have an entry of their own", () => {
  const object = {
    ...tracked,
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  };
  const entries = update(tracked, object, { manager: "kubelet", subresource: "status" }) ?? [];
  expect(entries[1]).toMatchObject({
    manager: "kubelet",
    operation: "Update",
    subresource: "status",
    fieldsV1: {
      "f:status": {
        "f:conditions": {
          ".": {},
          'k:{"type":"Ready"}': { ".": {}, "f:status": {}, "f:type": {}, "f:lastProbeTime": {} },
        },
        "f:phase": {},
      },
    },
  });
});

test("writes of the same manager are merged", () => {
  const one = withEntries({ ...tracked, status: { phase: "A" } }, []);
  const first = update(
    tracked,
    { ...tracked, status: { phase: "A" } },
    { manager: "kubelet", subresource: "status" },
  );
  const old = withEntries(one, first);
  const object = { ...old, status: { phase: "B", message: "m" } };
  const entries = update(old, object, { manager: "kubelet", subresource: "status", later: 120_000 }) ?? [];
  expect(entries).toHaveLength(2);
  expect(entries[1]).toMatchObject({
    time: "2026-01-01T00:02:00Z",
    fieldsV1: { "f:status": { "f:message": {}, "f:phase": {} } },
  });
});

test("an object that was not tracked stays untracked; an empty list resets", () => {
  expect(update(pod, { ...pod, spec: {} }, { manager: "x" })).toBeUndefined();
  expect(update(tracked, withEntries(pod, []), { manager: "x" })).toBeUndefined();
  expect(update(tracked, withEntries(pod, [{}]), { manager: "x" })).toBeUndefined();
});

test("malformed entries of a client are ignored", () => {
  const entries = update(tracked, withEntries(pod, [{ operation: "Frob" }]), { manager: "x" });
  expect(entries?.map(({ manager }) => manager)).toEqual(["kubectl-create"]);
});

test("at most ten updates are kept apart: the oldest become one", () => {
  let old = tracked;
  for (let index = 0; index < 14; index++) {
    const labels = { ...((old["metadata"] as JsonObject)["labels"] as JsonObject), [`l${index}`]: "x" };
    const object: JsonObject = { ...old, metadata: { ...(old["metadata"] as JsonObject), labels } };
    old = withEntries(object, update(old, object, { manager: `m${index}`, later: 1000 * (index + 1) }));
  }
  const entries = (old["metadata"] as { managedFields: readonly { manager: string; fieldsV1: JsonObject }[] })
    .managedFields;
  expect(entries.map(({ manager }) => manager)).toEqual([
    "ancient-changes",
    ...Array.from({ length: 9 }, (_, index) => `m${index + 5}`),
  ]);
  const paths = fieldSets.pathsOf(entries[0]?.fieldsV1 ?? {});
  for (const label of ["app", "l0", "l4"]) expect(paths).toContain(`.metadata.labels.${label}`);
});
