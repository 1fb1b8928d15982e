import { expect, test } from "vitest";
import { DecodeError, formatDuration, normalizeMicroTime, normalizeTime, parseDuration } from "./index.ts";

test("times are in UTC", () => {
  expect(normalizeTime("2024-02-29T12:00:00Z")).toBe("2024-02-29T12:00:00Z");
  expect(normalizeTime("2024-01-01T00:30:00.999+01:00")).toBe("2023-12-31T23:30:00Z");
  expect(normalizeMicroTime("2024-01-01T00:00:00.1234567Z")).toBe("2024-01-01T00:00:00.123456Z");
  expect(normalizeMicroTime("2024-01-01T00:00:00-00:30")).toBe("2024-01-01T00:30:00.000000Z");
});

test("times out of range are refused", () => {
  function check(text: string, what: string) {
    const message = `parsing time "${text}": ${what} out of range`;
    expect(() => normalizeTime(text)).toThrow(new DecodeError(message));
  }
  check("2023-02-29T00:00:00Z", "day");
  check("2024-04-31T00:00:00Z", "day");
  check("2024-00-01T00:00:00Z", "month");
  check("2024-01-01T24:00:00Z", "hour");
  check("2024-01-01T00:60:00Z", "minute");
  check("2024-01-01T00:00:61Z", "second");
});

test("durations as Go reads and writes them", () => {
  function check(text: string, canonical: string) {
    expect(formatDuration(parseDuration(text))).toBe(canonical);
  }
  check("0", "0s");
  check("90m", "1h30m0s");
  check("1.5h", "1h30m0s");
  check("1h1ms", "1h0m0.001s");
  check("-1500ms", "-1.5s");
  check("100us", "100µs");
  check("1.5ms", "1.5ms");
  check("7ns", "7ns");
  for (const wrong of ["", "s", "1h 2m", ".s"])
    expect(() => parseDuration(wrong)).toThrow(new DecodeError(`time: invalid duration "${wrong}"`));
  expect(() => parseDuration("1h5")).toThrow('time: missing unit in duration "1h5"');
  expect(() => parseDuration("1x")).toThrow('time: unknown unit "x" in duration "1x"');
});
