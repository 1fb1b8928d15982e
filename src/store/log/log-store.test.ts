import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { type LogFields, type Logger, seededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { mvccSuite } from "../mvcc-suite.ts";
import { storeSuite } from "../store-suite.ts";
import { bytes, line, refusal, text } from "../suite-tools.ts";
import { type Revision, StoreError } from "../store.ts";
import { crc32c } from "./crc32c.ts";
import { FaultDisk } from "./fault-disk.ts";
import { encodeFileHeader } from "./frame.ts";
import { type LogStore, type LogStoreOptions, openLogStore } from "./log-store.ts";
import { segmentName } from "./segmented-log.ts";

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "kubets-store-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const openNew = async (clock: VirtualClock) => openLogStore({ clock, directory: await temporaryDirectory() });
storeSuite("log store", () => openNew(new VirtualClock()));
mvccSuite("log store", ({ clock }) => openNew(clock));

const firstLog = segmentName(1);

function warnings(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const warn = (message: string, fields: LogFields = {}) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  return { logger: { ...silentLogger, warn }, lines };
}

function onFaultDisk(options: Partial<LogStoreOptions> = {}) {
  const disk = new FaultDisk(seededRandom(1));
  const open = (more: Partial<LogStoreOptions> = {}) =>
    openLogStore({ directory: "/store", clock: new VirtualClock(), ...options, ...more, disk });
  return { disk, open };
}

const create = (store: LogStore, key: string, value = "1", lease?: string) =>
  store.commit({ type: "create", key, value: bytes(value), ...(lease === undefined ? {} : { lease }) });

async function history(store: LogStore, after: Revision): Promise<readonly string[]> {
  const { signal } = new AbortController();
  for await (const changes of store.watch("", { after, signal })) return changes.map(line);
  return [];
}

const totalBytes = (disk: FaultDisk) =>
  [...disk.files.values()].reduce((sum, { seen }) => sum + seen.length, 0);

describe("reopening", () => {
  it("finds values, history, compaction and leases again, and arms the leases anew", async () => {
    const { open } = onFaultDisk();
    const first = await open();
    const lease = await first.grantLease(10_000);
    await create(first, "/a");
    await create(first, "/b", "1", lease);
    await first.commit({ type: "update", key: "/a", value: bytes("2"), ifModified: 2 });
    await first.compact(3);
    await first.commit({ type: "delete", key: "/a", ifModified: 4 });
    await first.close();

    const clock = new VirtualClock();
    const second = await open({ clock });
    expect(second.revision).toBe(5);
    expect(second.compactedRevision).toBe(3);
    expect(await history(second, 3)).toEqual(["4 put /a=2 was 1", "5 delete /a was 2"]);
    expect(text((await second.get("/a", { at: 3 }))!.value)).toBe("1");
    expect(await refusal(second.get("/a", { at: 2 }))).toBe("compacted");
    expect(await second.grantLease(1)).not.toBe(lease);
    await clock.advance(9_999);
    expect((await second.get("/b"))!.lease).toBe(lease);
    await clock.advance(1);
    expect(await second.get("/b")).toBeUndefined();
    await second.close();
    const third = await open({ clock });
    expect(third.revision).toBe(6);
    expect(await refusal(third.keepLeaseAlive(lease))).toBe("leaseNotFound");
    await third.close();
  });

  it("gives disk space back after compaction, and keeps history and leases through it", async () => {
    const { disk, open } = onFaultDisk({ segmentBytes: 16 * 1024, garbageFloor: 32 * 1024 });
    const first = await open();
    const lease = await first.grantLease(1_000_000);
    let revision = await create(first, "/leased", "1", lease);
    revision = await create(first, "/a");
    for (let count = 0; count < 500; count++) {
      const value = bytes(String(count).padEnd(1000));
      revision = await first.commit({ type: "update", key: "/a", value, ifModified: revision });
    }
    expect(totalBytes(disk)).toBeGreaterThan(500_000);
    await first.compact(revision - 2);
    await first.maintained();
    expect(totalBytes(disk)).toBeLessThan(40_000);
    await first.close();
    const second = await open();
    expect(second.revision).toBe(revision);
    expect((await history(second, revision - 2)).length).toBe(2);
    expect((await second.get("/a"))!.version).toBe(501);
    await second.revokeLease(lease);
    expect(await second.get("/leased")).toBeUndefined();
    await second.close();
  });

  it("keeps the one snapshot that two compactions in a row ask for", async () => {
    const { open } = onFaultDisk({ segmentBytes: 1024, garbageFloor: 1 });
    const first = await open();
    let revision = await create(first, "/a");
    for (let count = 0; count < 50; count++) {
      revision = await first.commit({ type: "update", key: "/a", value: bytes("x"), ifModified: revision });
    }
    await Promise.all([first.compact(revision - 1), first.compact(revision)]);
    await first.maintained();
    await first.close();
    const second = await open();
    expect((await second.get("/a"))!.modRevision).toBe(revision);
    await second.close();
  });
});

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
    header.writeUInt32LE(3, 8);
    header.writeUInt32LE(crc32c(header, { end: 20 }), 20);
    header.copy(content.seen);
    await expect(open()).rejects.toThrow(
      /written in format 3 by a newer kubets; this one reads up to format 2/,
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
    for (const name of names) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
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

  it("holds every acknowledged write of a process that was killed", async () => {
    const directory = await temporaryDirectory();
    const child = spawn(
      process.execPath,
      ["--import", "tsx", fileURLToPath(new URL("./kill-child.ts", import.meta.url)), directory],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let output = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (chunk: string) => {
      output += chunk;
      if (output.length > 40_000) child.kill("SIGKILL");
    });
    await new Promise((resolve) => child.once("close", resolve));
    const acknowledged = output.slice(0, output.lastIndexOf("\n")).split("\n");
    expect(acknowledged.length).toBeGreaterThan(1_000);
    const store = await openLogStore({ directory });
    for (const entry of acknowledged) {
      const [revision, key] = entry.split(" ");
      const found = await store.get(key!);
      expect(`${found?.modRevision} ${found?.key}`).toBe(`${revision} ${key}`);
      expect(text(found!.value).startsWith(`${key!.slice(1)} `)).toBe(true);
    }
    await store.close();
  });
});
