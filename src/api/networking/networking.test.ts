import { describe, expect, test } from "vitest";
import {
  cells,
  created,
  creationProblems,
  statusProblems,
  updateProblems,
  warningsOf,
} from "../testing/check.ts";
import type { Sketch } from "../testing/check.ts";
import { ingressClassDefinition } from "./ingress-class.ts";
import { ingressDefinition } from "./ingress.ts";
import { networkPolicyDefinition } from "./network-policy.ts";
import { ipAddressDefinition, serviceCidrDefinition } from "./service-cidr.ts";

type Case = readonly [name: string, sketch: Sketch, problems: readonly string[]];

const service = (port: Sketch = { number: 80 }): Sketch => ({ service: { name: "w", port } });
const path = (change: Sketch = {}): Sketch => ({
  path: "/",
  pathType: "Prefix",
  backend: service(),
  ...change,
});
const ingress = (...paths: readonly Sketch[]): Sketch => ({ spec: { rules: [{ http: { paths } }] } });

describe("ingresses", () => {
  const first = "spec.rules[0].http.paths[0]";
  const cases: readonly Case[] = [
    [
      "a good one",
      ingress(path(), { pathType: "ImplementationSpecific", backend: service({ name: "http" }) }),
      [],
    ],
    [
      "no type",
      ingress(path({ pathType: null })),
      [`${first}.pathType: Required value: pathType must be specified`],
    ],
    [
      "another type",
      ingress(path({ pathType: "X" })),
      [
        `${first}.pathType: Unsupported value: "X": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
      ],
    ],
    [
      "an odd path",
      ingress(path({ path: "a//b/.." })),
      [
        `${first}.path: Invalid value: "a//b/..": must be an absolute path`,
        `${first}.path: Invalid value: "a//b/..": must not contain '//'`,
        `${first}.path: Invalid value: "a//b/..": cannot end with '/..'`,
      ],
    ],
    [
      "no backend",
      ingress(path({ backend: {} })),
      [`${first}.backend: Invalid value: "": resource or service backend is required`],
    ],
    [
      "two backends",
      ingress(path({ backend: { ...service(), resource: { kind: "K", name: "n" } } })),
      [`${first}.backend: Invalid value: "": cannot set both resource and service backends`],
    ],
    [
      "no port",
      ingress(path({ backend: service({}) })),
      [`${first}.backend: Required value: port name or number is required`],
    ],
    [
      "two ports",
      ingress(path({ backend: service({ name: "a", number: 1 }) })),
      [`${first}.backend: Invalid value: "": cannot set both port name & port number`],
    ],
    [
      "hosts that are none",
      { spec: { rules: [{ host: "10.0.0.1" }], tls: [{ hosts: ["*"], secretName: "a" }] } },
      [
        'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
        "spec.tls[0].hosts[0]: Invalid value: \"*\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
  ];
  test.each(cases)("%s", (_, sketch, problems) => {
    expect(creationProblems(ingressDefinition, sketch)).toEqual(problems);
  });
  test("a class that is named twice, differently", () => {
    const annotations = { "kubernetes.io/ingress.class": "a" };
    const sketch = {
      metadata: { name: "x", annotations },
      spec: { defaultBackend: service(), ingressClassName: "b" },
    };
    expect(creationProblems(ingressDefinition, sketch)).toEqual([
      'annotations.kubernetes.io/ingress.class: Invalid value: "a": must match `ingressClassName` when both are specified',
    ]);
    expect(updateProblems(ingressDefinition, { old: sketch, next: sketch })).toEqual([]);
  });
  test("a class in an annotation is warned of", () => {
    const annotations = { "kubernetes.io/ingress.class": "a" };
    const sketch = { metadata: { name: "x", annotations }, spec: {} };
    expect(warningsOf(ingressDefinition, sketch)).toHaveLength(1);
    expect(warningsOf(ingressDefinition, sketch, sketch)).toEqual([]);
  });
  test("a secret's bad name may stay", () => {
    const sketch = { spec: { defaultBackend: service(), tls: [{ secretName: "A_" }] } };
    expect(creationProblems(ingressDefinition, sketch)).toHaveLength(1);
    expect(updateProblems(ingressDefinition, { old: sketch, next: sketch })).toEqual([]);
  });
  test("addresses of load balancers", () => {
    const status = (...addresses: readonly Sketch[]) => ({
      spec: {},
      status: { loadBalancer: { ingress: addresses } },
    });
    const next = status({ ip: "1.1.1.01" }, { hostname: "1.1.1.1" });
    expect(statusProblems(ingressDefinition, { old: status({ ip: "1.1.1.01" }), next })).toEqual([
      'status.loadBalancer.ingress[1].hostname: Invalid value: "1.1.1.1": must be a DNS name, not an IP address',
    ]);
    expect(statusProblems(ingressDefinition, { old: status(), next })).toHaveLength(2);
  });
  test("the table", () => {
    const rules = ["a", "b", "c", "d"].map((host) => ({ host }));
    expect(cells(ingressDefinition, { spec: { rules, tls: [{}] } })).toMatchObject({
      Class: "<none>",
      Hosts: "a,b,c + 1 more...",
      Ports: "80, 443",
    });
  });
});

describe("ingress classes", () => {
  const parameters = { apiGroup: "a.b", kind: "K", name: "n" };
  const cases: readonly Case[] = [
    ["a good one", { spec: { controller: "a.b/c", parameters } }, []],
    ["no controller", { spec: {} }, ["spec.controller: Required value"]],
    [
      "no domain",
      { spec: { controller: "a" } },
      ['spec.controller: Invalid value: "a": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
    [
      "a namespace of the cluster's",
      { spec: { controller: "a.b/c", parameters: { ...parameters, namespace: "n" } } },
      ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
    ],
    [
      "settings of nothing",
      { spec: { controller: "a.b/c", parameters: { kind: "", name: "" } } },
      [
        "spec.parameters.kind: Required value: kind is required",
        "spec.parameters.name: Required value: name is required",
      ],
    ],
    [
      "none of a namespace's",
      { spec: { controller: "a.b/c", parameters: { ...parameters, scope: "Namespace" } } },
      ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
    ],
  ];
  test.each(cases)("%s", (_, sketch, problems) => {
    expect(creationProblems(ingressClassDefinition, sketch)).toEqual(problems);
  });
  test("keep their controller", () => {
    const sketches = { old: { spec: { controller: "a.b/c" } }, next: { spec: { controller: "a.b/d" } } };
    expect(updateProblems(ingressClassDefinition, sketches)).toEqual([
      'spec.controller: Invalid value: "a.b/d": field is immutable',
    ]);
    expect(cells(ingressClassDefinition, { spec: { controller: "a.b/c", parameters } })).toMatchObject({
      Controller: "a.b/c",
      Parameters: "K.a.b/n",
    });
  });
});

describe("network policies", () => {
  const policy = (rule: Sketch, more: Sketch = {}): Sketch => ({
    spec: { podSelector: {}, ingress: [rule], ...more },
  });
  const block = (ipBlock: Sketch): Sketch => policy({ from: [{ ipBlock }] });
  const peer = "spec.ingress[0].from[0]";
  const port = "spec.ingress[0].ports[0]";
  const cases: readonly Case[] = [
    [
      "a good one",
      policy({ from: [{ podSelector: {} }], ports: [{ port: 1, endPort: 2 }, { port: "http" }] }),
      [],
    ],
    ["nobody", policy({ from: [{}] }), [`${peer}: Required value: must specify a peer`]],
    [
      "a range and pods",
      policy({ from: [{ podSelector: {}, ipBlock: { cidr: "10.0.0.0/8" } }] }),
      [`${peer}: Forbidden: may not specify both ipBlock and another peer`],
    ],
    ["no range", block({ cidr: "" }), [`${peer}.ipBlock.cidr: Required value`]],
    [
      "exceptions elsewhere",
      block({ cidr: "10.0.0.0/8", except: ["11.0.0.0/16", "10.0.0.0/8", "10.1.0.0/16"] }),
      [
        `${peer}.ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of \`cidr\``,
        `${peer}.ipBlock.except[1]: Invalid value: "10.0.0.0/8": must be a strict subset of \`cidr\``,
      ],
    ],
    [
      "an end without a port",
      policy({ ports: [{ endPort: 5 }] }),
      [`${port}.endPort: Invalid value: 5: may not be specified when \`port\` is not specified`],
    ],
    [
      "an end of a name",
      policy({ ports: [{ port: "a", endPort: 5 }] }),
      [`${port}.endPort: Invalid value: 5: may not be specified when \`port\` is non-numeric`],
    ],
    [
      "an end before the port",
      policy({ ports: [{ port: 9, endPort: 5 }] }),
      [`${port}.endPort: Invalid value: 5: must be greater than or equal to \`port\``],
    ],
    [
      "too many directions",
      policy({}, { policyTypes: ["Ingress", "Egress", "X"] }),
      [
        'spec.policyTypes: Invalid value: ["Ingress","Egress","X"]: may not specify more than two policyTypes',
      ],
    ],
    [
      "another direction",
      policy({}, { policyTypes: ["X"] }),
      ['spec.policyTypes[0]: Unsupported value: "X": supported values: "Ingress", "Egress"'],
    ],
  ];
  test.each(cases)("%s", (_, sketch, problems) => {
    expect(creationProblems(networkPolicyDefinition, sketch)).toEqual(problems);
  });
  test("ranges with odd digits may stay, and are warned of", () => {
    const odd = block({ cidr: "010.0.0.0/8" });
    expect(creationProblems(networkPolicyDefinition, odd)).toHaveLength(1);
    expect(updateProblems(networkPolicyDefinition, { old: odd, next: odd })).toEqual([]);
    expect(warningsOf(networkPolicyDefinition, block({ cidr: "10.0.0.1/8" }))).toHaveLength(1);
  });
  test("tell what is wrong with a change twice, as upstream's do", () => {
    const change = { old: policy({}), next: policy({}, { policyTypes: ["X"] }) };
    const problem = 'spec.policyTypes[0]: Unsupported value: "X": supported values: "Ingress", "Egress"';
    expect(updateProblems(networkPolicyDefinition, change)).toEqual([problem, problem]);
  });
});

