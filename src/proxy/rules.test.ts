import { expect, test } from "vitest";
import type { Service } from "../api/types/core-v1.ts";
import type { EndpointSlice } from "../api/types/discovery-v1.ts";
import { serviceRules, type Element } from "./elements.ts";
import { Claims } from "./claims.ts";
import { addChain, elementCommands } from "./ruleset.ts";

const service = (spec: object, ingress: readonly object[] = []): Service =>
  ({
    metadata: { name: "web", namespace: "n" },
    spec: { clusterIP: "10.96.0.5", ports: [{ name: "http", port: 80, protocol: "TCP" }], ...spec },
    status: { loadBalancer: { ingress } },
  }) as unknown as Service;
const slice = (...endpoints: object[]): EndpointSlice =>
  ({ addressType: "IPv4", ports: [{ name: "http", port: 8080 }], endpoints }) as unknown as EndpointSlice;
const ready = (address: string, more: object = {}) => ({
  addresses: [address],
  conditions: { ready: true },
  ...more,
});
const ending = (address: string, more: object = {}) => ({
  ...ready(address, more),
  conditions: { ready: false, serving: true, terminating: true },
});
const rulesOf = (spec: object, ...endpoints: object[]) =>
  serviceRules(service(spec), { slices: [slice(...endpoints)], nodeName: "here" });

/** Lasting numbers, which are hashes, are shown as 0000. */
const shown = ({ set, key, value }: Element) =>
  `${set} ${key}${value === undefined ? "" : ` : ${value}`}`.replace(/\b\d{7,}\b/, "0000");

interface Case {
  readonly spec: object;
  readonly ingress?: readonly object[];
  readonly endpoints: readonly object[];
  readonly gives: readonly string[];
}

