import { expect, test } from "vitest";
import type { Service } from "../api/types/core-v1.ts";
import type { EndpointSlice } from "../api/types/discovery-v1.ts";
import { serviceRules } from "./elements.ts";
import { addChain, elementChanges } from "./ruleset.ts";

const service = (spec: object): Service =>
  ({
    metadata: { name: "web", namespace: "n" },
    spec: { clusterIP: "10.96.0.5", ports: [{ name: "http", port: 80, protocol: "TCP" }], ...spec },
    status: { loadBalancer: {} },
  }) as unknown as Service;
const slice = (...endpoints: object[]): EndpointSlice =>
  ({ addressType: "IPv4", ports: [{ name: "http", port: 8080 }], endpoints }) as unknown as EndpointSlice;
const ready = (address: string, more: object = {}) => ({
  addresses: [address],
  conditions: { ready: true },
  ...more,
});

function check(spec: object, ...endpoints: object[]): string[] {
  const { elements } = serviceRules(service(spec), { slices: [slice(...endpoints)], nodeName: "here" });
  return elements
    .filter(({ set }) => set !== "hairpin")
    .map(({ set, key, value }) => `${set} ${key}${value === undefined ? "" : ` : ${value}`}`);
}

test.each([
  { title: "no endpoints", spec: {}, endpoints: [], gives: ["refused 10.96.0.5 . tcp . 80"] },
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
    endpoints: [{ addresses: ["10.1.0.3"], conditions: { ready: false, serving: true, terminating: true } }],
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
      "endpoints 10.96.0.5 . tcp . 80 . 0 : 10.1.0.1 . 8080",
      "node-ports tcp . 30080 : goto node-pick-1-sticky-10800-masquerade",
      "node-port-endpoints tcp . 30080 . 0 : 10.1.0.1 . 8080",
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
  { title: "a headless service", spec: { clusterIP: "None" }, endpoints: [ready("10.1.0.1")], gives: [] },
])("$title", ({ spec, endpoints, gives }) => {
  expect(check(spec, ...endpoints)).toEqual(gives);
});

test("a change removes what went and adds what came, and nothing else", () => {
  const before = serviceRules(service({}), {
    slices: [slice(ready("10.1.0.1"), ready("10.1.0.2"))],
    nodeName: "",
  });
  const after = serviceRules(service({}), {
    slices: [slice(ready("10.1.0.1"), ready("10.1.0.9"))],
    nodeName: "",
  });
  expect(elementChanges("t", { inForce: before.elements, wanted: after.elements })).toEqual({
    removals: [
      "delete element ip t endpoints { 10.96.0.5 . tcp . 80 . 1 }",
      "delete element ip t hairpin { 10.1.0.2 . 10.1.0.2 }",
    ],
    additions: [
      "add element ip t endpoints { 10.96.0.5 . tcp . 80 . 1 : 10.1.0.9 . 8080 }",
      "add element ip t hairpin { 10.1.0.9 . 10.1.0.9 }",
    ],
  });
});

test("a sticky chain looks for the client first and remembers it after a draw", () => {
  const lines = addChain("t", { table: "endpoints", count: 2, stickySeconds: 60, masquerade: false }).split(
    "\n",
  );
  expect(lines.map((line) => line.replace(/^add rule ip t \S+ /, ""))).toEqual([
    "add chain ip t pick-2-sticky-60",
    "meta mark set ip saddr . ip daddr . meta l4proto . th dport map @clients update @clients { ip saddr . ip daddr . meta l4proto . th dport timeout 60s : meta mark } meta l4proto { tcp, udp, sctp } dnat ip to ip daddr . meta l4proto . th dport . meta mark map @endpoints",
    "meta mark set numgen random mod 2",
    "update @clients { ip saddr . ip daddr . meta l4proto . th dport timeout 60s : meta mark }",
    "meta l4proto { tcp, udp, sctp } dnat ip to ip daddr . meta l4proto . th dport . meta mark map @endpoints",
  ]);
});
