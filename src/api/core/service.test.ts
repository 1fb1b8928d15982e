import { describe, expect, test } from "vitest";
import type { Service } from "../types/core-v1.ts";
import { cells, created, creationProblems, defaulted, updateProblems, warningsOf } from "../testing/check.ts";
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
  test("cannot change the address by the field of old clients either", () => {
    expect(updateProblems(serviceDefinition, { old, next: service({ clusterIP: "10.0.0.2" }) })).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set',
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
  const open = { type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] };
  const two = [
    { name: "a", port: 80, nodePort: 30080 },
    { name: "b", port: 81, nodePort: 30081 },
  ];
  const balanced = { type: "LoadBalancer", loadBalancerClass: "x.io/y", externalTrafficPolicy: "Local" };
  test.each<[string, object, object, object]>([
    [
      "keep node ports by the ports' names",
      { type: "NodePort", ports: two },
      {
        type: "NodePort",
        ports: [
          { name: "b", port: 90 },
          { name: "c", port: 80 },
        ],
      },
      { ports: [{ port: 90, nodePort: 30081 }, { port: 80 }] },
    ],
    [
      "do not give a port that another one took",
      { type: "NodePort", ports: two },
      {
        type: "NodePort",
        ports: [
          { name: "a", port: 80 },
          { name: "c", port: 81, nodePort: 30080 },
        ],
      },
      { ports: [{ name: "a" }, { name: "c", nodePort: 30080 }] },
    ],
    [
      "keep node ports that are no longer given",
      open,
      { ...balanced, allocateLoadBalancerNodePorts: false },
      { ports: open.ports },
    ],
    [
      "leave new node ports for the validation",
      open,
      { type: "ClusterIP", ports: [{ port: 80, nodePort: 30081 }] },
      { ports: [{ nodePort: 30081 }] },
    ],
    [
      "keep the port of health checks",
      { ...balanced, healthCheckNodePort: 30090 },
      balanced,
      { healthCheckNodePort: 30090 },
    ],
    [
      "keep an address that differs in one of its fields",
      { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"] },
      {
        type: "ExternalName",
        externalName: "x.io",
        clusterIP: "10.0.0.1",
        clusterIPs: ["10.0.0.1", "fd00::1"],
      },
      { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1", "fd00::1"] },
    ],
  ])("%s", (_, before, next, spec) => expect(updated(before, next).spec).toMatchObject(spec));

  test("drop what other types do not have", () => {
    const before = { ...balanced, ports: open.ports, healthCheckNodePort: 30090 };
    const next = { ...before, type: "ClusterIP", allocateLoadBalancerNodePorts: true };
    expect(updated(before, next).spec).toEqual(defaulted(serviceDefinition, service()).spec);
  });
  test("forget the balancer of a service that has none", () => {
    const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" as const }] } };
    expect(updated(balanced, {}, status).status).toEqual({ loadBalancer: {} });
    expect(updated(balanced, balanced, status).status).toEqual(status);
  });
});

/** A service after an update as the registry prepares it: its status is the old one's. */
function updated(before: object, next: object, status: Service["status"] = { loadBalancer: {} }): Service {
  const context = { now: 0, operation: "update" } as const;
  const object = { ...defaulted(serviceDefinition, service(next)), status };
  return serviceDefinition.prepareForUpdate!(object, created(serviceDefinition, service(before)), context);
}

test.each<[object, readonly string[]]>([
  [{}, []],
  [{ externalName: "x.io" }, ['spec.externalName is ignored when spec.type is not "ExternalName"']],
  [
    { trafficDistribution: "PreferClose" },
    ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
  ],
  [
    { clusterIP: "None", loadBalancerIP: "192.0.2.1", sessionAffinity: "ClientIP" },
    [
      "spec.loadBalancerIP is ignored for headless services",
      "spec.SessionAffinity is ignored for headless services",
    ],
  ],
])("warnings of %j", (spec, warnings) =>
  expect(warningsOf(serviceDefinition, service(spec))).toEqual(warnings),
);

test("a balancer's addresses are warned about as they are reported", () => {
  const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }, { ip: "FD00::1" }] } };
  expect(serviceDefinition.statusWarnings?.({ ...defaulted(serviceDefinition, service()), status })).toEqual([
    'status.loadBalancer.ingress[1]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
  ]);
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