test.each([
  {
    title: "no endpoints",
    spec: {},
    endpoints: [],
    gives: ["no-endpoints 10.96.0.5 . tcp . 80 : goto refusal"],
  },
  {
    title: "two endpoints, in the order of their addresses",
    spec: {},
    endpoints: [ready("10.1.0.2"), ready("10.1.0.1")],
    gives: [
      "services 10.96.0.5 . tcp . 80 : goto pick-2",
      "endpoints 10.96.0.5 . tcp . 80 . 0 : 10.1.0.1 . 8080",
      "endpoints 10.96.0.5 . tcp . 80 . 1 : 10.1.0.2 . 8080",
    ],
  },
  {
    title: "ending endpoints only when there is no ready one",
    spec: {},
    endpoints: [ending("10.1.0.3")],
    gives: [
      "services 10.96.0.5 . tcp . 80 : goto pick-1",
      "endpoints 10.96.0.5 . tcp . 80 . 0 : 10.1.0.3 . 8080",
    ],
  },
  {
    title: "a node port with session affinity",
    spec: { ports: [{ name: "http", port: 80, nodePort: 30080 }], sessionAffinity: "ClientIP" },
    endpoints: [ready("10.1.0.1")],
    gives: [
      "services 10.96.0.5 . tcp . 80 : goto pick-1-sticky-10800",
      "draws 10.96.0.5 . tcp . 80 . 0 : 0000",
      "endpoints 10.96.0.5 . tcp . 80 . 0000 : 10.1.0.1 . 8080",
      "node-ports tcp . 30080 : goto node-pick-1-sticky-10800-masquerade",
      "node-port-draws tcp . 30080 . 0 : 0000",
      "node-port-endpoints tcp . 30080 . 0000 : 10.1.0.1 . 8080",
    ],
  },
  {
    title: "local endpoints alone",
    spec: { internalTrafficPolicy: "Local" },
    endpoints: [ready("10.1.0.1", { nodeName: "there" }), ready("10.1.0.2", { nodeName: "here" })],
    gives: [
      "services 10.96.0.5 . tcp . 80 : goto pick-1",
      "endpoints 10.96.0.5 . tcp . 80 . 0 : 10.1.0.2 . 8080",
    ],
  },
  {
    title: "no local endpoint while others have some: clients wait",
    spec: { internalTrafficPolicy: "Local" },
    endpoints: [ready("10.1.0.1", { nodeName: "there" })],
    gives: ["no-endpoints 10.96.0.5 . tcp . 80 : drop"],
  },
  {
    title: "local endpoints that end, though others elsewhere are ready",
    spec: { ports: [{ name: "http", port: 80, nodePort: 30080 }], externalTrafficPolicy: "Local" },
    endpoints: [ready("10.1.0.1", { nodeName: "there" }), ending("10.1.0.2", { nodeName: "here" })],
    gives: [
      "services 10.96.0.5 . tcp . 80 : goto pick-1",
      "endpoints 10.96.0.5 . tcp . 80 . 0 : 10.1.0.1 . 8080",
      "node-ports-inside tcp . 30080 : goto node-pick-1-masquerade-inside",
      "node-port-endpoints tcp . 30080 . 65536 : 10.1.0.1 . 8080",
      "node-ports tcp . 30080 : goto node-pick-1",
      "node-port-endpoints tcp . 30080 . 0 : 10.1.0.2 . 8080",
    ],
  },
  {
    title: "no local endpoint for clients outside, while those inside reach the others",
    spec: { externalIPs: ["198.51.100.7"], externalTrafficPolicy: "Local" },
    endpoints: [ready("10.1.0.1", { nodeName: "there" }), ready("10.1.0.2", { nodeName: "there" })],
    gives: [
      "services 10.96.0.5 . tcp . 80 : goto pick-2",
      "endpoints 10.96.0.5 . tcp . 80 . 0 : 10.1.0.1 . 8080",
      "endpoints 10.96.0.5 . tcp . 80 . 1 : 10.1.0.2 . 8080",
      "services-inside 198.51.100.7 . tcp . 80 : goto pick-2-masquerade-inside",
      "endpoints 198.51.100.7 . tcp . 80 . 65536 : 10.1.0.1 . 8080",
      "endpoints 198.51.100.7 . tcp . 80 . 65537 : 10.1.0.2 . 8080",
      "no-local-endpoints 198.51.100.7 . tcp . 80",
    ],
  },
  {
    title: "addresses outside: external and of the load balancer, which its source ranges may reach",
    spec: {
      externalIPs: ["198.51.100.7"],
      loadBalancerSourceRanges: ["10.2.0.0/16", "10.2.3.0/24", " 192.0.2.0/24"],
    },
    ingress: [{ ip: "203.0.113.5" }, { ip: "203.0.113.6", ipMode: "Proxy" }],
    endpoints: [],
    gives: [
      "no-endpoints 10.96.0.5 . tcp . 80 : goto refusal",
      "no-endpoints 198.51.100.7 . tcp . 80 : goto refusal",
      "no-endpoints 203.0.113.5 . tcp . 80 : goto refusal",
      "restricted 203.0.113.5 . tcp . 80",
      "sources 203.0.113.5 . tcp . 80 . 10.2.0.0/16",
      "sources 203.0.113.5 . tcp . 80 . 192.0.2.0/24",
    ],
  },
  {
    title: "source ranges with all addresses restrict nothing",
    spec: { loadBalancerSourceRanges: ["10.2.0.0/16", "0.0.0.0/0"] },
    ingress: [{ ip: "203.0.113.5" }],
    endpoints: [],
    gives: [
      "no-endpoints 10.96.0.5 . tcp . 80 : goto refusal",
      "no-endpoints 203.0.113.5 . tcp . 80 : goto refusal",
    ],
  },
  { title: "an ExternalName service", spec: { type: "ExternalName" }, endpoints: [], gives: [] },
  { title: "a headless service", spec: { clusterIP: "None" }, endpoints: [ready("10.1.0.1")], gives: [] },
])("$title", ({ spec, ingress = [], endpoints, gives }: Case) => {
  const { elements } = serviceRules(service(spec, ingress), {
    slices: [slice(...endpoints)],
    nodeName: "here",
  });
  expect(elements.filter(({ set }) => set !== "hairpin").map(shown)).toEqual(gives);
});

test.each(["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"])(
  "a service with the label %s is left to others",
  (label) => {
    const plain = service({});
    const labelled = { ...plain, metadata: { ...plain.metadata, labels: { [label]: "" } } } as Service;
    const rules = serviceRules(labelled, { slices: [slice(ready("10.1.0.1"))], nodeName: "here" });
    expect(rules.elements).toEqual([]);
  },
);

