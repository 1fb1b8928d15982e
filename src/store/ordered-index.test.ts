import { expect, it } from "vitest";
import { seededRandom } from "../base/index.ts";
import { endOfPrefix } from "./key-range.ts";
import { OrderedIndex } from "./ordered-index.ts";

interface Entry {
  readonly key: string;
  alive: boolean;
}

it("agrees with a sorted array under random insertions, removals, scans and counts", () => {
  const random = seededRandom(7);
  const index = new OrderedIndex<Entry>((entry) => entry.alive);
  const model = new Map<string, Entry>();
  const anyKey = () => String(Math.floor(random.next() * 20_000)).padStart(5, "0");
  const setAlive = (entry: Entry, alive: boolean) => {
    if (entry.alive === alive) return;
    entry.alive = alive;
    index.adjustAlive(entry.key, alive ? 1 : -1);
  };
  const check = () => {
    const [low, high] = [anyKey(), anyKey()].toSorted() as [string, string];
    const range = { from: index.after(low), to: index.atOrAfter(high) };
    const expected = [...model.values()]
      .filter(({ key }) => low < key && key < high)
      .toSorted((left, right) => (left.key < right.key ? -1 : 1));
    const found: Entry[] = [];
    index.scan(range, (entry) => found.push(entry) > 0);
    expect(found.map(({ key }) => key)).toEqual(expected.map(({ key }) => key));
    expect(index.countAlive(range)).toBe(expected.filter(({ alive }) => alive).length);
    expect(index.countEntries(range)).toBe(expected.length);
  };
  for (let round = 0; round < 24_000; round++) {
    const key = anyKey();
    const entry = model.get(key);
    // First it grows, then it shrinks: chunks are split and joined.
    const grows = random.next() < (round < 12_000 ? 0.9 : 0.1);
    if (!entry && grows) {
      const made = { key, alive: false };
      model.set(key, made);
      index.insert(made);
      setAlive(made, random.next() < 0.7);
    } else if (entry && !grows) {
      setAlive(entry, false);
      index.remove(key);
      model.delete(key);
    } else if (entry) setAlive(entry, !entry.alive);
    if (round % 400 === 0) check();
  }
  expect(() => index.insert({ key: [...model.keys()][0]!, alive: false })).toThrow("already indexed");
});

it("stops a scan where the visitor says and goes on from there", () => {
  const index = new OrderedIndex<Entry>((entry) => entry.alive);
  for (const key of ["c", "a", "b"]) index.insert({ key, alive: false });
  const seen: string[] = [];
  const to = index.end;
  const stopped = index.scan(
    { from: index.atOrAfter(""), to },
    ({ key }) => key !== "b" && seen.push(key) > 0,
  );
  expect([seen, index.at(stopped)?.key]).toEqual([["a"], "b"]);
});

it("takes 150,000 keys in flat time", () => {
  const timeOf = (from: number, to: number) => {
    const start = performance.now();
    for (let at = from; at < to; at++) index.insert({ key: keys[at]!, alive: false });
    return performance.now() - start;
  };
  const keys = Array.from({ length: 150_000 }, (_, at) => `/registry/pods/${(at * 70_001) % 150_000}`);
  const index = new OrderedIndex<Entry>((entry) => entry.alive);
  const first = timeOf(0, 50_000);
  timeOf(50_000, 100_000);
  // Quadratic growth would make the last third take five times as long.
  expect(timeOf(100_000, 150_000)).toBeLessThan(first * 4 + 50);
});

it.each([
  ["/a/", "/a0"],
  ["/a\uffff", "/b"],
  ["", undefined],
  ["\uffff", undefined],
])("ends the prefix %j before %j", (prefix, end) => {
  expect(endOfPrefix(prefix)).toBe(end);
});
