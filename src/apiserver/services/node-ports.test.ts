import { describe, expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { ServicePort, ServiceSpec } from "../../api/types/core-v1.ts";
import { allocatePorts, dryPortOperation, heldPorts, NodePorts, portOperation } from "./node-ports.ts";

const taken = 30_500;
const tcp = (port: number, nodePort?: number): ServicePort => ({
  port,
  protocol: "TCP",
  ...(nodePort === undefined ? {} : { nodePort }),
});
const udp = (port: number, nodePort?: number): ServicePort => ({ ...tcp(port, nodePort), protocol: "UDP" });
const nodes = (...ports: ServicePort[]): ServiceSpec => ({ type: "NodePort", ports });
const balancer = (spec: Partial<ServiceSpec>, ...ports: ServicePort[]): ServiceSpec => ({
  type: "LoadBalancer",
  externalTrafficPolicy: "Cluster",
  ports,
  ...spec,
});
const local = { externalTrafficPolicy: "Local" } as const;

interface Case {
  readonly what: string;
  readonly spec: ServiceSpec;
  readonly old?: ServiceSpec;
  /** Node ports, `any` for one by chance; at last the health port where there is one. */
  readonly gets?: readonly (number | "any" | "same as first")[];
  readonly frees?: readonly number[];
  readonly fails?: string;
}

function check({ spec, old, gets, frees = [], fails }: Case) {
  const ports = new NodePorts({ first: 30_000, last: 32_767 }, seededRandom(3));
  ports.take(taken);
  const before = new Set(old && heldPorts(old));
  for (const port of before) ports.take(port);
  const operation = portOperation(ports);
  const refuse = (error: Parameters<typeof ApiError.invalid>[2][number]) =>
    ApiError.invalid({ group: "", kind: "Service" }, "web", [error]);
  const act = () => allocatePorts({ spec, old, operation, refuse });
  if (fails !== undefined) {
    expect(act).toThrow(fails);
    operation.settle(false);
    expect([...ports.taken].sort()).toEqual([taken, ...before].sort());
    return;
  }
  const after = act();
  const numbers = (after.ports ?? []).map(({ nodePort = 0 }) => nodePort);
  if (after.healthCheckNodePort) numbers.push(after.healthCheckNodePort);
  expect(numbers).toHaveLength(gets?.length ?? 0);
  for (const [index, want] of (gets ?? []).entries()) {
    if (want === "any") expect(numbers[index]).toBeGreaterThanOrEqual(30_086);
    else expect(numbers[index]).toBe(want === "same as first" ? numbers[0] : want);
  }
  operation.settle(true);
  for (const port of numbers) if (port > 0) expect(ports.taken.has(port)).toBe(true);
  for (const port of frees) expect(ports.taken.has(port)).toBe(false);
}

const created: readonly Case[] = [
  { what: "one by chance, above those to choose", spec: nodes(tcp(80)), gets: ["any"] },
  { what: "one that was chosen", spec: nodes(tcp(80, 30_001)), gets: [30_001] },
  { what: "one for two protocols", spec: nodes(tcp(53), udp(53)), gets: ["any", "same as first"] },
  {
    what: "the chosen one of the second for both",
    spec: nodes(tcp(53), udp(53, 30_002)),
    gets: [30_002, 30_002],
  },
  {
    what: "two chosen ones of one port",
    spec: nodes(tcp(53, 30_003), udp(53, 30_004)),
    gets: [30_003, 30_004],
  },
  {
    what: "one that is another's",
    spec: nodes(tcp(80), tcp(81, taken)),
    fails: "spec.ports[1].nodePort: Invalid value: 30500: provided port is already allocated",
  },
  {
    what: "one of two ports of one service",
    spec: nodes(tcp(80, 30_005), udp(81, 30_005)),
    fails: "spec.ports[1].nodePort: Invalid value: 30005: provided port is already allocated",
  },
  {
    what: "one outside",
    spec: nodes(tcp(80, 80)),
    fails: "provided port is not in the valid range. The range of valid ports is 30000-32767",
  },
  { what: "none for a cluster address", spec: { type: "ClusterIP", ports: [tcp(80)] }, gets: [0] },
  {
    what: "only chosen ones where none are wanted",
    spec: balancer({ allocateLoadBalancerNodePorts: false }, tcp(80), tcp(81, 30_006)),
    gets: [0, 30_006],
  },
  { what: "one to ask for health", spec: balancer(local, tcp(80)), gets: ["any", "any"] },
  {
    what: "a chosen one to ask for health",
    spec: balancer({ ...local, healthCheckNodePort: 30_007 }, tcp(80)),
    gets: ["any", 30_007],
  },
  {
    what: "another's to ask for health",
    spec: balancer({ ...local, healthCheckNodePort: taken }, tcp(80)),
    fails:
      "Internal error occurred: failed to allocate requested HealthCheck NodePort 30500: provided port is already allocated",
  },
];

const updated: readonly Case[] = [
  { what: "what it had", spec: nodes(tcp(80, 30_001)), old: nodes(tcp(80, 30_001)), gets: [30_001] },
  {
    what: "another",
    spec: nodes(tcp(80, 30_002)),
    old: nodes(tcp(80, 30_001)),
    gets: [30_002],
    frees: [30_001],
  },
  {
    what: "one more",
    spec: nodes(tcp(80, 30_001), tcp(81)),
    old: nodes(tcp(80, 30_001)),
    gets: [30_001, "any"],
  },
  {
    what: "one more that is another's",
    spec: nodes(tcp(80, 30_001), tcp(81, taken)),
    old: nodes(tcp(80, 30_001)),
    fails: "spec.ports[1].nodePort: Invalid value: 30500: provided port is already allocated",
  },
  {
    what: "one twice",
    spec: nodes(tcp(80, 30_001), tcp(81, 30_001)),
    old: nodes(tcp(80, 30_001)),
    fails: "duplicate nodePort: {TCP 30001}",
  },
  {
    what: "none any more",
    spec: { type: "ClusterIP", ports: [tcp(80)] },
    old: nodes(tcp(80, 30_001)),
    gets: [0],
    frees: [30_001],
  },
  {
    what: "one to ask for health, later",
    spec: balancer(local, tcp(80, 30_001)),
    old: balancer({}, tcp(80, 30_001)),
    gets: [30_001, "any"],
  },
  {
    what: "none to ask for health any more",
    spec: balancer({}, tcp(80, 30_001)),
    old: balancer({ ...local, healthCheckNodePort: 30_008 }, tcp(80, 30_001)),
    gets: [30_001],
    frees: [30_008],
  },
];

describe("a new service gets", () => test.each(created)("$what", check));
describe("a changed service gets", () => test.each(updated)("$what", check));

test("a range is used up, its lower part last, and what comes back is given out again", () => {
  const ports = new NodePorts({ first: 30_000, last: 30_099 }, seededRandom(5));
  const all = Array.from({ length: 100 }, () => ports.any() ?? 0);
  expect(new Set(all).size).toBe(100);
  expect(all.slice(0, 84).every((port) => port >= 30_016)).toBe(true);
  expect(ports.any()).toBeUndefined();
  ports.release(30_050);
  expect(ports.any()).toBe(30_050);
});

test("a dry run takes nothing, nor twice the same", () => {
  const ports = new NodePorts({ first: 30_000, last: 32_767 }, seededRandom(1));
  ports.take(taken);
  const operation = dryPortOperation(ports);
  expect([operation.any(), operation.any()]).toEqual([32_769, 32_770]);
  expect([operation.take(taken), operation.take(30_001), operation.take(30_001)]).toEqual([
    "provided port is already allocated",
    undefined,
    "provided port is already allocated",
  ]);
  expect([...ports.taken]).toEqual([taken]);
});
