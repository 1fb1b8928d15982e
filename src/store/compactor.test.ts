import { expect, it } from "vitest";
import { silentLogger, VirtualClock } from "../base/index.ts";
import { startCompactor } from "./compactor.ts";
import { createMemoryStore } from "./memory-store.ts";
import { bytes } from "./suite-tools.ts";

it("compacts every five minutes to the revision of five minutes ago, and stops with its signal", async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const stop = new AbortController();
  const write = (key: string) => store.commit({ type: "create", key, value: bytes("1") });
  await write("/1");
  const running = startCompactor({ store, clock, logger: silentLogger, signal: stop.signal });
  const compacted: number[] = [];
  for (const key of ["/2", "/3", "/4"]) {
    await write(key);
    await clock.advance(5 * 60_000);
    compacted.push(store.compactedRevision);
  }
  expect(compacted).toEqual([2, 3, 4]);
  // Nothing was written, so that there is nothing more to forget after one more turn.
  await clock.advance(20 * 60_000);
  expect(store.compactedRevision).toBe(5);
  stop.abort();
  await running;
  await store.close();
});

it("goes on after a store that refuses", async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const stop = new AbortController();
  for (const key of ["/1", "/2"]) await store.commit({ type: "create", key, value: bytes("1") });
  const running = startCompactor({
    store,
    clock,
    logger: silentLogger,
    signal: stop.signal,
    policy: { interval: 10 },
  });
  await clock.advance(5);
  await store.compact(3);
  await store.commit({ type: "create", key: "/3", value: bytes("1") });
  await clock.advance(25);
  expect(store.compactedRevision).toBe(4);
  stop.abort();
  await running;
  await store.close();
});

it.each([
  { policy: { interval: 1_000, revisions: 5 }, expected: [0, 2, 7, 12] },
  { policy: { interval: 1_000, bytes: 500 }, expected: [0, 0, 6, 12] },
  { policy: { interval: 1_000, bytes: 100_000 }, expected: [0, 0, 0, 0] },
  { policy: { interval: 200, revisions: 1_000 }, expected: [0, 2, 2, 7] },
])("bounds history by $policy", async ({ policy, expected }) => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const stop = new AbortController();
  let revision = await store.commit({ type: "create", key: "/a", value: new Uint8Array(50) });
  const running = startCompactor({ store, clock, logger: silentLogger, signal: stop.signal, policy });
  const compacted: number[] = [];
  for (let round = 0; round < 4; round++) {
    await clock.advance(100);
    compacted.push(store.compactedRevision);
    for (let count = 0; count < 5; count++) {
      revision = await store.commit({
        type: "update",
        key: "/a",
        value: new Uint8Array(50),
        ifModified: revision,
      });
    }
  }
  expect(compacted).toEqual(expected);
  stop.abort();
  await running;
  await store.close();
});
