import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../base/index.ts";
import { mvccSuite } from "../mvcc-suite.ts";
import { storeSuite } from "../store-suite.ts";
import { bytes, line, refusal, text } from "../suite-tools.ts";
import { StoreError } from "../store.ts";
import { crc32c } from "./checksum.ts";
import { encodeFileHeader } from "./frame.ts";
import { openLogStore } from "./log-store.ts";
import { create, firstLog, history, onFaultDisk, temporaryDirectory, warnings } from "./log-tools.ts";
import { segmentName } from "./segmented-log.ts";

const openNew = async (clock: VirtualClock) => openLogStore({ clock, directory: await temporaryDirectory() });
storeSuite("log store", () => openNew(new VirtualClock()));
mvccSuite("log store", ({ clock }) => openNew(clock));

describe("damage", () => {
  const three = async () => {
    const { disk, open } = onFaultDisk();
    const store = await open();
    for (const key of ["/1", "/2", "/3"]) await create(store, key);
    await store.close();
    const content = disk.files.get(firstLog)!;
    const starts: number[] = [];
    const magic = content.seen.subarray(24, 28);
    for (let at = 24; at >= 0; at = content.seen.indexOf(magic, at + 1)) starts.push(at);
    return { open, content, starts };
  };

  it("cuts a torn last write wherever it is torn, and says so", async () => {
    const { open, content, starts } = await three();
    const whole = Buffer.from(content.seen);
    for (let end = starts[2]! + 1; end < whole.length; end++) {
      content.seen = Buffer.from(whole.subarray(0, end));
      const { logger, lines } = warnings();
      const store = await open({ logger });
      expect(store.revision).toBe(3);
      expect(lines.join()).toContain(`"offset":${starts[2]}`);
      await store.close();
    }
    const store = await open();
    expect(await create(store, "/again")).toBe(4);
    await store.close();
    expect((await open()).revision).toBe(4);
  });

  it("refuses damage before the end with file, offset and reason", async () => {
    const { open, content, starts } = await three();
    const whole = Buffer.from(content.seen);
    const cases: [change: (bytes: Buffer) => void, reason: string][] = [
      [
        (file) => (file[starts[1]! + 30]! ^= 1),
        `byte ${starts[1]}: a frame's checksum is wrong, and a whole`,
      ],
      [(file) => file.fill(0, starts[1], starts[2]), `byte ${starts[1]}: no frame begins here, and a whole`],
      [(file) => file.writeUInt32LE(2 ** 31, starts[1]! + 4), `byte ${starts[1]}: a frame is longer than`],
      [(file) => (file[3]! ^= 1), "byte 0: not a log file"],
      [(file) => (file[13]! ^= 1), "byte 0: the header's checksum is wrong"],
      [(file) => file.copy(file, starts[1], starts[2]), `byte ${starts[1]}: a frame's checksum is wrong`],
    ];
    for (const [change, reason] of cases) {
      content.seen = Buffer.from(whole);
      change(content.seen);
      const error: unknown = await open().catch((problem: unknown) => problem);
      expect(error).toBeInstanceOf(StoreError);
      expect((error as StoreError).type).toBe("corrupt");
      expect((error as StoreError).message).toContain(`/store/${firstLog} is damaged at ${reason}`);
    }
  });

  it("refuses a newer format in a sentence", async () => {
    const { open, content } = await three();
    const header = encodeFileHeader("log", 1);
    header.writeUInt32LE(4, 8);
    header.writeUInt32LE(crc32c(header, { end: 20 }), 20);
    header.copy(content.seen);
    await expect(open()).rejects.toThrow(
      /written in format 4 by a newer kubets; this one reads up to format 3/,
    );
  });

  it("refuses a log of which a file is missing", async () => {
    const { disk, open } = onFaultDisk({ segmentBytes: 200 });
    const store = await open();
    for (let count = 0; count < 9; count++) await create(store, `/${count}`, "x".repeat(100));
    await store.close();
    await disk.remove(segmentName(2));
    expect(await refusal(open())).toBe("corrupt");
    await disk.remove(segmentName(1));
    expect(await refusal(open())).toBe("corrupt");
  });
});

it("refuses values and transactions that are too large", async () => {
  const { open } = onFaultDisk();
  const store = await open();
  const half = new Uint8Array(17 * 1024 * 1024);
  const create = { type: "create", key: "/a", value: new Uint8Array(33 * 1024 * 1024) } as const;
  expect(await refusal(store.commit(create))).toBe("tooLarge");
  const puts = ["/a", "/b"].map((key) => ({ type: "put", key, value: half }) as const);
  const both = store.transact({ compare: [], success: puts, failure: [] });
  await expect(both).rejects.toThrow("request is too large");
  expect(store.revision).toBe(1);
  await store.close();
});

it("lets writers who came at different times share their writes to the disk from then on", async () => {
  const { disk, open } = onFaultDisk();
  const store = await open();
  let writes = 0;
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  disk.decide = async (operation) => {
    if (operation === "write") writes++;
    await gate;
    await new Promise(setImmediate);
    return "ok" as const;
  };
  const write = async (writer: number) => {
    for (let count = 0; count < 20; count++) await create(store, `/${writer}/${count}`);
  };
  const early = [1, 2, 3, 4].map(write);
  await new Promise(setImmediate);
  const late = [5, 6, 7, 8].map(write);
  release();
  await Promise.all([...early, ...late]);
  // Two groups that take turns would need 40, and room ahead is made once.
  expect(writes).toBeLessThan(25);
  await store.close();
});

