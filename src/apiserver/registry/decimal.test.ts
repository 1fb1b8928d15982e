import { expect, test } from "vitest";
import { digitsOf, writeNumber } from "./decimal.ts";

test("whole numbers are written as JavaScript writes them", () => {
  const edges = [
    0,
    1,
    9,
    10,
    99,
    100,
    4_294_967_295,
    4_294_967_296,
    999_999_999_999,
    Number.MAX_SAFE_INTEGER,
  ];
  for (const value of edges) {
    const text = String(value);
    expect(digitsOf(value)).toBe(text.length);
    const bytes = new Uint8Array(20);
    expect(writeNumber(bytes, 2, value)).toBe(2 + text.length);
    expect(new TextDecoder().decode(bytes)).toBe(`\0\0${text}`.padEnd(20, "\0"));
  }
});
