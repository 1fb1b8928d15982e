import { describe, expect, test } from "vitest";
import { cells, created, creationProblems, defaulted, updateProblems } from "../testing/check.ts";
import { serviceDefinition } from "./service.ts";

const service = (spec: object = {}) => ({ spec: { ports: [{ port: 80 }], selector: { app: "a" }, ...spec } });

test("defaults", () => {
  expect(defaulted(serviceDefinition, service()).spec).toEqual({
    ports: [{ port: 80, targetPort: 80, protocol: "TCP" }],
    selector: { app: "a" },
    type: "ClusterIP",
    sessionAffinity: "None",
    internalTrafficPolicy: "Cluster",
  });
  expect(defaulted(serviceDefinition, service({ type: "LoadBalancer" })).spec).toMatchObject({
    externalTrafficPolicy: "Cluster",
    allocateLoadBalancerNodePorts: true,
  });
  expect(
    defaulted(serviceDefinition, service({ sessionAffinity: "ClientIP" })).spec.sessionAffinityConfig,
  ).toEqual({
    clientIP: { timeoutSeconds: 10800 },
  });
});

test("the address is also the first of the list", () => {
  expect(created(serviceDefinition, service({ clusterIP: "None" })).spec.clusterIPs).toEqual(["None"]);
});

describe("validation", () => {
  test.each<[object, string[]]>([
    [{}, []],
    [{ ports: [] }, ["spec.ports: Required value"]],
    [{ ports: [], clusterIP: "None" }, []],
    [
      { ports: [{ port: 80 }, { port: 81 }] },
      ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ],
    [
      { ports: [{ port: 0 }] },
      [
        "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
      ],
    ],
    [
      { type: "Other" },
      [
        'spec.type: Unsupported value: "Other": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [{ type: "ExternalName", ports: undefined }, ["spec.externalName: Required value"]],
    [
      { ports: [{ port: 80, nodePort: 30000 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      { type: "NodePort", clusterIP: "None" },
      [`spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`],
    ],
    [
      { externalTrafficPolicy: "Local" },
      [
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      ],
    ],
  ])("%j", (spec, problems) => expect(creationProblems(serviceDefinition, service(spec))).toEqual(problems));
});

describe("updates", () => {
  const old = service({ clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"] });
  test("keep the address that was left out", () => {
    expect(updateProblems(serviceDefinition, { old, next: service() })).toEqual([]);
  });
  test("cannot change the address", () => {
    const next = service({ clusterIP: "10.0.0.2", clusterIPs: ["10.0.0.1"] });
    expect(updateProblems(serviceDefinition, { old, next })).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set',
    ]);
  });
  test("must name a changed address in both fields, or leave the list as it was", () => {
    expect(updateProblems(serviceDefinition, { old, next: service({ clusterIP: "10.0.0.2" }) })).toEqual([
      "spec.clusterIPs[0]: Invalid value: null: primary clusterIP can not be unset",
      "spec.clusterIPs: Required value",
    ]);
  });
  test("to ExternalName drop the address", () => {
    const next = service({
      type: "ExternalName",
      externalName: "example.com",
      clusterIP: "10.0.0.1",
      clusterIPs: ["10.0.0.1"],
    });
    expect(updateProblems(serviceDefinition, { old, next })).toEqual([]);
  });
  test("keep node ports", () => {
    const before = created(
      serviceDefinition,
      service({ type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] }),
    );
    const after = defaulted(serviceDefinition, service({ type: "NodePort" }));
    const context = { now: 0, operation: "update" } as const;
    expect(serviceDefinition.prepareForUpdate?.(after, before, context).spec.ports?.[0]?.nodePort).toBe(
      30080,
    );
  });
});

test.each<[object, object, object]>([
  [{ type: "ClusterIP", clusterIP: "10.0.0.1" }, {}, { "Cluster-IP": "10.0.0.1", "External-IP": "<none>" }],
  [{ type: "LoadBalancer" }, {}, { "External-IP": "<pending>" }],
  [
    { type: "LoadBalancer" },
    { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } },
    { "External-IP": "1.2.3.4" },
  ],
  [
    { type: "ExternalName", externalName: "example.com" },
    {},
    { "External-IP": "example.com", "Cluster-IP": "<none>" },
  ],
  [
    { type: "NodePort", ports: [{ port: 80, nodePort: 30080, protocol: "TCP" }] },
    {},
    { "Port(s)": "80:30080/TCP" },
  ],
])("columns of %j", (spec, status, expected) => {
  expect(cells(serviceDefinition, { ...service(spec), status })).toMatchObject(expected);
});
