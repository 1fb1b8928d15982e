import { expect, test } from "vitest";
import { RetryAfter } from "./retry-after.ts";

test.each([
  ["few refusals change nothing", [2, 2, 2, 2], [1, 1, 1, 1]],
  ["many in a row double it, no sooner than after the last time", [3, 6, 6, 6, 6], [1, 2, 2, 4, 4]],
  ["when they cease it shrinks", [3, 6, 1, 0, 0, 0, 1, 0, 0, 0, 1], [1, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1]],
  ["it does not grow for ever", Array.from({ length: 200 }, () => 100), undefined],
])("%s", (_, refusals, expected) => {
  const retryAfter = new RetryAfter();
  const seen = refusals.map((count, second) => {
    for (let one = 0; one < count; one++) retryAfter.note(second * 1_000 + one);
    return retryAfter.seconds;
  });
  if (expected) expect(seen).toEqual(expected);
  else expect(seen.at(-1)).toBe(32);
});
