import { describe, expect, test } from "vitest";
import {
  DecodeError,
  decodeYaml,
  decodeYamlDocuments,
  encodeYaml,
  readYaml,
  warningsOf,
  yamlProblem,
} from "./index.ts";

test("scalars mean what upstream's loader takes them for", async () => {
  async function check(text: string, value: unknown) {
    expect(await decodeYaml(text), text).toEqual(value);
  }
  await check("a: y\nb: off\nc: No\nd: 'yes'", { a: true, b: false, c: false, d: "yes" });
  await check("y: 1\n2: b\n3: c", { true: 1, 2: "b", 3: "c" });
  await check("a: 010\nb: 0o10\nc: 0x1F\nd: 1_000\ne: -5\nf: 0", { a: 8, b: 8, c: 31, d: 1000, e: -5, f: 0 });
  await check("a: 1e3\nb: .5\nc: 1.50\nd: 09", { a: 1000, b: 0.5, c: 1.5, d: 9 });
  await check("a: 12:30:45\nb: 2024-01-02\nc: 2024-01-02T03:04:05Z", {
    a: "12:30:45",
    b: "2024-01-02",
    c: "2024-01-02T03:04:05Z",
  });
  await check("a: ~\nb:\nc: Null", { a: null, b: null, c: null });
  await check("base: &b {x: 1}\nd:\n  <<: *b\n  y: 2", { base: { x: 1 }, d: { x: 1, true: 2 } });
  await check("a: 1\na: 2", { a: 2 });
  await check("a: !!binary aMOpCg==\nb: !!str 1", { a: "hé\n", b: "1" });
  await check("a: !custom b\nb: !own 1", { a: "b", b: "1" });
  await check(".inf: 1\n-.inf: 2\n1e3: 3\n0x10: 4\ntrue: 5", {
    ".inf": 1,
    "-.inf": 2,
    "1000": 3,
    "16": 4,
    true: 5,
  });
  await check("", null);
  await check('{"a": [1, "yes", null], "b": {"c": "\\u0041"}}\n', { a: [1, "yes", null], b: { c: "A" } });
  await check('{"a": 010, b: yes}', { a: 8, b: true });
});

test("documents of a stream", async () => {
  expect(await decodeYamlDocuments("a: 1\n---\nb: 2\n")).toEqual([{ a: 1 }, { b: 2 }]);
});

test("keys that a mapping has twice are told with their lines", async () => {
  async function check(text: string, duplicates: readonly string[]) {
    expect((await readYaml(text)).duplicates(), text).toEqual(duplicates);
  }
  await check("a: 1\nb: 2\n", []);
  await check("a: 1\nb: 2\na: 3\na: 4\n", [
    'line 3: key "a" already set in map',
    'line 4: key "a" already set in map',
  ]);
  await check("x:\n- a: 1\n  a:\n    b: 2\n- a: 1\n", ['line 4: key "a" already set in map']);
  await check("b: &x {c: 1, c: 2}\nd: *x\nd: *x\n---\nb: 1\nb: 2\n", [
    'line 1: key "c" already set in map',
    'line 3: key "d" already set in map',
  ]);
  await check('{"a": 1,\n"a": 2}', ['line 2: key "a" already set in map']);
  await check('{"a": 1, "b": 2}', []);
  const problem = yamlProblem(["line 1: a", "line 2: b"]);
  expect(problem).toEqual(["yaml: unmarshal errors:\n  line 1: a\n  line 2: b"]);
  expect(problem.flatMap(warningsOf)).toEqual(["line 1: a", "line 2: b"]);
  expect(warningsOf("unknown field")).toEqual(["unknown field"]);
  expect(yamlProblem([])).toEqual([]);
});

test("aliases are capped, errors are worded", async () => {
  const bomb = ["a: &a [x]", `b: [${Array.from({ length: 200 }, () => "*a").join(",")}]`].join("\n");
  await expect(decodeYaml(bomb)).rejects.toThrow(DecodeError);
  const nested = (levels: number) => decodeYaml('{"a":'.repeat(levels) + "1" + "}".repeat(levels));
  await expect(nested(450)).resolves.toHaveProperty("a");
  await expect(nested(1_000)).rejects.toThrow(new DecodeError("yaml: exceeded max depth of 10000"));
  for (const [text, message] of [
    ["a: [", "yaml: line 1: did not find expected node content"],
    ["a: b: c", "yaml: mapping values are not allowed in this context"],
    ["a: 1\nb: c: d", "yaml: line 2: mapping values are not allowed in this context"],
    ['"', "yaml: found unexpected end of stream"],
    ['a: {~: "b"}', 'Unsupported map key of type: %!s(<nil>), key: <nil>, value: "b"'],
    ["null: 1", "Unsupported map key of type: %!s(<nil>), key: <nil>, value: 1"],
    ['a: "\u0001"', "yaml: control characters are not allowed"],
    ["a: \u0001", "yaml: control characters are not allowed"],
    ['b: 1\na: "\\x"', "yaml: line 2: did not find expected hexdecimal number"],
    ["a: *b", "yaml: unknown anchor 'b' referenced"],
  ] as const)
    await expect(decodeYaml(text), text).rejects.toThrow(new DecodeError(message));
});

