import { expect, test } from "vitest";
import { VirtualClock } from "../../base/index.ts";
import { WatchPace } from "./watch-pace.ts";

async function scene() {
  const clock = new VirtualClock();
  const pace = new WatchPace(clock);
  let written = 0;
  const change = async (watchers: number) => {
    for (let index = 0; index < watchers; index++) pace.run(() => written++);
    await Promise.resolve();
  };
  return { clock, change, written: () => written };
}

test("few watchers never wait", async () => {
  const { change, written } = await scene();
  for (let round = 1; round <= 5; round++) {
    await change(20);
    expect(written()).toBe(20 * round);
  }
});

test("many watchers get what comes at once, and gather what comes while that is written", async () => {
  const { clock, change, written } = await scene();
  await change(200);
  expect(written()).toBe(200);
  await change(200);
  expect(written()).toBe(200);
  await clock.advance(7);
  expect(written()).toBe(200);
  await clock.advance(1);
  expect(written()).toBe(400);
  await clock.advance(8);
  await change(200);
  expect(written()).toBe(600);
});

test("no event waits longer than ten milliseconds, however many watchers there are", async () => {
  const { clock, change, written } = await scene();
  await change(10_000);
  await change(1);
  await clock.advance(10);
  expect(written()).toBe(10_001);
});
