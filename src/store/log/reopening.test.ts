import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../base/index.ts";
import { bytes, refusal, text } from "../suite-tools.ts";
import { create, history, onFaultDisk, totalBytes } from "./log-tools.ts";
import type { LogStore } from "./log-store.ts";

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

  it.each([
    { objects: 300, bytes: 1_000 },
    { objects: 500, bytes: 2_500 },
  ])("takes at most three times the size of $objects objects after compaction", async (size) => {
    const { disk, open } = onFaultDisk();
    const store = await open();
    const revisions = new Map<string, number>();
    for (let round = 0; round < 6; round++) {
      await Promise.all(
        Array.from({ length: size.objects }, async (_, index) => {
          const [key, value] = [`/${index}`, new Uint8Array(size.bytes).fill(round)];
          const ifModified = revisions.get(key);
          const write =
            ifModified === undefined
              ? ({ type: "create" } as const)
              : ({ type: "update", ifModified } as const);
          revisions.set(key, await store.commit({ ...write, key, value }));
        }),
      );
      await store.compact(store.revision);
      await store.maintained();
      expect(totalBytes(disk) / store.sizes.used).toBeLessThan(3);
    }
    await store.close();
  });

  it("gives back all but what can be read when it is defragmented, out of the newest file too", async () => {
    const { disk, open } = onFaultDisk();
    const first = await open();
    let revision = await create(first, "/a");
    for (let count = 0; count < 500; count++) {
      const value = bytes(String(count).padEnd(1000));
      revision = await first.commit({ type: "update", key: "/a", value, ifModified: revision });
    }
    expect(first.sizes.allocated).toBeGreaterThan(500_000);
    await first.defragment();
    expect(totalBytes(disk)).toBeGreaterThan(500_000);
    await first.compact(revision);
    await first.defragment();
    // A new file has room ahead for the next writes.
    expect(totalBytes(disk)).toBeLessThan(270_000);
    expect(first.sizes.allocated).toBeLessThan(270_000);
    expect(first.sizes.used).toBe(1_002);
    await create(first, "/b");
    await first.close();
    const second = await open();
    expect([second.revision, (await second.get("/a"))!.version]).toEqual([revision + 1, 501]);
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

  it("finds the changes of one revision together again, and transactions build on them", async () => {
    const { open } = onFaultDisk();
    const first = await open();
    const put = (key: string) => ({ type: "put", key, value: bytes("1") }) as const;
    const both = [put("/b"), put("/a")];
    const placeOfA = async (store: LogStore) => (await store.get("/a", { at: 2 }))?.place;
    await first.transact({ compare: [], success: both, failure: [] });
    const range = { start: "/", end: undefined };
    await first
      .transact({ compare: [], success: [{ type: "delete", range }, put("/c")], failure: [] })
      .catch((error: unknown) => expect(String(error)).toContain("duplicate key"));
    await first.transact({ compare: [], success: [{ type: "delete", range }], failure: [] });
    await create(first, "/c");
    await first.close();
    const second = await open();
    expect([second.revision, second.compactedRevision]).toEqual([4, 0]);
    const told = ["2 put /b=1", "2 put /a=1", "3 delete /a was 1", "3 delete /b was 1", "4 put /c=1"];
    expect(await history(second, 1)).toEqual(told);
    expect(await placeOfA(second)).toBe(1);
    await second.compact(2);
    await second.defragment();
    await second.close();
    const third = await open();
    expect(await history(third, 2)).toEqual(told.slice(2));
    expect(await placeOfA(third)).toBe(1);
    expect((await third.list("", { at: 2 })).items.map(({ key }) => key)).toEqual(["/a", "/b"]);
    await third.close();
  });

  it("gives long leases what was left of them, and all of it once they were kept alive", async () => {
    const { open } = onFaultDisk();
    const clock = new VirtualClock();
    const first = await open({ clock });
    const hour = 60 * 60_000;
    const [running, renewed] = [await first.grantLease(hour), await first.grantLease(hour)];
    await create(first, "/running", "1", running);
    await clock.advance(hour / 2);
    await first.keepLeaseAlive(renewed);
    await first.close();
    const second = await open({ clock });
    expect(second.leaseStatus(running)).toMatchObject({ granted: hour, remaining: hour / 2 });
    expect(second.leaseStatus(renewed)!.remaining).toBe(hour);
    await second.compact(second.revision);
    await second.defragment();
    await second.close();
    const third = await open({ clock });
    expect(third.leaseStatus(running)).toMatchObject({
      granted: hour,
      remaining: hour / 2,
      keys: ["/running"],
    });
    await clock.advance(hour / 2);
    expect(third.leases()).toEqual([renewed]);
    await third.close();
  });

  it("reads what an older format wrote, and leaves it as it is", async () => {
    const { disk, open } = onFaultDisk();
    for (const [name, content] of Object.entries(ofFormat1)) {
      const bytes = Buffer.from(content, "base64");
      await disk.open(name, { create: true, durable: true }).then((file) => file.write(bytes, 0));
    }
    const first = await open();
    expect(await history(first, 8)).toEqual(["9 put /b=7 was 6", "10 delete /b was 7"]);
    expect(first.leaseStatus("1")).toMatchObject({ granted: 60_000, remaining: 60_000, keys: ["/a"] });
    expect([first.compactedRevision, await create(first, "/c")]).toEqual([8, 11]);
    await first.close();
    for (const [name, content] of Object.entries(ofFormat1)) {
      expect(disk.files.get(name)!.seen.toString("base64")).toBe(content);
    }
    const second = await open();
    expect(await history(second, 9)).toEqual(["10 delete /b was 7", "11 put /c=1"]);
    await second.close();
  });
});

/** The files of a small store that a kubets with format 1 wrote. */
const ofFormat1 = {
  "log-000000000005":
    "a3ViZXRzTEcBAAAAAAAAAAAAFEDksJ15ybKn9RgAAAAtJi44AAAAAAAAIkABAAAAAAAAIkAAAAAAAgAAAC9iAQAAADfJsqf1CQAAANz8xrYAAAAAAAAkQAMAAAAAAAAgQA==",
  "log-000000000006": "a3ViZXRzTEcBAAAAAAAAAAAAGECAEgOqybKn9Q8AAAAFQ/40AAAAAAAAJkACAAAAAAAAJEACAAAAL2I=",
  "snapshot-0000000000000008":
    "a3ViZXRzU04BAAAAAAAAAAAAIECjLMSUybKn9XkAAADQWO/bAAAAAAAA8D8GAAAAAAAAIEAAAAAAAADwPwQBAAAAMQAAAAAATO1ABwAAAAAAAABAAAAAAAAAAEAAAAAAAADwPwEAAAAxAgAAAC9hAQAAADEHAAAAAAAACEAAAAAAAAAgQAAAAAAAABhAAAAAAAIAAAAvYgEAAAA2CAAAAAAAAABA",
};
