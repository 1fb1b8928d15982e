import { expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { OrderedMap } from "./ordered-map.ts";

test("agrees with a sorted list over random changes", () => {
  const random = seededRandom(7);
  const map = new OrderedMap<number>();
  const model = new Map<string, number>();
  for (let step = 0; step < 6_000; step++) {
    const key = `/${Math.floor(random.next() * 5)}/${Math.floor(random.next() * 900)}`;
    if (random.next() < 0.3) expect(map.delete(key)).toBe(model.delete(key));
    else {
      map.set(key, step);
      model.set(key, step);
    }
  }
  const sorted = [...model].sort(([left], [right]) => (left < right ? -1 : 1));
  expect(map.size).toBe(model.size);
  expect([...map.range("")]).toEqual(sorted.map(([, value]) => value));
  for (const prefix of ["", "/", "/0/", "/1", "/3/", "/4/8", "/9/"]) {
    const below = sorted.filter(([key]) => key.startsWith(prefix));
    expect([...map.range(prefix)]).toEqual(below.map(([, value]) => value));
    expect(map.count(prefix)).toBe(below.length);
    expect(map.first(Infinity, prefix)).toEqual(below.map(([, value]) => value));
    const middle = below[below.length >> 1]?.[0];
    const rest = below.filter(([key]) => middle !== undefined && key > middle);
    if (!middle) continue;
    expect([...map.range(prefix, middle)]).toEqual(rest.map(([, value]) => value));
    expect(map.count(prefix, middle)).toBe(rest.length);
    expect(map.first(7, prefix, middle)).toEqual(rest.slice(0, 7).map(([, value]) => value));
    expect(map.count(prefix, below.at(-1)?.[0])).toBe(0);
  }
});
