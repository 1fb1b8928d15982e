import { describe, expect, it } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { bytes, refusal, text, update } from "../suite-tools.ts";
import { create, firstLog, onFaultDisk } from "./log-tools.ts";
import { checkLog, repairLog } from "./repair.ts";

const frameHeader = 20;

/** A store of four frames, a frame a key, and where they begin. */
async function four(value = "1") {
  const { disk, open } = onFaultDisk();
  const store = await open();
  for (const key of ["/1", "/2", "/3", "/4"]) await create(store, key, value);
  await store.close();
  const content = disk.files.get(firstLog)!;
  const starts: number[] = [];
  const magic = content.seen.subarray(24, 28);
  for (let at = 24; at >= 0; at = content.seen.indexOf(magic, at + 1)) starts.push(at);
  return { disk, open, content, starts, place: { directory: "/store", disk } };
}

describe("the last frame", () => {
  const cases: [string, (file: Buffer, start: number) => void, "torn" | "refused"][] = [
    ["lacks a sector", (file) => file.fill(0, 2_048, 2_560), "torn"],
    ["lacks its end", (file, start) => file.fill(0, start + 100), "torn"],
    ["lacks its begin", (file, start) => file.fill(0, start, Math.ceil(start / 512) * 512), "torn"],
    ["has a flipped bit in its value", (file, start) => (file[start + 200]! ^= 4), "refused"],
    ["has a flipped bit in its checksum", (file, start) => (file[start + 9]! ^= 4), "refused"],
    ["has a flipped bit in its sequence", (file, start) => (file[start + 13]! ^= 4), "refused"],
    ["has a flipped bit in its magic", (file, start) => (file[start + 1]! ^= 4), "refused"],
    ["has too great a length", (file, start) => (file[start + 6]! ^= 4), "refused"],
    ["has too small a length", (file, start) => file.writeUInt32LE(40, start + 4), "refused"],
  ];
  it.each(cases)("that %s", async (_, change, expected) => {
    const { open, content, starts, place } = await four("x".repeat(600));
    const whole = Buffer.concat([content.seen, Buffer.alloc(700)]);
    content.seen = Buffer.from(whole);
    change(content.seen, starts[3]!);
    const report = await checkLog(place);
    expect([report.torn !== undefined, report.damage.length]).toEqual(
      expected === "torn" ? [true, 0] : [false, 1],
    );
    const opening = open();
    expect(await refusal(opening)).toBe(expected === "torn" ? "accepted" : "corrupt");
    if (expected === "refused") {
      await expect(opening).rejects.toThrow(`${firstLog} is damaged at byte ${starts[3]}: `);
      await expect(opening).rejects.toThrow(
        'restore a backup, or keep what can be read by "kubets store repair --dir /store"',
      );
    } else expect((await opening).revision).toBe(4);
  });
});

describe("check", () => {
  it("tells what a whole store holds, and changes nothing", async () => {
    const { content, place, open } = await four();
    const before = Buffer.from(content.seen);
    expect(await checkLog(place)).toEqual({
      files: [{ name: firstLog, bytes: before.length, format: 3, frames: 4 }],
      damage: [],
      lost: [],
      torn: undefined,
      objects: 4,
      revision: 5,
      compactedRevision: 0,
    });
    expect(await repairLog(place)).toMatchObject({ setAside: [], begins: 5 });
    expect(content.seen.equals(before)).toBe(true);
    await (await open()).close();
  });
});

