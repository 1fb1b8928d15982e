import { expect, test } from "vitest";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliValue,
  milliValueOf,
  parseQuantity,
  subtractQuantities,
  value,
  valueOf,
} from "./quantity.ts";
import {
  addResources,
  fits,
  insufficientResources,
  maxResources,
  subtractResources,
} from "./resource-list.ts";

test.each([
  ["0", "0"],
  ["1", "1"],
  ["1000", "1k"],
  ["100m", "100m"],
  ["1000m", "1"],
  ["1500m", "1500m"],
  ["1.5", "1500m"],
  ["0.5", "500m"],
  ["1.500", "1.500"],
  ["1.5Gi", "1536Mi"],
  ["1024Mi", "1Gi"],
  ["1000Mi", "1000Mi"],
  ["1024", "1024"],
  ["1Ki", "1Ki"],
  ["8Ki", "8Ki"],
  ["512", "512"],
  ["0.5Ki", "512"],
  ["0.5Mi", "512Ki"],
  ["0.1Ki", "102400m"],
  ["12e6", "12e6"],
  ["1e3", "1e3"],
  ["12000e3", "12e6"],
  ["1E", "1E"],
  ["1000P", "1E"],
  ["1n", "1n"],
  ["0.1n", "1n"],
  ["0.1u", "100n"],
  ["-1", "-1"],
  ["-1000m", "-1"],
  ["+5", "+5"],
  ["100Ei", "9223372036854775807"],
  ["9223372036854775807", "9223372036854775807"],
  ["0Mi", "0"],
  ["10000Ti", "10000Ti"],
  ["Ki", "0"],
])("%s is canonically %s", (text, canonical) => {
  expect(canonicalQuantity(text)).toBe(canonical);
});

test("numbers of JSON are quantities", () => {
  expect(canonicalQuantity(0.5)).toBe("500m");
  expect(canonicalQuantity(2000)).toBe("2k");
  expect(canonicalQuantity(1e21)).toBe("1e+21");
});

const wrongFormat =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
test.each([
  ["", wrongFormat],
  ["1 Ki", wrongFormat],
  ["abc", wrongFormat],
  ["1.2.3", wrongFormat],
  ["--1", "unable to parse quantity's suffix"],
  ["1e3.5", wrongFormat],
  ["1e", "unable to parse quantity's suffix"],
  ["1KI", wrongFormat],
  ["1ki", "unable to parse quantity's suffix"],
  ["1mm", "unable to parse quantity's suffix"],
  ["1-5", "unable to parse quantity's suffix"],
  ["1e1000000", "unable to parse quantity's suffix"],
])("%j is refused", (text, message) => {
  expect(() => parseQuantity(text)).toThrow(message);
});

test.each([
  ["1", 1, 1000],
  ["100m", 1, 100],
  ["1500m", 2, 1500],
  ["1.1m", 1, 2],
  ["-1500m", -2, -1500],
  ["2Gi", 2 ** 31, 2 ** 31 * 1000],
  ["1k", 1000, 1_000_000],
  ["1e3", 1000, 1_000_000],
  ["0", 0, 0],
])("%s is %d units, %d thousandths", (text, units, thousandths) => {
  expect([value(parseQuantity(text)), milliValue(parseQuantity(text))]).toEqual([units, thousandths]);
  expect([valueOf(text), milliValueOf(text)]).toEqual([units, thousandths]);
});

test("arithmetic keeps the format of the left operand, unless it is zero", () => {
  const sum = (one: string, other: string) =>
    formatQuantity(addQuantities(parseQuantity(one), parseQuantity(other)));
  const difference = (one: string, other: string) =>
    formatQuantity(subtractQuantities(parseQuantity(one), parseQuantity(other)));
  expect(sum("1Gi", "1G")).toBe("2073741824");
  expect(sum("500m", "500m")).toBe("1");
  expect(sum("0", "1024Mi")).toBe("1Gi");
  expect(difference("1Gi", "512Mi")).toBe("512Mi");
  expect(difference("1", "1500m")).toBe("-500m");
  expect(compareQuantities(parseQuantity("1Gi"), parseQuantity("1073741824"))).toBe(0);
  expect(compareQuantities(parseQuantity("1"), parseQuantity("1001m"))).toBe(-1);
});

test("resource lists", () => {
  const one = { cpu: "500m", memory: "1Gi" };
  const other = { cpu: "1", "example.com/gpu": "2" };
  expect(addResources(one, other)).toEqual({ cpu: "1500m", memory: "1Gi", "example.com/gpu": "2" });
  expect(subtractResources(one, other)).toEqual({ cpu: "-500m", memory: "1Gi", "example.com/gpu": "-2" });
  expect(maxResources(one, other)).toEqual({ cpu: "1", memory: "1Gi", "example.com/gpu": "2" });
  expect(insufficientResources(other, one)).toEqual(["cpu", "example.com/gpu"]);
  expect(fits({ cpu: "500m" }, one)).toBe(true);
});

test("zeros that are no quantity are refused at once", () => {
  const text = `${"0".repeat(1_023)}!`;
  for (let times = 0; times < 200; times++)
    expect(() => parseQuantity(text)).toThrow("quantities must match");
  expect(() => parseQuantity("0".repeat(1_000_000))).toThrow("quantities must match");
});
