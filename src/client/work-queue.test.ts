import { expect, it } from "vitest";
import { VirtualClock } from "../base/index.ts";
import { WorkQueue } from "./work-queue.ts";

it("works on a key once however often it is added, and again when added in work", async () => {
  const clock = new VirtualClock();
  const queue = new WorkQueue({ clock });
  const stop = new AbortController();
  const worked: string[] = [];
  queue.add("a");
  queue.add("a");
  queue.add("b");
  const run = queue.run({
    workers: 1,
    signal: stop.signal,
    work: async (key) => {
      worked.push(key);
      if (worked.length === 1) queue.add("a");
      await clock.sleep(1);
    },
  });
  await clock.advance(100);
  expect(worked).toEqual(["a", "b", "a"]);
  stop.abort();
  await run;
});

it("delays retries: doubling for a key, by a bucket for all", async () => {
  const clock = new VirtualClock();
  const queue = new WorkQueue({ clock });
  const stop = new AbortController();
  const start = clock.now();
  const times: number[] = [];
  const run = queue.run({
    workers: 2,
    signal: stop.signal,
    work: async (key) => {
      if (key !== "bad") return;
      times.push(clock.now() - start);
      queue.retry(key);
    },
  });
  queue.add("bad");
  await clock.advance(100);
  expect(times).toEqual([0, 5, 15, 35, 75]);
  queue.forget("bad");
  for (let index = 0; index < 150; index++) queue.retry(`key-${index}`);
  await clock.advance(5);
  expect(queue.length).toBe(0);
  stop.abort();
  await run;
});

it("keeps the earlier of two delays", async () => {
  const clock = new VirtualClock();
  const queue = new WorkQueue({ clock });
  queue.addAfter("a", 50);
  queue.addAfter("a", 10);
  queue.addAfter("a", 90);
  await clock.advance(10);
  expect(queue.length).toBe(1);
});
