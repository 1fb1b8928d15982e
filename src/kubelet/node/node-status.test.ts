import { expect, test } from "vitest";
import type { NodeStatus } from "../../api/types/core-v1.ts";
import { nodeStatus } from "./node-status.ts";

const machine = {
  capacity: { cpu: "2", memory: "4Gi" },
  allocatable: { cpu: "2", memory: "3Gi" },
  memoryBytes: 4 * 2 ** 30,
  info: {},
} as unknown as Parameters<typeof nodeStatus>[0]["machine"];

function check(before: Partial<NodeStatus> | undefined) {
  const { capacity, allocatable } = nodeStatus({
    machine,
    addresses: [],
    serverPort: 10250,
    runtime: { version: undefined, conditions: undefined, images: [] },
    before: before as NodeStatus | undefined,
    now: 0,
  });
  return { capacity, allocatable };
}

test("a new node has what its machine has", () => {
  expect(check(undefined)).toEqual({ capacity: machine.capacity, allocatable: machine.allocatable });
});

test("resources that others add to the capacity can be allocated; the machine's own stay as measured", () => {
  expect(check({ capacity: { cpu: "99", "example.com/dongle": "4" } })).toEqual({
    capacity: { cpu: "2", memory: "4Gi", "example.com/dongle": "4" },
    allocatable: { cpu: "2", memory: "3Gi", "example.com/dongle": "4" },
  });
});
