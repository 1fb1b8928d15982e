import { describe, expect, test } from "vitest";
import { cells, created, creationProblems, defaulted, testNow, updateProblems } from "../testing/check.ts";
import { configMapDefinition } from "./config-map.ts";
import { endpointsDefinition } from "./endpoints.ts";
import { eventDefinition } from "./event.ts";
import { limitRangeDefinition } from "./limit-range.ts";
import { namespaceDefinition } from "./namespace.ts";
import { nodeDefinition } from "./node.ts";
import { persistentVolumeClaimDefinition } from "./persistent-volume-claim.ts";
import { replicationControllerDefinition } from "./replication-controller.ts";
import { resourceQuotaDefinition } from "./resource-quota.ts";
import { secretDefinition } from "./secret.ts";

test("a new namespace is active, finalized by Kubernetes and labelled with its name", () => {
  expect(created(namespaceDefinition, { metadata: { name: "x" } })).toEqual({
    metadata: { name: "x", labels: { "kubernetes.io/metadata.name": "x" } },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  });
});

describe("config maps", () => {
  test.each<[object, string[]]>([
    [{ data: { a: "b" } }, []],
    [
      { data: { "a b": "" } },
      [
        "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      ],
    ],
    [
      { data: { a: "" }, binaryData: { a: "" } },
      ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    ],
    [{ data: { a: "x".repeat(1024 * 1024 + 1) } }, ["[]: Too long: may not be more than 1048576 bytes"]],
  ])("%#", (sketch, problems) =>
    expect(creationProblems(configMapDefinition, sketch as never)).toEqual(problems),
  );

  test("stay as they are when immutable", () => {
    const old = { immutable: true, data: { a: "1" } };
    expect(updateProblems(configMapDefinition, { old, next: { data: { a: "2" } } })).toEqual([
      "immutable: Forbidden: field is immutable when `immutable` is set",
      "data: Forbidden: field is immutable when `immutable` is set",
    ]);
  });
});

describe("secrets", () => {
  test("fold texts into data", () => {
    expect(defaulted(secretDefinition, { data: { a: "eA==" }, stringData: { b: "ü" } })).toMatchObject({
      type: "Opaque",
      data: { a: "eA==", b: "w7w=" },
    });
    expect(defaulted(secretDefinition, { stringData: { b: "y" } })).not.toHaveProperty("stringData");
  });

  test.each<[object, string[]]>([
    [{}, []],
    [{ type: "kubernetes.io/tls" }, ["data[tls.crt]: Required value", "data[tls.key]: Required value"]],
    [
      { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "x" } },
      [
        "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'x' looking for beginning of value",
      ],
    ],
    [
      { type: "kubernetes.io/service-account-token" },
      ["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
    ],
  ])("%j", (sketch, problems) =>
    expect(creationProblems(secretDefinition, sketch as never)).toEqual(problems),
  );

  test("keep their type", () => {
    expect(updateProblems(secretDefinition, { old: {}, next: { type: "other" } })).toEqual([
      'type: Invalid value: "other": field is immutable',
    ]);
  });
});

test("a node's row", () => {
  expect(
    cells(nodeDefinition, {
      metadata: { name: "n", labels: { "node-role.kubernetes.io/control-plane": "" } },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: "Ready", status: "True" }],
        addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
        nodeInfo: { kubeletVersion: "v1.36.0" },
      },
    }),
  ).toMatchObject({
    Status: "Ready,SchedulingDisabled",
    Roles: "control-plane",
    Version: "v1.36.0",
    "Internal-IP": "10.0.0.1",
    "External-IP": "<none>",
    "OS-Image": "<unknown>",
  });
});

test("an event's row", () => {
  const lastTimestamp = new Date(testNow - 61_000).toISOString();
  expect(
    cells(eventDefinition, {
      involvedObject: { kind: "Pod", name: "p" },
      type: "Normal",
      reason: "Started",
      message: "Started container",
      source: { component: "kubelet", host: "n" },
      lastTimestamp,
    }),
  ).toMatchObject({ "Last Seen": "61s", Object: "pod/p", Source: "kubelet, n", Count: 1 });
});

test("an event is about its own namespace", () => {
  const sketch = { metadata: { name: "e", namespace: "a" }, involvedObject: { namespace: "b" } };
  expect(creationProblems(eventDefinition, sketch)).toEqual([
    'involvedObject.namespace: Invalid value: "b": does not match event.namespace',
  ]);
});

test("endpoints show three addresses", () => {
  const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"].map((ip) => ({ ip }));
  expect(cells(endpointsDefinition, { subsets: [{ addresses, ports: [{ port: 80 }] }] })["Endpoints"]).toBe(
    "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...",
  );
});

test("limits of containers follow one another", () => {
  const limits = [{ type: "Container", max: { cpu: "2" }, min: { cpu: "1", memory: "1Mi" } }];
  expect(defaulted(limitRangeDefinition, { spec: { limits } }).spec.limits[0]).toMatchObject({
    default: { cpu: "2" },
    defaultRequest: { cpu: "2", memory: "1Mi" },
  });
});

test("a replication controller takes labels and selector from its template", () => {
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i:1" }] } };
  const controller = defaulted(replicationControllerDefinition, { spec: { template } });
  expect(controller.metadata.labels).toEqual({ a: "b" });
  expect(controller.spec).toMatchObject({ replicas: 1, selector: { a: "b" } });
});

test("a quota's row", () => {
  const status = { hard: { pods: "5", "limits.cpu": "2" }, used: { pods: "1" } };
  expect(cells(resourceQuotaDefinition, { status })).toMatchObject({
    Request: "pods: 1/5",
    Limit: "limits.cpu: 0/2",
  });
});

describe("claims", () => {
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  test("are pending at first", () => {
    expect(created(persistentVolumeClaimDefinition, { spec })).toMatchObject({
      spec: { volumeMode: "Filesystem" },
      status: { phase: "Pending" },
    });
  });
  test("need a size and a mode", () => {
    expect(creationProblems(persistentVolumeClaimDefinition, { spec: {} })).toEqual([
      "spec.accessModes: Required value: at least 1 access mode is required",
      "spec.resources[storage]: Required value",
    ]);
  });
});
