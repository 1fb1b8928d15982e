import { describe, expect, it } from "vitest";
import { type Random, seededRandom, VirtualClock } from "../base/index.ts";
import { createMemoryStore, type MemoryStore } from "./memory-store.ts";
import { mvccSuite } from "./mvcc-suite.ts";
import { storeSuite } from "./store-suite.ts";
import { bytes, create, line, text, update, watchFrom } from "./suite-tools.ts";

storeSuite("fork", async () => createMemoryStore({ clock: new VirtualClock() }).fork());
mvccSuite("fork", async ({ clock }) => createMemoryStore({ clock: new VirtualClock() }).fork({ clock }));

/** Everything that can be seen of a store. */
async function told(store: MemoryStore): Promise<string> {
  const { changes } = await store.changes("", { after: store.compactedRevision, limit: 1_000_000 });
  const pages = [];
  for (let at = Math.max(store.compactedRevision, 1); at <= store.revision; at++) {
    const { items, remaining } = await store.list("", { at, limit: 50 });
    pages.push(`${at}: ${items.map(({ key, value }) => `${key}=${text(value)}`).join(" ")} and ${remaining}`);
  }
  return [...pages, ...changes.map(line)].join("\n");
}

async function writeSome(store: MemoryStore, options: { random: Random; count: number }): Promise<void> {
  const { random, count } = options;
  for (let step = 0; step < count; step++) {
    const key = `/${Math.floor(random.next() * 1_500)}`;
    const before = await store.get(key);
    const dice = random.next();
    if (dice < 0.01 && store.revision - 20 > store.compactedRevision)
      await store.compact(store.revision - 20);
    if (!before) await store.commit(create(key, String(step)));
    else if (dice < 0.3) await store.commit({ type: "delete", key, ifModified: before.modRevision });
    else await store.commit(update(key, String(step), before.modRevision));
  }
}

/** The same store, made by doing the same again. */
async function made(seeds: readonly number[]): Promise<MemoryStore> {
  const store = createMemoryStore({ clock: new VirtualClock() });
  for (const seed of seeds) await writeSome(store, { random: seededRandom(seed), count: 1_200 });
  return store;
}

describe("a fork", () => {
  it("goes its own way, as does what it was made from, however often", async () => {
    const trunk = await made([1]);
    const branches: MemoryStore[] = [];
    for (let seed = 10; seed < 16; seed++) {
      const branch = (branches.at(-1) ?? trunk).fork();
      await writeSome(branch, { random: seededRandom(seed), count: 1_200 });
      branches.push(branch);
    }
    await writeSome(trunk, { random: seededRandom(2), count: 1_200 });
    expect(await told(trunk)).toBe(await told(await made([1, 2])));
    const seeds = [1];
    for (const [index, branch] of branches.entries()) {
      seeds.push(10 + index);
      expect(await told(branch)).toBe(await told(await made(seeds)));
    }
  });

  it("has the leases, with what is left of them on its own clock, and no watchers", async () => {
    const clocks = [new VirtualClock(), new VirtualClock()] as const;
    const trunk = createMemoryStore({ clock: clocks[0] });
    const lease = await trunk.grantLease(10_000);
    await trunk.commit(create("/a", "1", lease));
    await clocks[0].advance(4_000);
    const heard: string[] = [];
    trunk.subscribe("", (changes) => heard.push(...changes.map(line)));
    const branch = trunk.fork({ clock: clocks[1] });
    await branch.commit(create("/b", "1", lease));
    expect(branch.leaseStatus(lease)).toEqual({
      id: lease,
      granted: 10_000,
      remaining: 6_000,
      keys: ["/a", "/b"],
    });
    expect(trunk.leaseStatus(lease)!.keys).toEqual(["/a"]);
    expect(await watchFrom(branch, "/", 1).read(2)).toEqual(["2 put /a=1", "3 put /b=1"]);
    await clocks[1].advance(6_000);
    expect([branch.leases(), (await branch.list("")).items]).toEqual([[], []]);
    expect(await trunk.get("/a")).toBeDefined();
    expect(heard).toEqual([]);
    expect(await branch.grantLease(1)).not.toBe(lease);
    await branch.close();
    await trunk.close();
    expect((await trunk.fork().get("/a"))?.value).toEqual(bytes("1"));
  });

  it("of 20,000 objects takes less than 10 ms, and the first write to it no longer", async () => {
    const trunk = createMemoryStore({ clock: new VirtualClock() });
    for (let index = 0; index < 20_000; index++) await trunk.commit(create(`/${index}`));
    const times: number[] = [];
    for (let count = 0; count < 5; count++) {
      const start = performance.now();
      const branch = trunk.fork();
      await branch.commit(create(`/new-${count}`));
      times.push(performance.now() - start);
      await trunk.commit(create(`/more-${count}`));
    }
    expect(Math.min(...times)).toBeLessThan(10);
  });
});
