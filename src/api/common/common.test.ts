import { describe, expect, test } from "vitest";
import { describeDifference } from "./difference.ts";
import { ageSince, humanDuration } from "./duration.ts";
import { semanticallyEqual } from "./equal.ts";
import { fill, fillZero, mapList } from "./fill.ts";

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

describe("durations as people read them", () => {
  test.each([
    [-2 * second, "<invalid>"],
    [-1 * second, "0s"],
    [0, "0s"],
    [119 * second, "119s"],
    [120 * second, "2m"],
    [125 * second, "2m5s"],
    [600 * second, "10m"],
    [179 * 60 * second, "179m"],
    [3 * hour, "3h"],
    [3 * hour + 60 * second, "3h1m"],
    [8 * hour, "8h"],
    [47 * hour, "47h"],
    [48 * hour, "2d"],
    [50 * hour, "2d2h"],
    [8 * day + hour, "8d"],
    [729 * day, "729d"],
    [730 * day, "2y"],
    [735 * day, "2y5d"],
    [8 * 365 * day + day, "8y"],
  ])("%d ms is %s", (milliseconds, text) => expect(humanDuration(milliseconds)).toBe(text));

  test("no timestamp, no age", () => expect(ageSince(undefined, 0)).toBe("<unknown>"));
});

test.each<[unknown, unknown, boolean]>([
  [{ a: 1 }, { a: 1, b: [] }, true],
  [{ a: 1, b: {} }, { a: 1 }, true],
  [{ a: [1, 2] }, { a: [2, 1] }, false],
  [{ a: "" }, {}, false],
  [undefined, [], true],
  [[], {}, true],
])("%j equals %j: %s", (a, b, equal) => expect(semanticallyEqual(a, b)).toBe(equal));

test("filling changes nothing that is there, and copies only when it must", () => {
  const full = { a: 1, b: "x" };
  expect(fill(full, { a: 2, b: "y" })).toBe(full);
  expect(fill({ a: 0, b: "" }, { a: 2, b: "y" })).toEqual({ a: 0, b: "y" });
  expect(fillZero({ a: 0, b: "" }, { a: 2, b: "y" })).toEqual({ a: 2, b: "y" });
  const list = [1, 2];
  expect(mapList(list, (each) => each)).toBe(list);
});

test("a difference names the paths that differ", () => {
  expect(describeDifference({ a: { b: 1 }, c: 2 }, { a: { b: 2 }, c: 2 })).toBe("- \ta.b: 1\n+ \ta.b: 2");
});