describe("ranges and addresses of services", () => {
  const range = (...cidrs: readonly string[]): Sketch => ({ spec: { cidrs } });
  const cases: readonly Case[] = [
    ["one of each family", range("10.0.0.0/16", "fd00::/64"), []],
    ["none", range(), ["spec.cidrs: Required value: at least one CIDR required"]],
    [
      "two of one family",
      range("10.0.0.0/16", "11.0.0.0/16"),
      [
        'spec.cidrs: Invalid value: ["10.0.0.0/16","11.0.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
      ],
    ],
    [
      "another form",
      range("FD00::/64"),
      ['spec.cidrs[0]: Invalid value: "FD00::/64": must be in canonical form ("fd00::/64")'],
    ],
  ];
  test.each(cases)("%s", (_, sketch, problems) => {
    expect(creationProblems(serviceCidrDefinition, sketch)).toEqual(problems);
  });
  test("one may be added to one", () => {
    const change = (old: Sketch, next: Sketch) => updateProblems(serviceCidrDefinition, { old, next });
    expect(change(range("10.0.0.0/16"), range("10.0.0.0/16", "fd00::/64"))).toEqual([]);
    expect(change(range("10.0.0.0/16"), range())).toEqual([
      "spec.cidrs: Invalid value: null: field is immutable",
    ]);
    expect(change(range("10.0.0.0/16"), range("11.0.0.0/16"))).toEqual([
      'spec.cidrs[0]: Invalid value: "11.0.0.0/16": field is immutable',
    ]);
  });
  test("addresses are named by themselves and belong to something", () => {
    const parentRef = { resource: "services", namespace: "d", name: "s" };
    const address = (name: string, spec: Sketch) =>
      creationProblems(ipAddressDefinition, { metadata: { name }, spec });
    expect(address("10.0.0.1", { parentRef })).toEqual([]);
    expect(address("10.0.0.1", {})).toEqual(["spec.parentRef: Required value"]);
    expect(address("FD00::1", { parentRef: { ...parentRef, name: "" } })).toEqual([
      'metadata.name: Invalid value: "FD00::1": must be in canonical form ("fd00::1")',
      "spec.parentRef.name: Required value",
    ]);
    expect(cells(ipAddressDefinition, { spec: { parentRef } })).toMatchObject({ ParentRef: "services/d/s" });
  });
  test("a policy without directions gets those it speaks of", () => {
    const policy = { spec: { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] } };
    expect(created(networkPolicyDefinition, policy).spec).toMatchObject({
      policyTypes: ["Ingress", "Egress"],
      egress: [{ ports: [{ port: 53, protocol: "TCP" }] }],
    });
  });
});
