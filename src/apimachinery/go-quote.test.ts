import { expect, test } from "vitest";
import { goQuote } from "./go-quote.ts";

const cases: readonly (readonly [text: string, quoted: string])[] = [
  ["web-1", '"web-1"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ["a\u0007\b\f\n\r\t\vb", '"a\\a\\b\\f\\n\\r\\t\\vb"'],
  ["\u0000\u007f", '"\\x00\\x7f"'],
  ["\u009e\u200b\ufeff", '"\\u009e\\u200b\\ufeff"'],
  ["Grüße 世界 👋", '"Grüße 世界 👋"'],
  ["\u{e0001}", '"\\U000e0001"'],
];
test.each(cases)("%j is quoted as Go does", (text, quoted) => {
  expect(goQuote(text)).toBe(quoted);
});
