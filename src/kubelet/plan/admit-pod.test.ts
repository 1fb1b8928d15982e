import { expect, test } from "vitest";
import type { Node, Pod } from "../../api/types/core-v1.ts";
import { refuseNode, refusePod } from "./admit-pod.ts";

const allocatable = { cpu: "2", memory: "1Gi", pods: "3" };
const podWith = (resources: object, spec: object = {}): Pod =>
  ({
    metadata: { name: "p" },
    spec: { containers: [{ name: "c", resources: { requests: resources } }], ...spec },
  }) as unknown as Pod;
const withPort = (port: object) => podWith({}, { containers: [{ name: "c", ports: [port] }] });
const small = podWith({ cpu: "500m", memory: "256Mi" });
const ports = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";

test.each<{ name: string; pod: Pod; others?: Pod[]; refused?: [string, string] }>([
  { name: "what fits", pod: podWith({ cpu: "1500m", memory: "768Mi" }), others: [small] },
  {
    name: "too much processor time",
    pod: podWith({ cpu: "1600m" }),
    others: [small],
    refused: [
      "OutOfcpu",
      "Node didn't have enough resource: cpu, requested: 1600, used: 500, capacity: 2000",
    ],
  },
  {
    name: "too much memory",
    pod: podWith({ memory: "2Gi" }),
    refused: [
      "OutOfmemory",
      "Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824",
    ],
  },
  {
    name: "one pod too many",
    pod: podWith({}),
    others: [small, podWith({}), podWith({})],
    refused: ["OutOfpods", "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3"],
  },
  { name: "a resource that the node does not know", pod: podWith({ "example.com/dongle": "1" }) },
  {
    name: "a taken port",
    pod: withPort({ hostPort: 80, hostIP: "127.0.0.1" }),
    others: [withPort({ hostPort: 80 })],
    refused: ["NodePorts", ports],
  },
  {
    name: "a port taken for another protocol",
    pod: withPort({ hostPort: 80 }),
    others: [withPort({ hostPort: 80, protocol: "UDP" })],
  },
  {
    name: "a port taken at another address",
    pod: withPort({ hostPort: 80, hostIP: "127.0.0.1" }),
    others: [withPort({ hostPort: 80, hostIP: "127.0.0.2" })],
  },
  {
    name: "a safe kernel setting",
    pod: podWith({}, { securityContext: { sysctls: [{ name: "net/ipv4/tcp_syncookies", value: "1" }] } }),
  },
  {
    name: "an unsafe kernel setting",
    pod: podWith({}, { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } }),
    refused: ["SysctlForbidden", 'forbidden sysctl: "kernel.msgmax" not allowlisted'],
  },
])("a node is asked for $name", ({ pod, others = [], refused }) => {
  const [reason, message] = refused ?? [];
  expect(refusePod(pod, { allocatable, others })).toEqual(refused && { reason, message });
});

test("a pod that wants other nodes is refused", () => {
  const node = { metadata: { name: "n", labels: { a: "b" } } } as unknown as Node;
  expect(refuseNode(podWith({}, { nodeSelector: { a: "b" } }), node)).toBeUndefined();
  expect(refuseNode(podWith({}, { nodeSelector: { a: "c" } }), node)).toEqual({
    reason: "NodeAffinity",
    message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  });
});
