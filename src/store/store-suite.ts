import { expect } from "vitest";
import { type Revision, type Store, StoreError, type Write } from "./store.ts";
import {
  type Behaviours,
  create,
  keys,
  line,
  refusal,
  runBehaviours,
  text,
  update,
  watchFrom,
} from "./suite-tools.ts";

async function fill(store: Store): Promise<void> {
  for (const key of ["/p/a", "/p/c", "/p", "/p/b", "/q", "/p0"]) await store.commit(create(key));
}

const behaviours: Behaviours<{ readonly store: Store }> = {
  writes: {
    "counts revisions from 1 and versions of a key from 1": async ({ store }) => {
      expect(store.revision).toBe(1);
      expect(await store.commit(create("/a"))).toBe(2);
      expect(await store.commit(update("/a", "2", 2))).toBe(3);
      expect(store.revision).toBe(3);
      expect(await store.get("/a")).toMatchObject({ createRevision: 2, modRevision: 3, version: 2 });
      expect(await store.commit({ type: "delete", key: "/a", ifModified: 3 })).toBe(4);
      expect(await store.get("/a")).toBeUndefined();
      expect(await store.commit(create("/a"))).toBe(5);
      expect(await store.get("/a")).toMatchObject({ createRevision: 5, modRevision: 5, version: 1 });
    },

    "hands out the value that was written": async ({ store }) => {
      await store.commit({ type: "create", key: "/bytes", value: Uint8Array.of(0, 255, 10, 0) });
      await store.commit({ type: "create", key: "/empty", value: new Uint8Array() });
      expect([...(await store.get("/bytes"))!.value]).toEqual([0, 255, 10, 0]);
      expect((await store.get("/empty"))!.value.length).toBe(0);
    },

    "refuses a write whose condition fails, with what the key holds": async ({ store }) => {
      await store.commit(create("/a", "one"));
      const cases: Write[] = [
        create("/a"),
        update("/a", "2", 1),
        update("/none", "2", 2),
        { type: "delete", key: "/a", ifModified: 9 },
        { type: "delete", key: "/none", ifModified: 2 },
      ];
      for (const write of cases) {
        const error: unknown = await store.commit(write).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(StoreError);
        expect((error as StoreError).type).toBe("conflict");
        expect((error as StoreError).current?.modRevision).toBe(write.key === "/a" ? 2 : undefined);
      }
      expect(store.revision).toBe(2);
    },

    "lets one of many concurrent writers of a key win, and shows the winner to the others": async ({
      store,
    }) => {
      const attempts = Array.from({ length: 20 }, async (_, index) => {
        try {
          return await store.commit(create("/one", String(index)));
        } catch {
          return (await store.get("/one")) ? "lost" : "lost to nothing";
        }
      });
      const outcomes = await Promise.all(attempts);
      expect(outcomes.filter((outcome) => outcome === 2).length).toBe(1);
      expect(outcomes.filter((outcome) => outcome === "lost").length).toBe(19);
    },
  },

  reads: {
    "lists a prefix in order, in pages, with what remains": async ({ store }) => {
      await fill(store);
      expect(await keys(store, "/p/")).toEqual({ keys: "/p/a /p/b /p/c", remaining: 0 });
      expect(await keys(store, "")).toEqual({ keys: "/p /p/a /p/b /p/c /p0 /q", remaining: 0 });
      expect(await keys(store, "/p/", { limit: 2 })).toEqual({ keys: "/p/a /p/b", remaining: 1 });
      expect(await keys(store, "/p/", { limit: 2, after: "/p/b" })).toEqual({ keys: "/p/c", remaining: 0 });
      expect(await keys(store, "/p/", { after: "/p/bb" })).toEqual({ keys: "/p/c", remaining: 0 });
      expect(await keys(store, "/p/", { after: "/z" })).toEqual({ keys: "", remaining: 0 });
      expect(await keys(store, "/none/")).toEqual({ keys: "", remaining: 0 });
      expect((await store.list("/p/")).revision).toBe(7);
    },

    "reads the past as it was": async ({ store }) => {
      await fill(store);
      await store.commit(update("/p/a", "new", 2));
      await store.commit({ type: "delete", key: "/p/b", ifModified: 5 });
      await store.commit(create("/p/d"));
      await store.commit(create("/p/b", "back"));
      expect(text((await store.get("/p/a", { at: 7 }))!.value)).toBe("1");
      expect(text((await store.get("/p/a", { at: 8 }))!.value)).toBe("new");
      expect(await store.get("/p/b", { at: 9 })).toBeUndefined();
      expect(await store.get("/p/d", { at: 9 })).toBeUndefined();
      expect(await keys(store, "/p/", { at: 7, limit: 1 })).toEqual({ keys: "/p/a", remaining: 2 });
      expect(await keys(store, "/p/", { at: 9, limit: 1 })).toEqual({ keys: "/p/a", remaining: 1 });
      expect(await keys(store, "/p/", { at: 10 })).toEqual({ keys: "/p/a /p/c /p/d", remaining: 0 });
      expect(await keys(store, "/p/", { at: 2, limit: 1 })).toEqual({ keys: "/p/a", remaining: 0 });
      expect((await store.list("/p/", { at: 7 })).revision).toBe(7);
    },

    "refuses the future and the compacted past": async ({ store }) => {
      await fill(store);
      await store.commit({ type: "delete", key: "/p/a", ifModified: 2 });
      await store.commit(update("/p/b", "2", 5));
      expect(await refusal(store.get("/q", { at: 10 }))).toBe("future");
      expect(await refusal(store.list("/", { at: 10 }))).toBe("future");
      expect(await refusal(store.compact(10))).toBe("future");
      await store.compact(8);
      expect(store.compactedRevision).toBe(8);
      expect(await refusal(store.compact(8))).toBe("compacted");
      expect(await refusal(store.get("/q", { at: 7 }))).toBe("compacted");
      expect(await refusal(store.list("/", { at: 7 }))).toBe("compacted");
      expect(await keys(store, "/p/", { at: 8 })).toEqual({ keys: "/p/b /p/c", remaining: 0 });
      expect(text((await store.get("/p/b", { at: 8 }))!.value)).toBe("1");
      expect(await refusal(watchFrom(store, "/", 7).read(1))).toBe("compacted");
      expect(await watchFrom(store, "/", 8).read(1)).toEqual(["9 put /p/b=2 was 1"]);
    },
  },

  watches: {
    "tells the past, then what happens, of its prefix alone": async ({ store }) => {
      await store.commit(create("/a/1"));
      await store.commit(create("/b/1"));
      await store.commit(update("/a/1", "2", 2));
      const { read } = watchFrom(store, "/a/", 2);
      expect(await read(1)).toEqual(["4 put /a/1=2 was 1"]);
      const next = read(2);
      await store.commit(create("/b/2"));
      await store.commit({ type: "delete", key: "/a/1", ifModified: 4 });
      await store.commit(create("/a/2"));
      expect(await next).toEqual(["6 delete /a/1 was 2", "7 put /a/2=1"]);
    },

    "answers a stretch of the past and how far it goes": async ({ store }) => {
      await fill(store);
      const past = async (prefix: string, after: Revision, limit = 100) => {
        const { changes, through } = await store.changes(prefix, { after, limit });
        return [...changes.map(line), through];
      };
      const newest = store.revision;
      const all = await past("/", 1);
      expect(all).toHaveLength(newest);
      expect(all.at(-1)).toBe(newest);
      expect(await past("/", 1, 2)).toEqual([all[0], all[1], 3]);
      expect(await past("/none/", 1)).toEqual([newest]);
      expect(await past("/", newest)).toEqual([newest]);
      expect(await past("/", newest + 5)).toEqual([newest + 5]);
      await store.compact(4);
      expect(await refusal(store.changes("/", { after: 3, limit: 1 }))).toBe("compacted");
      expect(await past("/", 4)).toEqual(all.slice(3));
    },

    "waits for a revision that is still to come": async ({ store }) => {
      const next = watchFrom(store, "/", 3).read(1);
      for (const key of ["/1", "/2", "/3"]) await store.commit(create(key));
      expect(await next).toEqual(["4 put /3=1"]);
    },

    "ends with its signal, and fails when the store closes": async ({ store }) => {
      const { read, stop } = watchFrom(store, "/", 1);
      const next = read(1);
      stop.abort();
      expect(await next).toEqual([]);
      const closed = refusal(watchFrom(store, "/", 1).read(1));
      await store.close();
      expect(await closed).toBe("closed");
      expect(await refusal(store.commit(create("/a")))).toBe("closed");
      expect(await refusal(store.get("/a"))).toBe("closed");
    },

    "tells a watcher that compaction overtook it, not one that has seen all of its own": async ({
      store,
    }) => {
      await store.commit(create("/a/1"));
      const slow = watchFrom(store, "/b/", 1);
      const idle = watchFrom(store, "/a/", 1);
      expect(await idle.read(1)).toEqual(["2 put /a/1=1"]);
      const next = idle.read(1);
      await store.commit(create("/b/1"));
      await store.commit(create("/b/2"));
      await store.compact(4);
      expect(await refusal(slow.read(1))).toBe("compacted");
      await store.commit(create("/a/2"));
      expect(await next).toEqual(["5 put /a/2=1"]);
    },
  },

  leases: {
    "deletes the keys of a lease that is revoked, in one revision": async ({ store }) => {
      const lease = await store.grantLease(60_000);
      await store.commit(create("/b", "1", lease));
      await store.commit(create("/a", "1", lease));
      await store.commit(create("/stays"));
      expect((await store.get("/a"))!.lease).toBe(lease);
      const { read } = watchFrom(store, "/", 4);
      await store.keepLeaseAlive(lease);
      await store.revokeLease(lease);
      expect(await read(2)).toEqual(["5 delete /a was 1", "5 delete /b was 1"]);
      expect((await keys(store, "")).keys).toBe("/stays");
      expect(await refusal(store.commit(create("/c", "1", lease)))).toBe("leaseNotFound");
      expect(await refusal(store.keepLeaseAlive(lease))).toBe("leaseNotFound");
      expect(await refusal(store.revokeLease(lease))).toBe("leaseNotFound");
      expect(await store.commit(create("/after"))).toBe(6);
    },

    "keeps what left the lease": async ({ store }) => {
      const lease = await store.grantLease(60_000);
      const other = await store.grantLease(60_000);
      expect(other).not.toBe(lease);
      const left = await store.commit(create("/left", "1", lease));
      await store.commit(update("/left", "2", left));
      const moved = await store.commit(create("/moved", "1", lease));
      await store.commit({ ...update("/moved", "2", moved), lease: other } as Write);
      await store.commit(create("/ends", "1", lease));
      await store.revokeLease(lease);
      expect((await keys(store, "")).keys).toBe("/left /moved");
      await store.revokeLease(other);
      expect((await keys(store, "")).keys).toBe("/left");
    },
  },
};

/** The behaviour that every store has; `open` makes an empty one. */
export function storeSuite(name: string, open: () => Promise<Store>): void {
  runBehaviours(name, behaviours, async () => ({ store: await open() }));
}
