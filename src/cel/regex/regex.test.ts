import { expect, test } from "vitest";
import { PatternError, Regex } from "../index.ts";

/** Long enough that JavaScript's matcher is not trusted with it. */
const long = (text: string) => text + "\u0000".repeat(2_000_000);

test.each<readonly [string, string, readonly string[]]>([
  ["[0-9]*", "a12b", ["", "12", ""]],
  ["a+?", "aaa", ["a", "a", "a"]],
  ["(a|ab)(c|bcd)", "abcd", ["abcd"]],
  ["(?i)straße|k", "STRAßE \u212a", ["STRAßE", "\u212a"]],
  ["(?m)^x$", "x\ny\nx", ["x", "x"]],
  ["^x$", "x\ny", []],
  [".", "a\n\u2028😁", ["a", "\u2028", "😁"]],
  ["(?s).", "a\n", ["a", "\n"]],
  ["\\bfoo\\b", "foo food", ["foo"]],
  ["\\p{Greek}+|\\pN", "αβγ x7", ["αβγ", "7"]],
  ["[[:alpha:]_]+", "ab_c-d", ["ab_c", "d"]],
  ["[^\\d\\s]+", "a1 b", ["a", "b"]],
  ["\\Qa.b\\E", "axb a.b", ["a.b"]],
  ["(?P<year>\\d{4})-(?<month>\\d\\d)", "2024-05", ["2024-05"]],
  ["x{2,3}", "xxxxx", ["xxx", "xx"]],
  ["\\x41\\x{1F601}\\101", "A😁A", ["A😁A"]],
])("%s finds in %j", (pattern, text, found) => {
  const regex = new Regex(pattern);
  expect(regex.findAll(text)).toEqual(found);
  // The machine finds the same, where the text is too long for the other matcher.
  const [first] = found;
  const isEverywhere =
    pattern === "." || pattern === "(?s)." || pattern === "[^\\d\\s]+" || pattern === "^x$";
  if (first !== undefined && !isEverywhere) {
    const match = new Regex(pattern).find(long(text));
    expect(match && long(text).slice(match.start, match.end)).toBe(first);
  }
});

test.each([
  ["[a", "missing closing ]: `[a`"],
  ["(a", "missing closing ): `(a`"],
  ["a)", "unexpected ): `a)`"],
  ["*", "missing argument to repetition operator: `*`"],
  ["a**", "invalid nested repetition operator: `**`"],
  ["a{1001}", "invalid repeat count: `{1001}`"],
  ["(?:a{100}){100}", "invalid repeat count: `{100}`"],
  ["\\8", "invalid escape sequence: `\\8`"],
  ["[z-a]", "invalid character class range: `z-a`"],
  ["a\\", "trailing backslash at end of expression: ``"],
  ["(?=a)", "invalid or unsupported Perl syntax: `(?=`"],
  ["\\p{Nope}", "invalid character class range: `\\p{Nope}`"],
])("%s is refused", (pattern, message) => {
  expect(() => new Regex(pattern)).toThrow(PatternError);
  expect(() => new Regex(pattern)).toThrow(`error parsing regexp: ${message}`);
});
