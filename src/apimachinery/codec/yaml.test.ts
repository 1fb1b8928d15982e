import { expect, test } from "vitest";
import { DecodeError, decodeYaml, decodeYamlDocuments, encodeYaml } from "./index.ts";

test("scalars mean what upstream's loader takes them for", async () => {
  async function check(text: string, value: unknown) {
    expect(await decodeYaml(text), text).toEqual(value);
  }
  await check("a: y\nb: off\nc: No\nd: 'yes'", { a: true, b: false, c: false, d: "yes" });
  await check("y: 1\n2: b\nnull: c", { true: 1, 2: "b", null: "c" });
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
  await check("", null);
  await check('{"a": [1, "yes", null], "b": {"c": "\\u0041"}}\n', { a: [1, "yes", null], b: { c: "A" } });
  await check('{"a": 010, b: yes}', { a: 8, b: true });
});

test("documents of a stream", async () => {
  expect(await decodeYamlDocuments("a: 1\n---\nb: 2\n")).toEqual([{ a: 1 }, { b: 2 }]);
});

test("aliases are capped, errors are worded", async () => {
  const bomb = ["a: &a [x]", `b: [${Array.from({ length: 200 }, () => "*a").join(",")}]`].join("\n");
  await expect(decodeYaml(bomb)).rejects.toThrow(DecodeError);
  await expect(decodeYaml('{"a":'.repeat(200) + "1" + "}".repeat(200))).rejects.toThrow(DecodeError);
  await expect(decodeYaml("a: [")).rejects.toThrow("yaml: line ");
});

test("what is written is read back", async () => {
  const value = {
    b: ["yes", "1", "1e3", "08", "~", "2024-01-02"],
    a: { y: 1, t: true, z: null, s: "a: b\n c" },
  };
  const text = await encodeYaml(value);
  expect(text.startsWith("a:\n")).toBe(true);
  expect(text).toContain("b:\n- ");
  expect(await decodeYaml(text)).toEqual(value);
});
