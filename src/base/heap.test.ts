import { expect, test } from "vitest";
import { KeyedHeap } from "./heap.ts";
import { seededRandom } from "./random.ts";

const heapOf = () =>
  new KeyedHeap<{ key: string; rank: number }>({
    keyOf: ({ key }) => key,
    before: (one, other) => one.rank < other.rank,
  });

test("hands out items by rank, whatever the order of additions, replacements and removals", () => {
  const random = seededRandom(7);
  const heap = heapOf();
  const model = new Map<string, number>();
  for (let step = 0; step < 5000; step++) {
    const key = `k${Math.floor(random.next() * 300)}`;
    if (random.next() < 0.7) {
      const rank = Math.floor(random.next() * 1_000_000);
      heap.set({ key, rank });
      model.set(key, rank);
    } else {
      expect(heap.delete(key)?.rank).toBe(model.get(key));
      model.delete(key);
    }
    expect(heap.size).toBe(model.size);
    expect(heap.peek()?.rank).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
  }
  const drained: number[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) drained.push(item.rank);
  expect(drained).toEqual([...model.values()].sort((one, other) => one - other));
});

test("finds an item by its key", () => {
  const heap = heapOf();
  heap.set({ key: "a", rank: 1 });
  expect(heap.get("a")).toEqual({ key: "a", rank: 1 });
  expect(heap.get("b")).toBeUndefined();
});
