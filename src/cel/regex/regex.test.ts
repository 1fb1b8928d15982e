import { expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { Regex, patternProblem } from "../index.ts";

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
    expect(new Regex(pattern).test(long(text))).toBe(true);
  }
});

test.each([
  ["^(a|b)*abb$", "ab".repeat(600_000), false],
  ["^(a|b)*abb$", `${"ab".repeat(600_000)}abb`, true],
  ["(x+x+)+y", "x".repeat(1_000_000), false],
  ["(x+x+)+y$", `${"x".repeat(1_000_000)}y`, true],
  ["^(x*)*$", "x".repeat(1_000_000), true],
  ["([a-z]{1,9}😁)+!$", `${"abc😁".repeat(300_000)}!`, true],
  ["([a-z]{1,9}😁)+!$", `${"abc😁".repeat(300_000)}?`, false],
])("%s tells whether it is anywhere in a long text", (pattern, text, found) => {
  expect(new Regex(pattern).test(text)).toBe(found);
});

test("the work that a pattern makes is noted: little where its threads are few, much where they differ everywhere", () => {
  const steps = (pattern: string, text: string) => {
    let total = 0;
    new Regex(pattern).test(text, (more) => (total += more));
    return total;
  };
  expect(steps("(x+x+)+y", "x".repeat(1_000_000))).toBeLessThan(1_000);
  const random = seededRandom(1);
  const text = Array.from({ length: 20_000 }, () => (random.next() < 0.5 ? "a" : "b")).join("");
  expect(steps("(a*)*b.{300}!", text)).toBeGreaterThan(1_000_000);
});

test.each([
  "^[a-z]([-a-z0-9]*[a-z0-9])?$",
  "(?P<1a>x)(?<n>y)(?P<n>z)",
  "^*$+\\b+",
  "(?i)a(?s-i:b)|()*",
  "[]a][^]a][a-b-c][--a][a\\-z][]-a]",
  "[[:alpha:][:^digit:]\\d\\pL]\\p{Greek}\\P{^Lu}",
  "a{2}b{2,}c{0,1000}{,2}d{x}e??",
  "\\x41\\x{10FFFF}\\07\\101\\Q(\\E\\.\\_",
  "(a{10}){100}",
  "\\Q[",
])("%s is a pattern", (pattern) => {
  expect(() => new Regex(pattern)).not.toThrow();
});

test.each([
  ["(?=x)", "invalid or unsupported Perl syntax: `(?=`"],
  ["(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"],
  ["(?i", "invalid or unsupported Perl syntax: `(?i`"],
  ["(?P=n)", "invalid or unsupported Perl syntax: `(?P`"],
  ["(?P<n", "invalid named capture: `(?P<n`"],
  ["(?P<n->x)", "invalid named capture: `(?P<n->`"],
  ["(?<=a)", "invalid named capture: `(?<=a)`"],
  ["(a", "missing closing ): `(a`"],
  ["a)b", "unexpected ): `a)b`"],
  ["*", "missing argument to repetition operator: `*`"],
  ["a|+?", "missing argument to repetition operator: `+?`"],
  ["(?i){1}", "missing argument to repetition operator: `{1}`"],
  ["x**", "invalid nested repetition operator: `**`"],
  ["x{2}{3}?", "invalid nested repetition operator: `{2}{3}?`"],
  ["a{2,1}", "invalid repeat count: `{2,1}`"],
  ["a{0,1001}", "invalid repeat count: `{0,1001}`"],
  ["a{123456789012}", "invalid repeat count: `{123456789012}`"],
  ["(a{1000}){1000}", "invalid repeat count: `{1000}`"],
  ["x[a", "missing closing ]: `[a`"],
  ["[]", "missing closing ]: `[]`"],
  ["[z-a]", "invalid character class range: `z-a`"],
  ["[[:foo:]]", "invalid character class range: `[:foo:]`"],
  ["[a-\\d]", "invalid escape sequence: `\\d`"],
  ["[\\8]", "invalid escape sequence: `\\8`"],
  ["\\pX", "invalid character class range: `\\pX`"],
  ["\\p{Foo}", "invalid character class range: `\\p{Foo}`"],
  ["\\p{Foo", "invalid character class range: `\\p{Foo`"],
  ["\\x4", "invalid escape sequence: `\\x4`"],
  ["\\xgz", "invalid escape sequence: `\\xgz`"],
  ["\\x{}", "invalid escape sequence: `\\x{}`"],
  ["\\x{110000}", "invalid escape sequence: `\\x{110000`"],
  ["\\1", "invalid escape sequence: `\\1`"],
  ["\\C", "invalid escape sequence: `\\C`"],
  ["\\E", "invalid escape sequence: `\\E`"],
  ["a\\", "trailing backslash at end of expression: ``"],
])("%s is refused", (pattern, message) => {
  expect(patternProblem(pattern)).toBe(`error parsing regexp: ${message}`);
});
