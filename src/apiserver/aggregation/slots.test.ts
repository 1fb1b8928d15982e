import { expect, test } from "vitest";
import { Slots } from "./slots.ts";

test("so many run at once, others in order, failures free their place", async () => {
  const slots = new Slots(2);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const task = (number: number) => () => {
    started.push(number);
    return new Promise<number>((resolve, reject) => {
      ends[number] = () => (number === 1 ? reject(new Error("failed")) : resolve(number));
    });
  };
  const runs = [0, 1, 2, 3].map((number) => slots.run(task(number)).catch(() => -1));
  expect(started).toEqual([0, 1]);
  ends[1]?.();
  await runs[1];
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  ends[0]?.();
  ends[2]?.();
  await Promise.all([runs[0], runs[2]]);
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2, 3]);
  ends[3]?.();
  expect(await Promise.all(runs)).toEqual([0, -1, 2, 3]);
});
