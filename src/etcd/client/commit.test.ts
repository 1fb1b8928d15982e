import { expect, test } from "vitest";
import type { Change, Versioned, Write } from "../../store/index.ts";
import { fateOfChange, fateOfCreate } from "./commit.ts";
import type { Fate } from "./commit.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const state = (value: string, modRevision: number, more: Partial<Versioned> = {}): Versioned => ({
  key: "/a",
  value: bytes(value),
  createRevision: 5,
  modRevision,
  version: 2,
  ...more,
});
const told = (fate: Fate) => (fate.type === "happened" ? `happened at ${fate.revision}` : fate.type);

test("what became of a change shows in the first change after the state it builds on", () => {
  const put = (value: string, more?: Partial<Versioned>): Change => ({
    type: "put",
    current: state(value, 9, more),
    previous: state("old", 5),
  });
  const gone: Change = { type: "delete", key: "/a", revision: 9, previous: state("old", 5) };
  const update: Write = { type: "update", key: "/a", value: bytes("new"), ifModified: 5 };
  const remove: Write = { type: "delete", key: "/a", ifModified: 5 };
  const cases: readonly [typeof update | typeof remove, Change | undefined, string][] = [
    [update, put("new"), "happened at 9"],
    [update, put("other"), "conflict"],
    [update, put("new", { lease: "7" }), "conflict"],
    [{ ...update, lease: "7" }, put("new", { lease: "7" }), "happened at 9"],
    [update, gone, "conflict"],
    [update, undefined, "unknown"],
    [remove, put("new"), "conflict"],
    [remove, gone, "unknown"],
    [remove, undefined, "unknown"],
  ];
  for (const [write, first, expected] of cases) expect(told(fateOfChange(write, first))).toBe(expected);
});

test("what became of a creation shows in how the key was born", () => {
  const create = { type: "create", key: "/a", value: bytes("new") } as const;
  const born = (value: string, createRevision: number) => state(value, createRevision, { createRevision });
  const cases: readonly [Versioned | undefined, string][] = [
    [born("new", 9), "happened at 9"],
    [born("new", 8), "unknown"],
    [born("other", 9), "unknown"],
    [undefined, "unknown"],
  ];
  for (const [state, expected] of cases)
    expect(told(fateOfCreate(create, { born: state, before: 8 }))).toBe(expected);
});
