import { expect, it } from "vitest";
import { seededRandom } from "../../base/index.ts";
import type { Change } from "../../store/index.ts";
import { ResourceCache } from "./cache.ts";
import { encodeObject } from "./entry.ts";
import type { AnyObject, Entry } from "./entry.ts";
import { smallestIndexed, type Trigger } from "./field-index.ts";

const prefix = "/registry/pods/";
const nodes = 20;

function objectOf(name: string, node: number): AnyObject {
  const metadata = { name } as AnyObject["metadata"];
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { nodeName: `n${node}` } };
}

/** Counts how often a value is read. */
function trigger(field: string, read: (entry: Entry) => string) {
  const counted = { reads: 0 };
  const valueOf = (entry: Entry) => {
    counted.reads++;
    return read(entry);
  };
  return { counted, of: (value: string): Trigger => ({ field, value, valueOf }) };
}

const byNode = () =>
  trigger(
    "f:spec.nodeName",
    ({ object }) => (object as unknown as { spec: { nodeName: string } }).spec.nodeName,
  );

function filled(count: number) {
  const cache = new ResourceCache(prefix);
  cache.load([], 1);
  let revision = 1;
  const put = (name: string, node: number) => {
    revision++;
    const value = encodeObject(objectOf(name, node));
    const current = {
      key: prefix + name,
      value,
      createRevision: revision,
      modRevision: revision,
      version: 1,
    };
    cache.apply({ type: "put", current, previous: undefined });
  };
  const remove = (name: string) => {
    const change = { type: "delete", key: prefix + name, revision: ++revision } as Change;
    cache.apply(change);
  };
  for (let index = 0; index < count; index++) put(`a/${String(index).padStart(5, "0")}`, index % nodes);
  return { cache, put, remove };
}

it("finds what has a value, in order, whatever is put, moved and removed", () => {
  const { cache, put, remove } = filled(smallestIndexed);
  const random = seededRandom(1);
  const { of } = byNode();
  for (let step = 0; step < 2_000; step++) {
    const name = `${random.next() < 0.5 ? "a" : "b"}/${String(Math.floor(random.next() * 800)).padStart(5, "0")}`;
    if (random.next() < 0.4) remove(name);
    else put(name, Math.floor(random.next() * nodes));
    if (step % 50 !== 0) continue;
    const wanted = of(`n${step % nodes}`);
    for (const [within, after] of [[prefix], [`${prefix}b/`], [prefix, `${prefix}a/00300`]] as const) {
      const expected = [...cache.range(within, after)].filter(
        (entry) => wanted.valueOf(entry) === wanted.value,
      );
      expect(cache.having(wanted, { prefix: within, after })).toEqual(expected);
    }
  }
});

it("looks at none of the others once there is an index, and makes none where it is of no use", () => {
  const { cache, put } = filled(smallestIndexed);
  const { counted, of } = byNode();
  expect(cache.having(of("n1"), { prefix })).toHaveLength(smallestIndexed / nodes);
  const { reads } = counted;
  expect(cache.having(of("n2"), { prefix })).toHaveLength(smallestIndexed / nodes);
  expect(cache.having(of("none"), { prefix })).toEqual([]);
  expect(counted.reads).toBe(reads);
  put("a/00000", 5);
  expect(counted.reads).toBe(reads + 2);
  const names = trigger("f:metadata.name", ({ object }) => object.metadata.name);
  expect(cache.having(names.of("a/00001"), { prefix })).toBeUndefined();
  put("a/00000", 6);
  expect(names.counted.reads).toBe(smallestIndexed);
  expect(filled(smallestIndexed - 1).cache.having(of("n1"), { prefix })).toBeUndefined();
});