describe("a disk that fails", () => {
  it("shows a write to nobody before it is durable", async () => {
    const { disk, open } = onFaultDisk();
    const store = await open();
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    disk.decide = () => gate.then(() => "ok" as const);
    const heard: string[] = [];
    store.subscribe("", (changes) => heard.push(...changes.map(line)));
    const first = create(store, "/a");
    const second = store.commit({ type: "update", key: "/a", value: bytes("2"), ifModified: 2 });
    const rival = refusal(create(store, "/a"));
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(await store.get("/a")).toBeUndefined();
    expect([store.revision, heard]).toEqual([1, []]);
    release();
    expect(await Promise.all([first, second, rival])).toEqual([2, 3, "conflict"]);
    expect(heard).toEqual(["2 put /a=1", "3 put /a=2 was 1"]);
    await store.close();
  });

  it("reads without waiting for a disk that stands still", async () => {
    const { disk, open } = onFaultDisk();
    const store = await open();
    await create(store, "/a");
    await store.commit({ type: "update", key: "/a", value: bytes("2"), ifModified: 2 });
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    disk.decide = () => gate.then(() => "ok" as const);
    const settled: string[] = [];
    const note = (what: string) => () => void settled.push(what);
    const writes = [create(store, "/b").then(note("write")), store.compact(2).then(note("compaction"))];
    const range = { start: "/", end: undefined };
    const reading = { compare: [], success: [{ type: "range", range }], failure: [] } as const;
    expect(text((await store.get("/a"))!.value)).toBe("2");
    expect(text((await store.get("/a", { at: 2 }))!.value)).toBe("1");
    expect((await store.list("/")).items).toHaveLength(1);
    expect((await store.range(range, { at: 2 })).count).toBe(1);
    expect((await store.transact(reading)).revision).toBe(3);
    expect((await store.changes("/", { after: 1, limit: 9 })).changes.map(line)).toEqual([
      "2 put /a=1",
      "3 put /a=2 was 1",
    ]);
    expect(await history(store, 1)).toHaveLength(2);
    await new Promise(setImmediate);
    expect(settled).toEqual([]);
    release();
    await Promise.all(writes);
    await store.close();
  });

  it("refuses writes while the disk is full, reads on, and writes again when there is room", async () => {
    const { disk, open } = onFaultDisk();
    const store = await open();
    await create(store, "/a");
    let room = 1;
    disk.decide = (operation) => (operation !== "write" ? "ok" : room-- > 0 ? "short" : "ENOSPC");
    const both = [create(store, "/b", "x".repeat(500)), create(store, "/b")];
    for (const call of both) await expect(call).rejects.toThrow(/^no space left on the store's disk/);
    expect(text((await store.get("/a"))!.value)).toBe("1");
    expect(store.revision).toBe(2);
    disk.decide = () => "ok";
    expect(await create(store, "/b")).toBe(3);
    await store.close();
    const { logger, lines } = warnings();
    const reopened = await open({ logger });
    expect([reopened.revision, lines]).toEqual([3, []]);
    await reopened.close();
  });

  it("takes no more writes after a failed sync, and reads on", async () => {
    const { disk, open } = onFaultDisk();
    const store = await open();
    await create(store, "/a");
    disk.decide = () => "EIO";
    await expect(create(store, "/b")).rejects.toThrow(
      /takes no more writes after a disk error, restart it: EIO/,
    );
    disk.decide = () => "ok";
    expect(await refusal(create(store, "/b"))).toBe("unavailable");
    expect(await store.get("/a")).toBeDefined();
    await store.close();
  });

  it("keeps a file's name that the process before it could not make durable", async () => {
    const { disk, open } = onFaultDisk();
    disk.decide = (operation) => (operation === "syncDirectory" ? "EIO" : "ok");
    await expect(open()).rejects.toThrow("EIO");
    disk.decide = () => "ok";
    const store = await open();
    await create(store, "/a");
    disk.restart();
    const again = await open();
    expect(await again.get("/a")).toBeDefined();
  });

  it("ends an expired lease later when the disk is full", async () => {
    const { disk, open } = onFaultDisk();
    const clock = new VirtualClock();
    const store = await open({ clock });
    await create(store, "/a", "1", await store.grantLease(5_000));
    disk.decide = (operation) => (operation === "write" ? "ENOSPC" : "ok");
    await clock.advance(6_000);
    expect(await store.get("/a")).toBeDefined();
    disk.decide = () => "ok";
    await clock.advance(1_000);
    expect(await store.get("/a")).toBeUndefined();
    await store.close();
  });
});

describe("the directory", () => {
  it("is the owner's alone, as are its files", async () => {
    const directory = join(await temporaryDirectory(), "deep", "store");
    const store = await openLogStore({ directory });
    await create(store, "/a");
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const names = await readdir(directory);
    expect(names.toSorted()).toEqual(["lock", firstLog]);
    expect((await stat(join(directory, firstLog))).mode & 0o777).toBe(0o600);
    await store.close();
    expect(await readdir(directory)).toEqual([firstLog]);
  });

  it("is refused to a second owner, and taken over from a dead one", async () => {
    const directory = await temporaryDirectory();
    const store = await openLogStore({ directory });
    await expect(openLogStore({ directory })).rejects.toThrow(`is in use by this process (${process.pid})`);
    await store.close();
    const dead = [
      { pid: 2 ** 22 + 1, started: "1" },
      { pid: process.pid, started: "1" },
    ];
    const isLinux = process.platform === "linux";
    for (const owner of isLinux ? dead : dead.slice(0, 1)) {
      await writeFile(join(directory, "lock"), JSON.stringify(owner));
      await (await openLogStore({ directory })).close();
    }
    await writeFile(join(directory, "lock"), JSON.stringify({ pid: process.ppid, started: "" }));
    await expect(openLogStore({ directory })).rejects.toThrow(
      `in use by the process ${process.ppid}; stop it`,
    );
  });
});
