import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../base/index.ts";
import { createMemoryStore, StoreError } from "../../store/index.ts";
import type { Change, Page, Store } from "../../store/index.ts";
import { CacheSet } from "./cache-set.ts";

const bytes = (text: string) => new TextEncoder().encode(JSON.stringify({ metadata: { name: text } }));
const soon = () => new Promise((resolve) => setImmediate(resolve));

/** A store as another process's: it is heard of by a watch alone, which the test can hold up or break. */
function remote() {
  const memory = createMemoryStore();
  let opened: () => void = () => {};
  let gate: Promise<void> | undefined;
  let failure: StoreError | undefined;
  let afterList: (page: Page) => Promise<void> = async () => {};
  const asked: number[] = [];
  const store: Store = {
    get revision() {
      return memory.revision;
    },
    get compactedRevision() {
      return memory.compactedRevision;
    },
    commit: (write) => memory.commit(write),
    get: (key, options) => memory.get(key, options),
    async list(prefix, options) {
      const page = await memory.list(prefix, options);
      await afterList(page);
      return page;
    },
    changes: (prefix, options) => memory.changes(prefix, options),
    async *watch(prefix, { after, signal, onProgress }) {
      for await (const batch of memory.watch("", { after, signal })) {
        await gate;
        if (failure) {
          const thrown = failure;
          failure = undefined;
          throw thrown;
        }
        yield batch.filter((change) => keyOf(change).startsWith(prefix));
        onProgress?.(revisionOf(batch));
      }
    },
    async currentRevision() {
      asked.push(memory.revision);
      await soon();
      return memory.revision;
    },
    compact: (through) => memory.compact(through),
    grantLease: (ttl) => memory.grantLease(ttl),
    keepLeaseAlive: (lease) => memory.keepLeaseAlive(lease),
    revokeLease: (lease) => memory.revokeLease(lease),
    close: () => memory.close(),
  };
  const broken: unknown[] = [];
  const caches = new CacheSet(store, { onBroken: (error) => void broken.push(error) });
  onTestFinished(() => caches.close());
  const create = (key: string) => memory.commit({ type: "create", key, value: bytes(key) });
  const remove = async (key: string) =>
    memory.commit({ type: "delete", key, ifModified: (await memory.get(key))!.modRevision });
  return {
    caches,
    broken,
    asked,
    create,
    remove,
    hold: () => void (gate = new Promise((resolve) => (opened = resolve))),
    release: () => opened(),
    breakWith: (error: StoreError) => void (failure = error),
    onList: (action: (page: Page) => Promise<void>) => void (afterList = action),
  };
}

const keyOf = (change: Change) => (change.type === "put" ? change.current.key : change.key);
const revisionOf = (batch: readonly Change[]) => {
  const last = batch.at(-1)!;
  return last.type === "put" ? last.current.modRevision : last.revision;
};

test("what others wrote before is waited for, wherever they wrote", async () => {
  const { caches, create, hold, release } = remote();
  const cache = await caches.open("/registry/a/");
  hold();
  await create("/registry/a/1");
  const elsewhere = await create("/elsewhere");
  expect(await caches.newest()).toBe(elsewhere);
  const reached = caches.reachedWithin(elsewhere, { clock: systemClock, time: 10_000 });
  expect(cache.get("/registry/a/1")).toBeUndefined();
  release();
  expect(await reached).toBe(true);
  expect(cache.get("/registry/a/1")?.revision).toBe(elsewhere - 1);
  expect(caches.reached(elsewhere)).toBeUndefined();
});

test("those who ask together share one question, which is not older than they are", async () => {
  const { caches, create, asked } = remote();
  const first = caches.newest();
  const revision = await create("/registry/a/1");
  const later = Array.from({ length: 3 }, async () => caches.newest());
  await first;
  expect(await Promise.all(later)).toEqual([revision, revision, revision]);
  expect(asked.length).toBe(2);
});

test("what changes while a cache is filled is neither lost nor does it come back", async () => {
  const { caches, create, remove, onList } = remote();
  await create("/registry/a/goes");
  await create("/registry/a/stays");
  onList(async (page) => {
    await create("/registry/a/comes");
    await remove("/registry/a/goes");
    expect(page.items.length).toBe(2);
    for (let turn = 0; turn < 10; turn++) await soon();
  });
  const cache = await caches.open("/registry/a/");
  await caches.reached(5);
  expect(Array.from(cache.range("/registry/a/"), ({ key }) => key)).toEqual([
    "/registry/a/comes",
    "/registry/a/stays",
  ]);
});

test("a cache that compaction overtook is filled again, and its watchers see the difference", async () => {
  const { caches, create, remove, breakWith } = remote();
  await create("/registry/a/goes");
  await create("/registry/a/stays");
  const cache = await caches.open("/registry/a/");
  const seen: string[] = [];
  cache.listen(({ revision, current, previous }) => {
    seen.push(`${revision} ${current ? "has" : "lost"} ${(current ?? previous)!.key}`);
  });
  breakWith(new StoreError("compacted", "required revision has been compacted"));
  await create("/registry/a/comes");
  const revision = await remove("/registry/a/goes");
  await caches.reached(revision);
  expect(seen).toEqual(["4 has /registry/a/comes", "5 lost /registry/a/goes"]);
  const next = await create("/registry/a/after");
  await caches.reached(next);
  expect(seen.at(-1)).toBe("6 has /registry/a/after");
});

test("caches that can follow no longer do not pass for the present", async () => {
  const { caches, create, breakWith, broken } = remote();
  const cache = await caches.open("/registry/a/");
  const refusal = new StoreError("unavailable", "permission denied");
  breakWith(refusal);
  const waiting = caches.reached((await create("/registry/a/1")) + 10);
  await waiting;
  expect(broken).toEqual([refusal]);
  await expect(caches.newest()).rejects.toThrow("the watch of the store has ended");
  expect(caches.reached(100)).toBeUndefined();
  expect(cache.get("/registry/a/1")).toBeUndefined();
});