test("a change removes what went and adds what came, and nothing else", () => {
  const claims = new Claims();
  claims.replace("n/web", rulesOf({}, ready("10.1.0.1"), ready("10.1.0.2")).elements);
  claims.settle(claims.changes());
  claims.replace("n/web", rulesOf({}, ready("10.1.0.1"), ready("10.1.0.9")).elements);
  expect(elementCommands("t", claims.changes())).toEqual([
    "delete element ip t endpoints { 10.96.0.5 . tcp . 80 . 1 }",
    "delete element ip t hairpin { 10.1.0.2 . 10.1.0.2 }",
    "add element ip t endpoints { 10.96.0.5 . tcp . 80 . 1 : 10.1.0.9 . 8080 }",
    "add element ip t hairpin { 10.1.0.9 . 10.1.0.9 }",
  ]);
});

test("an element that services share goes with the last of them, and is removed once", () => {
  const claims = new Claims();
  const shared = { set: "hairpin", key: "a" } as const;
  claims.replace("n/one", [shared]);
  claims.replace("n/two", [shared]);
  expect(claims.changes()).toEqual({ removals: [], additions: [shared] });
  claims.settle(claims.changes());
  claims.replace("n/one", []);
  expect(claims.changes()).toEqual({ removals: [], additions: [] });
  claims.settle(claims.changes());
  claims.replace("n/one", [shared]);
  claims.replace("n/one", []);
  claims.replace("n/two", []);
  expect(claims.changes()).toEqual({ removals: [shared], additions: [] });
});

test("of services that want one address, the first by name has it", () => {
  const claims = new Claims();
  const leads = (value: string) => ({ set: "services", key: "198.51.100.7 . tcp . 80", value }) as const;
  claims.replace("n/b", [leads("goto pick-2")]);
  claims.settle(claims.changes());
  claims.replace("n/a", [leads("goto pick-1")]);
  expect(claims.changes()).toEqual({ removals: [leads("goto pick-2")], additions: [leads("goto pick-1")] });
  claims.settle(claims.changes());
  claims.replace("n/a", []);
  expect(claims.changes()).toEqual({ removals: [leads("goto pick-1")], additions: [leads("goto pick-2")] });
});

test("a client's number stays when other endpoints come and go", () => {
  const sticky = { sessionAffinity: "ClientIP" };
  const numberOf = (address: string, ...addresses: string[]) =>
    rulesOf(sticky, ...addresses.map((one) => ready(one)))
      .elements.find(({ set, value = "" }) => set === "endpoints" && value.startsWith(`${address} `))
      ?.key.replace(/.* /, "");
  const number = numberOf("10.1.0.5", "10.1.0.5");
  expect(number).toMatch(/^\d+$/);
  expect(numberOf("10.1.0.5", "10.1.0.1", "10.1.0.5", "10.1.0.9")).toBe(number);
});

test("a sticky chain looks for the client first and remembers it after a draw", () => {
  const lines = addChain("t", { table: "endpoints", count: 2, stickySeconds: 60, masquerade: false }).split(
    "\n",
  );
  const rewrite =
    "meta l4proto { tcp, udp, sctp } dnat ip to ip daddr . meta l4proto . th dport . meta mark map @endpoints";
  const client = "ip saddr . ip daddr . meta l4proto . th dport";
  const remember = `update @clients { ${client} timeout 60s : meta mark }`;
  expect(lines.map((line) => line.replace(/^add rule ip t \S+ /, ""))).toEqual([
    "add chain ip t pick-2-sticky-60",
    `meta mark set ${client} map @clients ${remember} ${rewrite}`,
    `delete @clients { ${client} : meta mark }`,
    "meta mark set numgen random mod 2",
    "meta mark set ip daddr . meta l4proto . th dport . meta mark map @draws",
    remember,
    rewrite,
  ]);
});

test("only a load balancer's service with local traffic is asked for its health", () => {
  const spec = { externalTrafficPolicy: "Local", healthCheckNodePort: 31000 };
  const endpoints = [
    ready("10.1.0.1", { nodeName: "here" }),
    ready("10.1.0.2", { nodeName: "there" }),
    ending("10.1.0.3", { nodeName: "here" }),
  ];
  expect(rulesOf(spec, ...endpoints).health).toEqual({
    namespace: "n",
    name: "web",
    port: 31000,
    localEndpoints: 1,
  });
  expect(rulesOf({ ...spec, externalTrafficPolicy: "Cluster" }, ...endpoints).health).toBeUndefined();
});
