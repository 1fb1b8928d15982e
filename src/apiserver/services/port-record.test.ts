import { expect, test } from "vitest";
import { createMemoryStore } from "../../store/index.ts";
import { decodedOf } from "../registry/entry.ts";
import { PortRecord } from "./port-record.ts";

const range = { first: 30_000, last: 32_767 };
const key = "/registry/ranges/servicenodeports";

test("ports are taken once by whichever server, and are free again", async () => {
  const store = createMemoryStore();
  const [one, other] = [new PortRecord(store, range), new PortRecord(store, range)];
  expect(await one.claim([30_000, 30_009])).toEqual([]);
  const record = decodedOf((await store.get(key))!.value) as unknown as Record<string, unknown>;
  expect(record).toMatchObject({
    kind: "RangeAllocation",
    apiVersion: "v1",
    range: "30000-32767",
    data: "AgE=",
  });
  expect(await other.claim([30_009, 30_010])).toEqual([30_009]);
  expect(await other.claim([30_010])).toEqual([]);
  await one.release([30_009]);
  expect(await other.claim([30_009, 32_767])).toEqual([]);
  expect(await one.claim([30_000, 32_767, 31_000])).toEqual([30_000, 32_767]);
});

test("servers that change the record at the same time lose nothing", async () => {
  const store = createMemoryStore();
  const servers = Array.from({ length: 4 }, () => new PortRecord(store, range));
  const ports = Array.from({ length: 40 }, (_, index) => 30_000 + index);
  const claims = ports.flatMap((port) => servers.map((server) => server.claim([port])));
  const won = (await Promise.all(claims)).filter((foreign) => foreign.length === 0);
  expect(won.length).toBe(40);
  await Promise.all(ports.map((port, index) => servers[index % 4]!.release([port])));
  expect(await servers[0]!.claim(ports)).toEqual([]);
});
