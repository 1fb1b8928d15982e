import { openSync, readSync, statSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSnapshot, planSnapshot, snapshotStatus } from "../../src/etcd/snapshot/index.ts";
import { createMemoryStore } from "../../src/store/index.ts";
import { temporaryDirectory } from "../integration/harness.ts";
import { etcdctl, hasEtcd, startEtcd } from "./harness.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const nowhere = "127.0.0.1:1";

function accessTo(path: string, size = statSync(path).size) {
  const file = openSync(path, "r");
  return {
    size,
    read(offset: number, length: number) {
      const buffer = Buffer.alloc(length);
      readSync(file, buffer, 0, length, offset);
      return buffer;
    },
  };
}

describe.skipIf(!hasEtcd)("snapshots and a real etcd", () => {
  let scratch: string;
  beforeAll(async () => void (scratch = await temporaryDirectory()));
  afterAll(() => rm(scratch, { recursive: true }));

  test("etcd takes ours: status, restore, and a server on what was restored", async () => {
    const store = createMemoryStore();
    const lease = await store.grantLease(3_600_000, { id: "7587854747396153612" });
    for (let index = 0; index < 500; index++) {
      const value = new Uint8Array((index * 37) % 9000).fill(120);
      await store.transact({
        compare: [],
        success: [{ type: "put", key: `/registry/key${index}`, value, ...(index === 7 ? { lease } : {}) }],
        failure: [],
      });
    }
    await store.transact({
      compare: [],
      success: [{ type: "delete", range: { start: "/registry/key499", end: "/registry/key499\0" } }],
      failure: [],
    });
    const path = join(scratch, "ours.db");
    const file = await open(path, "w");
    const plan = await planSnapshot(store);
    for await (const block of plan.blocks()) await file.write(block);
    await file.close();

    const told = await etcdctl(nowhere, ["snapshot", "status", path, "-w", "json"]);
    expect(JSON.parse(told.stdout)).toEqual(snapshotStatus(accessTo(path, plan.size - 32)));
    expect(JSON.parse(told.stdout)).toMatchObject({ revision: 502 });

    const directory = join(scratch, "restored");
    const restored = await etcdctl(nowhere, ["snapshot", "restore", path, "--data-dir", directory]);
    expect(restored).toMatchObject({ code: 0 });
    const etcd = await startEtcd(directory);
    try {
      const read = async (...args: string[]) => (await etcdctl(etcd.endpoint, args)).stdout;
      const all = JSON.parse(await read("get", "/registry/", "--prefix", "--keys-only", "-w", "json"));
      expect([all.count, all.header.revision]).toEqual([499, 502]);
      const one = JSON.parse(await read("get", "/registry/key7", "-w", "json"));
      expect(one.kvs[0]).toMatchObject({ create_revision: 9, mod_revision: 9, version: 1 });
      expect(await read("lease", "list")).toContain(BigInt("7587854747396153612").toString(16));
      expect((await etcdctl(etcd.endpoint, ["get", "/registry/key7", "--rev", "400"])).stderr).toContain(
        "required revision has been compacted",
      );
      expect(await read("put", "/registry/key7", "new")).toBe("OK\n");
    } finally {
      await etcd.stop();
    }
  });

  test("ours reads etcd's", async () => {
    const etcd = await startEtcd(join(scratch, "etcd"));
    const path = join(scratch, "theirs.db");
    try {
      for (const args of ["put a 1", "put a 2", "put b 3", "del b", "put c 4", "compaction 3", "put a 5"]) {
        expect(await etcdctl(etcd.endpoint, args.split(" "))).toMatchObject({ code: 0 });
      }
      await etcdctl(etcd.endpoint, ["snapshot", "save", path]);
    } finally {
      await etcd.stop();
    }
    const told = await etcdctl(nowhere, ["snapshot", "status", path, "-w", "json"]);
    expect(snapshotStatus(accessTo(path, statSync(path).size - 32))).toEqual(JSON.parse(told.stdout));
    const snapshot = openSnapshot(accessTo(path));
    expect(snapshot.revision).toBe(7);
    expect([...snapshot.items()].map((item) => ({ ...item, value: [...item.value] }))).toEqual([
      { key: "c", value: [...bytes("4")], createRevision: 6, modRevision: 6, version: 1 },
      { key: "a", value: [...bytes("5")], createRevision: 2, modRevision: 7, version: 3 },
    ]);
  });
});
