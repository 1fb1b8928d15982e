import { expect, test } from "vitest";
import { seededRandom, silentLogger } from "../../base/index.ts";
import type { Service } from "../../api/types/core-v1.ts";
import type { ObjectReader } from "../reader.ts";
import { createMemoryStore } from "../../store/index.ts";
import { NodePorts } from "./node-ports.ts";
import { PortRecord } from "./port-record.ts";
import { repairPorts, repairRecord } from "./port-repair.ts";

function setUp(...nodePorts: number[]) {
  const services = nodePorts.map(
    (nodePort, index) =>
      ({
        metadata: { namespace: "default", name: `s-${index}` },
        spec: { type: "NodePort", ports: [{ port: 80, nodePort }] },
      }) as unknown as Service,
  );
  const reader: ObjectReader = {
    get: () => undefined,
    // The only kind that is asked for.
    list: () => services as never,
    subscribe: () => () => undefined,
  };
  const ports = new NodePorts({ first: 30_000, last: 32_767 }, seededRandom(1));
  const told: string[] = [];
  const pass = (leaks: ReadonlyMap<number, number> = new Map()) =>
    repairPorts(
      {
        reader,
        ports,
        logger: silentLogger,
        report: ({ metadata }, { reason }) => void told.push(`${metadata.name} ${reason}`),
      },
      leaks,
    );
  return { reader, ports, told, pass };
}

test("a port that a service has is taken, and its user told", () => {
  const { ports, told, pass } = setUp(30_001);
  pass();
  pass();
  expect(told).toEqual(["s-0 PortNotAllocated"]);
  expect(ports.take(30_001)).toBe("provided port is already allocated");
});

test("two services with one port, and ports outside of the range, are told of", () => {
  const { told, pass } = setUp(30_001, 30_001, 80);
  pass();
  expect(told.sort()).toEqual(["s-0 PortNotAllocated", "s-1 PortAlreadyAllocated", "s-2 PortOutOfRange"]);
});

test("a port that nobody has is free after three findings", () => {
  const { ports, pass } = setUp();
  ports.take(30_005);
  let leaks = pass();
  leaks = pass(leaks);
  leaks = pass(leaks);
  expect(ports.taken.has(30_005)).toBe(true);
  pass(leaks);
  expect(ports.taken.has(30_005)).toBe(false);
});

test("a recorded port that a crashed server claimed is free after three findings, one that a service has is recorded", async () => {
  const { reader, ports } = setUp(30_001);
  const record = new PortRecord(createMemoryStore(), { first: 30_000, last: 32_767 });
  await record.claim([30_005]);
  const pass = (leaks: ReadonlyMap<number, number>) =>
    repairRecord({ reader, ports, record, logger: silentLogger }, leaks);
  let leaks = await pass(new Map());
  expect(await record.claim([30_001])).toEqual([30_001]);
  leaks = await pass(leaks);
  leaks = await pass(leaks);
  expect(await record.claim([30_005])).toEqual([30_005]);
  await pass(leaks);
  expect(await record.claim([30_005])).toEqual([]);
});
