import { expect, test } from "vitest";
import { seededRandom } from "../base/index.ts";
import type { New } from "../apimachinery/index.ts";
import type { Node, Pod } from "../api/types/core-v1.ts";
import { SchedulerCache } from "./cache.ts";
import { enoughNodes, place, unplacedMessage } from "./cycle.ts";
import { defaultPlugins } from "./plugins/index.ts";

const node = (name: string, extra: New<Node> = {}): Node =>
  ({
    metadata: { name, labels: { zone: name === "a" ? "one" : "two" }, ...extra.metadata },
    spec: { ...extra.spec },
    status: { allocatable: { cpu: "2", memory: "4Gi", pods: "3", ...extra.status?.allocatable } },
  }) as unknown as Node;

const pod = (name: string, spec: New<Pod["spec"]> = {}): Pod =>
  ({
    metadata: { name, namespace: "n", uid: name },
    spec: { containers: [{ name: "c", resources: {} }], ...spec },
    status: {},
  }) as unknown as Pod;

const asking = (requests: Record<string, string>, spec: New<Pod["spec"]> = {}) =>
  ({ containers: [{ name: "c", resources: { requests } }], ...spec }) as New<Pod["spec"]>;

function check(given: {
  nodes: readonly Node[];
  running?: readonly (readonly [Pod, string])[];
  pod: Pod;
}): string {
  const cache = new SchedulerCache();
  for (const one of given.nodes) cache.setNode(one);
  for (const [one, where] of given.running ?? []) cache.assume(one, where);
  const placement = place(given.pod, {
    snapshot: cache,
    plugins: defaultPlugins,
    random: seededRandom(1),
    start: 0,
  });
  return placement.type === "placed"
    ? placement.node.name
    : unplacedMessage(placement.diagnosis, { nodeCount: given.nodes.length });
}

const hostPort = (hostPort: number, more: object = {}) =>
  ({ containers: [{ name: "c", resources: {}, ports: [{ containerPort: 1, hostPort, ...more }] }] }) as New<
    Pod["spec"]
  >;
const taint = { key: "k", value: "v", effect: "NoSchedule" as const };

test.each([
  { title: "no nodes", nodes: [], pod: pod("p"), gives: "no nodes available to schedule pods" },
  {
    title: "the emptier node",
    nodes: [node("a"), node("b")],
    running: [[pod("x", asking({ cpu: "1" })), "a"]],
    pod: pod("p"),
    gives: "b",
  },
  {
    title: "room for the request",
    nodes: [node("a"), node("b", { status: { allocatable: { cpu: "8" } } })],
    pod: pod("p", asking({ cpu: "3" })),
    gives: "b",
  },
  {
    title: "no room",
    nodes: [node("a"), node("b")],
    pod: pod("p", asking({ cpu: "3", memory: "5Gi" })),
    gives: "0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory.",
  },
  {
    title: "too many pods",
    nodes: [node("a", { status: { allocatable: { pods: "1" } } })],
    running: [[pod("x"), "a"]],
    pod: pod("p"),
    gives: "0/1 nodes are available: 1 Too many pods.",
  },
  {
    title: "an init container's peak counts, once",
    nodes: [node("a")],
    pod: pod("p", {
      ...asking({ cpu: "1500m" }),
      initContainers: [{ name: "i", resources: { requests: { cpu: "2" } } }],
    }),
    gives: "a",
  },
  {
    title: "node selector",
    nodes: [node("a"), node("b")],
    pod: pod("p", { nodeSelector: { zone: "two" } }),
    gives: "b",
  },
  {
    title: "no such node",
    nodes: [node("a")],
    pod: pod("p", { nodeSelector: { zone: "nine" } }),
    gives: "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  },
  {
    title: "preferred affinity",
    nodes: [node("a"), node("b")],
    pod: pod("p", {
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 10,
              preference: { matchExpressions: [{ key: "zone", operator: "In", values: ["two"] }] },
            },
          ],
        },
      },
    }),
    gives: "b",
  },
  {
    title: "a tainted node",
    nodes: [node("a", { spec: { taints: [taint] } }), node("b")],
    pod: pod("p"),
    gives: "b",
  },
  {
    title: "a taint that nobody tolerates",
    nodes: [node("a", { spec: { taints: [taint] } })],
    pod: pod("p"),
    gives: "0/1 nodes are available: 1 node(s) had untolerated taint(s).",
  },
  {
    title: "a tolerated taint",
    nodes: [node("a", { spec: { taints: [taint] } })],
    pod: pod("p", { tolerations: [{ key: "k", operator: "Exists" }] }),
    gives: "a",
  },
  {
    title: "a cordoned node",
    nodes: [node("a", { spec: { unschedulable: true } })],
    pod: pod("p"),
    gives: "0/1 nodes are available: 1 node(s) were unschedulable.",
  },
  {
    title: "a taken host port",
    nodes: [node("a")],
    running: [[pod("x", hostPort(80)), "a"]],
    pod: pod("p", hostPort(80, { hostIP: "127.0.0.1" })),
    gives: "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  },
  {
    title: "one host port at two addresses, and under two protocols",
    nodes: [node("a")],
    running: [
      [pod("x", hostPort(80, { hostIP: "127.0.0.1" })), "a"],
      [pod("y", hostPort(80, { protocol: "UDP" })), "a"],
    ],
    pod: pod("p", hostPort(80, { hostIP: "127.0.0.2" })),
    gives: "a",
  },
] as const)("$title", ({ gives, ...given }) => {
  expect(check(given as unknown as Parameters<typeof check>[0])).toBe(gives);
});

test("what is assumed and then forgotten leaves no trace", () => {
  const cache = new SchedulerCache();
  cache.setNode(node("a"));
  const big = pod("p", asking({ cpu: "2" }));
  cache.assume(big, "a");
  expect(cache.node("a")?.requested.cpu).toBe(2000);
  cache.forget(big);
  expect([cache.node("a")?.requested.cpu, cache.node("a")?.podCount]).toEqual([0, 0]);
});

test.each([
  { count: 50, enough: 50 },
  { count: 1000, enough: 420 },
  { count: 5000, enough: 500 },
  { count: 10_000, enough: 500 },
])("of $count nodes $enough fitting ones are enough", ({ count, enough }) => {
  expect(enoughNodes(count)).toBe(enough);
});
