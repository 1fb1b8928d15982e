import { describe, expect, test } from "vitest";
import { isTimeZone, nextTime, parseSchedule, TimeZone } from "./index.ts";

describe("next time", () => {
  const cases: readonly (readonly [string, string, string, string?])[] = [
    ["* * * * *", "2012-07-09T14:45:00Z", "2012-07-09T14:46:00Z"],
    ["*/15 * * * *", "2012-07-09T15:45:35Z", "2012-07-09T16:00:00Z"],
    ["20-35/15 * * * *", "2012-07-09T23:35:51Z", "2012-07-10T00:20:00Z"],
    ["30 8 * * mon-fri", "2024-03-01T09:00:00Z", "2024-03-04T08:30:00Z"],
    ["0 0 29 Feb ?", "2013-07-09T23:35:00Z", "2016-02-29T00:00:00Z"],
    ["0 0 13 * 5", "2024-01-01T00:00:00Z", "2024-01-05T00:00:00Z"],
    ["0 0 */2 * 1", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"],
    ["@monthly", "2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z"],
    ["@every 90s", "2024-01-01T00:00:00Z", "2024-01-01T00:01:30Z"],
    ["0 0 31 2 *", "2024-01-01T00:00:00Z", "never"],
    ["0 9 * * *", "2024-06-30T14:00:00Z", "2024-07-01T13:00:00Z", "America/New_York"],
    // Clocks leap from 2 to 3: what was due between is not made up for that day.
    ["30 2 * * *", "2012-03-11T05:00:00Z", "2012-03-12T06:30:00Z", "America/New_York"],
    // Clocks fall back from 2 to 1: the first 1:30 comes first.
    ["30 1 * * *", "2012-11-04T04:00:00Z", "2012-11-04T05:30:00Z", "America/New_York"],
    ["0 0 * * *", "2018-11-03T12:00:00Z", "2018-11-05T02:00:00Z", "America/Sao_Paulo"],
  ];
  for (const [text, after, expected, zone = "UTC"] of cases) {
    test(`${text} after ${after} in ${zone}`, () => {
      const next = nextTime(parseSchedule(text), { after: Date.parse(after), zone: new TimeZone(zone) });
      expect(next === undefined ? "never" : new Date(next).toISOString().replace(".000", "")).toBe(expected);
    });
  }
});

describe("what cannot be read", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "empty spec string"],
    ["* *", "expected exactly 5 fields, found 2: [* *]"],
    ["60 * * * *", "end of range (60) above maximum (59): 60"],
    ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
    ["5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"],
    ["*/0 * * * *", "step of range should be a positive number: */0"],
    ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
    ["1/2/3 * * * *", "too many slashes: 1/2/3"],
    ["a b c d e", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ["@never", "unrecognized descriptor: @never"],
    ["@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'],
  ];
  for (const [text, message] of cases) {
    test(JSON.stringify(text), () => expect(() => parseSchedule(text)).toThrow(message));
  }
});

test("zones", () => {
  expect(isTimeZone("Europe/Paris")).toBe(true);
  expect(isTimeZone("Mars/Olympus")).toBe(false);
  const instant = Date.parse("2024-07-01T00:00:00Z");
  expect(new TimeZone("Asia/Kolkata").rfc3339(instant)).toBe("2024-07-01T05:30:00+05:30");
  expect(new TimeZone("").rfc3339(instant)).toBe("2024-07-01T00:00:00Z");
});

test("a long text that is no duration is refused at once", () => {
  expect(() => parseSchedule(`@every ${"0".repeat(300_000)}!`)).toThrow("failed to parse duration");
});
