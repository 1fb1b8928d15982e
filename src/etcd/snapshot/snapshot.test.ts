import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import { createMemoryStore, type Mvcc, type Versioned } from "../../store/index.ts";
import { openLogStore, seedLogStore } from "../../store/log/index.ts";
import { type BoltEntry, planBolt } from "../bolt/index.ts";
import {
  bucketNames,
  encodeChangeId,
  encodeDeleted,
  encodeKeyValue,
  openSnapshot,
  planSnapshot,
  snapshotStatus,
} from "./index.ts";

async function bytesOf(blocks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const block of blocks) parts.push(block);
  return Buffer.concat(parts);
}

const accessTo = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: (offset: number, length: number) => bytes.subarray(offset, offset + length),
});

const bytes = (text: string) => new TextEncoder().encode(text);
const put = (key: string, value: string, lease?: string) =>
  ({ type: "put", key, value: bytes(value), ...(lease === undefined ? {} : { lease }) }) as const;
const remove = (key: string) => ({ type: "delete", range: { start: key, end: `${key}\0` } }) as const;
const transact = (store: Mvcc, ...success: (ReturnType<typeof put> | ReturnType<typeof remove>)[]) =>
  store.transact({ compare: [], success, failure: [] });

async function filled() {
  const store = createMemoryStore({ clock: new VirtualClock() });
  const lease = await store.grantLease(60_000, { id: "7587854747396153612" });
  await transact(store, put("b", "1"), put("a", "2"));
  await transact(store, put("a", "3", lease));
  await transact(store, put("\u00ff\0", "x"));
  await transact(store, put("gone", "x"));
  await transact(store, remove("gone"));
  return store;
}

const byKey = (items: readonly Versioned[]) =>
  items
    .toSorted((one, other) => (one.key < other.key ? -1 : 1))
    .map((item) => ({ ...item, value: [...item.value] }));

test("a snapshot holds keys, revisions and leases of one revision", async () => {
  const store = await filled();
  const plan = await planSnapshot(store);
  await transact(store, put("a", "later"), remove("b"));
  const file = await bytesOf(plan.blocks());
  expect(file.length).toBe(plan.size);
  const snapshot = openSnapshot(accessTo(file));
  expect(snapshot.revision).toBe(6);
  expect(snapshot.leases).toEqual([{ id: "7587854747396153612", granted: 60_000 }]);
  const expected = await store.range({ start: "", end: undefined }, { at: 6 });
  expect(byKey([...snapshot.items()])).toEqual(byKey(expected.items));
  expect(snapshotStatus(accessTo(file.subarray(0, -32)))).toMatchObject({ revision: 6, totalKey: 9 });
});

test("the embedded store goes on from a snapshot with its revisions", async () => {
  const before = await filled();
  const snapshot = openSnapshot(accessTo(await bytesOf((await planSnapshot(before)).blocks())));
  const directory = mkdtempSync(join(tmpdir(), "kubets-snapshot-"));
  const seed = { revision: snapshot.revision, items: snapshot.items(), leases: snapshot.leases };
  await seedLogStore(directory, seed);
  await expect(seedLogStore(directory, seed)).rejects.toThrow("holds a store already");
  const store = await openLogStore({ directory });
  const range = { start: "", end: undefined };
  expect(byKey((await store.range(range)).items)).toEqual(byKey((await before.range(range)).items));
  expect([store.revision, store.compactedRevision, store.leases()]).toEqual([6, 6, before.leases()]);
  await expect(store.get("a", { at: 5 })).rejects.toMatchObject({ type: "compacted" });
  expect((await transact(store, put("a", "4"))).revision).toBe(7);
  await store.close();
  const again = await openLogStore({ directory });
  expect(again.revision).toBe(7);
  await again.close();
  rmSync(directory, { recursive: true });
});

test("of a file with history, what counts is the last change of each key", async () => {
  const random = seededRandom(3);
  const entries: BoltEntry[] = [];
  const live = new Map<string, Versioned>();
  for (let main = 2; main < 400; main++) {
    const key = `key${Math.floor(random.next() * 20)}`;
    const isDeletion = live.has(key) && random.next() < 0.3;
    const before = live.get(key);
    const item = {
      key,
      value: bytes(String(main)),
      createRevision: before?.createRevision ?? main,
      modRevision: main,
      version: (before?.version ?? 0) + 1,
    };
    const value = isDeletion ? encodeDeleted(key) : encodeKeyValue(item);
    entries.push({ key: encodeChangeId({ main, sub: 0, isDeletion }), value });
    if (isDeletion) live.delete(key);
    else live.set(key, item);
  }
  const plan = await planBolt([{ name: bucketNames.key, entries: () => entries }]);
  const snapshot = openSnapshot(accessTo(await bytesOf(plan.blocks())), { isBare: true });
  expect(snapshot.revision).toBe(399);
  expect(byKey([...snapshot.items()])).toEqual(byKey([...live.values()]));
});

test("a file that was changed or cut is refused", async () => {
  const file = await bytesOf((await planSnapshot(await filled())).blocks());
  const flipped = Buffer.from(file);
  flipped[4096 * 4 + 100]! ^= 1;
  expect(() => openSnapshot(accessTo(flipped))).toThrow("the checksum is wrong");
  expect(() => openSnapshot(accessTo(file.subarray(0, -32)))).toThrow("the checksum is missing");
  const cut = Buffer.concat([file.subarray(0, 4096 * 3), file.subarray(-32)]);
  expect(() => openSnapshot(accessTo(cut))).toThrow("the checksum is wrong");
});