describe("repair", () => {
  it("keeps all but the damaged frame, far behind the lost revisions, and the damaged files", async () => {
    const { disk, open, content, starts, place } = await four();
    content.seen[starts[1]! + frameHeader + 12]! ^= 1;
    const damaged = Buffer.from(content.seen);
    const report = await repairLog(place);
    expect(report).toMatchObject({
      damage: [{ file: firstLog, offset: starts[1], reason: "a frame's checksum is wrong" }],
      lost: [[3, 3]],
      objects: 3,
      revision: 5,
      setAside: [`damaged-1-${firstLog}`],
      begins: 1_000_005,
    });
    expect(disk.files.get(`damaged-1-${firstLog}`)!.seen.equals(damaged)).toBe(true);
    const store = await open();
    expect((await store.list("")).items.map(({ key, modRevision }) => `${key}@${modRevision}`)).toEqual([
      "/1@2",
      "/3@4",
      "/4@5",
    ]);
    expect(await store.commit(update("/1", "2", 2))).toBe(1_000_006);
    await store.close();
    expect((await checkLog(place)).damage).toEqual([]);
  });

  it("keeps leases, deletions and transactions, and what a damaged snapshot and a missing file leave", async () => {
    const { disk, open } = onFaultDisk({ segmentBytes: 2_000, garbageFloor: 1 });
    const store = await open();
    const lease = await store.grantLease(60_000);
    let revision = await create(store, "/a", "x".repeat(500), lease);
    await create(store, "/gone");
    for (let count = 0; count < 20; count++) {
      revision = await store.commit(update("/a", `${count}`.padEnd(500), revision));
    }
    await store.compact(revision);
    await store.defragment();
    const range = { start: "/gone", end: "/gone\0" };
    const both = [
      { type: "put", key: "/b", value: bytes("1") },
      { type: "delete", range },
    ] as const;
    await store.transact({ compare: [], success: both, failure: [] });
    for (let count = 0; count < 20; count++) await create(store, `/c/${count}`, "x".repeat(500));
    await store.close();
    const snapshot = [...disk.files.keys()].find((name) => name.startsWith("snapshot"));
    const logs = [...disk.files.keys()].filter((name) => name.startsWith("log")).toSorted();
    disk.files.get(snapshot!)!.seen[60]! ^= 1;
    await disk.remove(logs[2]!);
    const place = { directory: "/store", disk };
    const { damage, lost, begins } = await repairLog(place);
    expect(damage.map(({ file, reason }) => `${file}: ${reason}`)).toEqual([
      `${snapshot}: a frame's checksum is wrong`,
      `${logs[3]}: the log file before it is missing`,
    ]);
    expect(lost.length).toBe(2);
    const repaired = await open();
    expect(repaired.revision).toBe(begins);
    expect(await repaired.get("/gone")).toBeUndefined();
    expect(text((await repaired.get("/b"))!.value)).toBe("1");
    await repaired.close();
    expect((await checkLog(place)).damage).toEqual([]);
  });

  it("can be interrupted anywhere, and begun again; until it is done the store stays shut", async () => {
    for (let steps = 0; ; steps++) {
      const { disk, open, content, starts } = await four();
      content.seen[starts[1]! + frameHeader + 12]! ^= 1;
      content.synced = content.seen;
      await disk.syncDirectory();
      let left = steps;
      disk.decide = () => (left-- > 0 ? "ok" : "crash");
      const outcome = await repairLog({ directory: "/store", disk }).catch(() => undefined);
      disk.decide = () => "ok";
      if (outcome) {
        expect(steps).toBeGreaterThan(10);
        break;
      }
      disk.restart();
      const early = await refusal(open().then((store) => store.close()));
      const isDone = early === "accepted";
      if (!isDone) {
        expect(early).toBe("corrupt");
        await repairLog({ directory: "/store", disk });
      }
      const store = await open();
      expect((await store.list("")).items.map(({ key }) => key)).toEqual(["/1", "/3", "/4"]);
      await store.close();
    }
  });

  it("makes a store that opens of whatever was done to its files", async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      const { disk, open } = onFaultDisk({ segmentBytes: 1_000, garbageFloor: 500 });
      const store = await open();
      for (let count = 0; count < 30; count++) {
        await create(store, `/${count}`, "x".repeat(Math.floor(random.next() * 200)));
        if (count % 7 === 6) await store.compact(store.revision - 1);
      }
      await store.close();
      for (const [name, content] of disk.files) {
        if (random.next() < 0.1) await disk.remove(name);
        content.seen = Buffer.from(content.seen);
        for (let hits = Math.floor(random.next() * 3); hits > 0; hits--) {
          const at = Math.floor(random.next() * content.seen.length);
          if (random.next() < 0.5) content.seen[at]! ^= 1 << Math.floor(random.next() * 8);
          else content.seen = Buffer.from(content.seen.subarray(0, at));
        }
      }
      const place = { directory: "/store", disk };
      const { damage } = await checkLog(place);
      const opens = (await refusal(open().then((one) => one.close()))) === "accepted";
      // A store all of whose files are gone looks like a new one.
      expect(opens, `seed ${seed}: ${JSON.stringify(damage)}`).toBe(damage.length === 0);
      await repairLog(place);
      await (await open()).close();
    }
  });
});