test("what is written is read back", async () => {
  const value = {
    b: ["yes", "1", "1e3", "08", "~", "2024-01-02"],
    a: { y: 1, t: true, z: null, s: "a: b\n c" },
  };
  const text = encodeYaml(value);
  expect(text.startsWith("a:\n")).toBe(true);
  expect(text).toContain("b:\n- ");
  expect(await decodeYaml(text)).toEqual(value);
});

const words = "word ".repeat(20).trim();

describe("texts are written as upstream's library does", () => {
  function check(value: string, text: string) {
    expect(encodeYaml({ a: value })).toBe(`a: ${text}\n`);
  }

  test.each(["1", "010", "-1.5", "1e3", "1_000", "0x1F", "+.5", "true", "No", "y", "~", "null", "", "1:30"])(
    "%j would be no text",
    (word) => check(word, `"${word}"`),
  );
  test.each([".inf", "2026-01-02", "2026-01-02T03:04:05Z", "2026-1-2 3:4:5", "09"])(
    "%j would be no text either",
    (word) => check(word, `"${word}"`),
  );
  test.each(["abc", "a b", "1.2.3", "v1", "a:b", "10.0.0.1", "1Gi", "/bin/sh", "-a", "?a", "a#b", "=", "<<"])(
    "%j is plain",
    (plain) => check(plain, plain),
  );
  test.each(["0b2", "1e999", "._5", "2026-02-30", "2026-01-02T03:04:05", "1:99", "_1", "nULL"])(
    "%j only looks like something else",
    (plain) => check(plain, plain),
  );
  test.each(["a: b", "*", "- a", "# a", "@a", "{}", "a #b", "'a'", " a", "a ", "a:", "---"])(
    "%j stands in single quotes",
    (text) => check(text, `'${text.replaceAll("'", "''")}'`),
  );
  test.each([
    ["a\u0007", String.raw`"a\a"`],
    ["a\tb", String.raw`"a\tb"`],
    ["😀", String.raw`"\U0001F600"`],
    ["a \nb", String.raw`"a \nb"`],
    ["a\r\nb", String.raw`"a\r\nb"`],
    ["é", "é"],
  ])("%j is escaped where need be", check);
  test.each([
    ["a\nb\n", "|\n  a\n  b"],
    ["a\nb", "|-\n  a\n  b"],
    ["a\n\n", "|+\n  a\n"],
    [" a\n\n b\n", "|2\n   a\n\n   b"],
    ["\n", "|2+\n"],
    [`${words}\nb`, `|-\n  ${words}\n  b`],
  ])("%j is a block", check);

  const [first, second] = [words.slice(0, 79), words.slice(80)];
  test.each([
    [words, `${first}\n  ${second}`],
    [`${words}: x`, `'${first}\n  ${second}: x'`],
    [`${words}\t`, String.raw`"${first}` + `\n  ${second}` + String.raw`\t"`],
    ["x".repeat(100), "x".repeat(100)],
    ["a  b ".repeat(20).trim(), `${"a  b ".repeat(15)}a  b\n  ${"a  b ".repeat(4).trim()}`],
  ])("%j is folded at 80 columns", check);
});

test("collections are laid out as upstream's library does", () => {
  const long = "k".repeat(129);
  const value = {
    b: [[1, [2]], { y: 0, x: [] }, "t"],
    a: { [long]: ["x"], e: {}, n: null, f: [0.5, 1e21, 1e-7, -0, 2 ** 53, 1234567.5, 0.0001] },
    item10: 1,
    item9: 2,
    Item: undefined,
  };
  expect(encodeYaml(value)).toBe(
    [
      "a:",
      "  e: {}",
      "  f:",
      "  - 0.5",
      "  - 1e+21",
      "  - 1e-07",
      "  - 0",
      "  - 9007199254740992",
      "  - 1.2345675e+06",
      "  - 0.0001",
      `  ? ${long}`,
      "  : - x",
      '  "n": null',
      "b:",
      "- - 1",
      "  - - 2",
      "- x: []",
      '  "y": 0',
      "- t",
      "item9: 2",
      "item10: 1",
      "",
    ].join("\n"),
  );
  expect(encodeYaml(["a"])).toBe("- a\n");
  expect(encodeYaml({})).toBe("{}\n");
});
