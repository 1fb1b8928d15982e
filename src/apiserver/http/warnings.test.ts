import { expect, test } from "vitest";
import { Warnings } from "./warnings.ts";

function told(...messages: readonly string[]): readonly string[] {
  const headers: Record<string, string | readonly string[]> = {};
  const warnings = new Warnings(headers);
  for (const message of messages) warnings.add(message);
  return (headers["warning"] ?? []) as readonly string[];
}

test("each is told once, quoted", () => {
  expect(told("a", 'b "c" \\ d\n', "a", "")).toEqual(['299 - "a"', '299 - "b \\"c\\" \\\\ d "']);
});

test("long ones are cut when there is too much of them", () => {
  const long = (letter: string) => letter.repeat(3_000);
  expect(told(long("a"))).toEqual([`299 - "${long("a")}"`]);
  const cut = (letter: string) => `299 - "${letter.repeat(256)}"`;
  expect(told(long("a"), long("b"), "c")).toEqual([cut("a"), cut("b"), '299 - "c"']);
});

test("beyond the bound nothing is told", () => {
  const many = Array.from({ length: 40 }, (_, index) => `${index} ${"x".repeat(500)}`);
  expect(told(...many)).toHaveLength(16);
});
