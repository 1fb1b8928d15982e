import { expect, test } from "vitest";
import { hold, rememberShared, share, sharedText } from "./index.ts";

const valueOf = (name: string) => ({ containers: [{ name }] });

test("a value that is met again is the one that was met first", () => {
  const first = share(valueOf("met"));
  expect(sharedText(first)).toBeUndefined();
  expect(share(valueOf("met"))).toBe(first);
  expect(sharedText(first)).toBe('{"containers":[{"name":"met"}]}');
  expect(share(valueOf("other"))).not.toBe(first);
});

test("what is found out of a shared value is found out once, of others each time", () => {
  const seen: string[] = [];
  const nameOf = rememberShared(({ containers }: ReturnType<typeof valueOf>) => {
    seen.push(containers[0]?.name ?? "");
    return seen.length;
  });
  const own = valueOf("own");
  expect([nameOf(own), nameOf(own)]).toEqual([1, 2]);
  const held = hold(valueOf("held"));
  expect(share(valueOf("held"))).toBe(held);
  expect([nameOf(held), nameOf(held)]).toEqual([3, 3]);
  expect(seen).toEqual(["own", "own", "held"]);
});

test("values that nobody asks for are forgotten", () => {
  const first = share(valueOf("old"));
  const filler = "x".repeat(100_000);
  for (let index = 0; index < 25; index++) share({ filler, index });
  expect(share(valueOf("old"))).not.toBe(first);
});
