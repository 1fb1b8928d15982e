import { describe, expect, test } from "vitest";
import { fnv64a, metaChecksumOffset, pageHeaderSize, pageSize } from "./format.ts";
import { type BoltEntry, BoltError, type BucketSource, openBolt, planBolt } from "./index.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const entry = (key: string, value: string | Uint8Array): BoltEntry => ({
  key: Buffer.from(key),
  value: typeof value === "string" ? Buffer.from(value) : value,
});
const bucket = (name: string, entries: readonly BoltEntry[]): BucketSource => ({
  name,
  entries: () => entries,
});
const number = (index: number) => String(index).padStart(6, "0");

async function written(buckets: readonly BucketSource[]): Promise<Uint8Array> {
  const plan = await planBolt(buckets);
  const blocks: Uint8Array[] = [];
  for await (const block of plan.blocks()) blocks.push(block);
  const file = Buffer.concat(blocks);
  expect(file.length).toBe(plan.size);
  return file;
}

const accessTo = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: (offset: number, length: number) => Uint8Array.from(bytes.subarray(offset, offset + length)),
});

function contents(bytes: Uint8Array): Record<string, string[]> {
  const file = openBolt(accessTo(bytes));
  return Object.fromEntries(
    file.bucketNames.map((name) => [
      name,
      [...file.entries(name)].map(
        ({ key, value }) => `${text(key)}=${value.length < 20 ? text(value) : value.length}`,
      ),
    ]),
  );
}

describe("what is written is read", () => {
  const cases: [string, BucketSource[]][] = [
    ["no bucket", []],
    ["empty buckets", [bucket("a", []), bucket("b", [])]],
    [
      "an empty value and an empty bucket between",
      [bucket("a", [entry("k", "")]), bucket("b", []), bucket("c", [entry("x", "y")])],
    ],
    [
      "a value of many pages",
      [bucket("a", [entry("a", "1"), entry("b", new Uint8Array(1_500_000)), entry("c", "2")])],
    ],
    [
      "entries of just a page",
      [bucket("a", [entry("a", new Uint8Array(4096 - 33)), entry("b", new Uint8Array(4096 - 32))])],
    ],
    ...[2, 122, 123, 124, 125, 247, 15_130].map((pages): [string, BucketSource[]] => [
      `${pages} leaves`,
      [
        bucket(
          "key",
          Array.from({ length: pages }, (_, index) =>
            entry(`${number(index)}.........._`, new Uint8Array(3000)),
          ),
        ),
        bucket("meta", [entry("k", "v")]),
      ],
    ]),
    [
      "long keys",
      [
        bucket(
          "a",
          Array.from({ length: 9 }, (_, index) => entry(`${number(index)}${"k".repeat(3000)}`, "v")),
        ),
      ],
    ],
  ];
  test.each(cases)("%s", async (_name, buckets) => {
    const expected = Object.fromEntries(
      buckets.map(({ name, entries }) => [
        name,
        [...entries()].map(
          ({ key, value }) => `${text(key)}=${value.length < 20 ? text(value) : value.length}`,
        ),
      ]),
    );
    expect(contents(await written(buckets))).toEqual(expected);
  });
});

test("keys out of order are a bug", async () => {
  await expect(written([bucket("a", [entry("b", ""), entry("a", "")])])).rejects.toThrow("not in order");
});

describe("damage is refused with its reason", () => {
  /** Pages: 0, 1 metadata; 2 free list; 3 to 6 leaves of `a`; 7 their branch; 8 the root. */
  const sound = () =>
    written([
      bucket(
        "a",
        Array.from({ length: 4 }, (_, index) => entry(number(index), new Uint8Array(3000))),
      ),
    ]);
  const at = (page: number, offset: number) => page * pageSize + offset;
  const damages: [string, (file: Buffer) => Uint8Array, string][] = [
    ["another file", (file) => file.fill(7), "no valid meta page: this is no bbolt file"],
    ["nothing", () => new Uint8Array(0), "no valid meta page: the file is too short"],
    [
      "both checksums",
      (file) => (file.fill(1, 40, 41), file.fill(1, at(1, 40), at(1, 41)), file),
      "its checksum is wrong",
    ],
    ["cut short", (file) => file.subarray(0, at(8, 0)), "the file is cut short: it has 32768 bytes of 36864"],
    ["page number", (file) => (file.writeUInt8(9, at(4, 0)), file), "page 4 says that it is page 9"],
    [
      "page type",
      (file) => (file.writeUInt8(4, at(5, 8)), file),
      "page 5 has flags 0x4 where a branch or a leaf was expected",
    ],
    [
      "root's type",
      (file) => (file.writeUInt8(0x10, at(8, 8)), file),
      "page 8 has flags 0x10 where a branch or a leaf was expected",
    ],
    [
      "count",
      (file) => (file.writeUInt16LE(0xffff, at(3, 10)), file),
      "page 3: element 1 reaches beyond the page",
    ],
    [
      "size of a key",
      (file) => (file.writeUInt32LE(0xfffffff, at(6, pageHeaderSize + 8)), file),
      "page 6: element 0 reaches beyond the page",
    ],
    [
      "overflow",
      (file) => (file.writeUInt32LE(0xffffffff, at(6, 12)), file),
      "page 6 reaches behind the last of 9 pages",
    ],
    [
      "child",
      (file) => (file.writeUInt8(99, at(7, pageHeaderSize + 8)), file),
      "page 99 lies behind the last of 9 pages",
    ],
    [
      "a child twice",
      (file) => (file.writeUInt8(3, at(7, pageHeaderSize + 24)), file),
      "page 3: key 0 is not after the one before it",
    ],
    [
      "a loop",
      (file) => (file.writeUInt8(7, at(7, pageHeaderSize + 8)), file),
      "pages are nested more than 64 deep",
    ],
    ["an empty leaf", (file) => (file.writeUInt16LE(0, at(4, 10)), file), "page 4 is an empty leaf"],
    [
      "a bucket's flag",
      (file) => (file.writeUInt8(1, at(4, pageHeaderSize)), file),
      "bucket a holds a bucket",
    ],
    [
      "no bucket at the root",
      (file) => (file.writeUInt8(0, at(8, pageHeaderSize)), file),
      '"a" at the root is no bucket',
    ],
  ];
  test.each(damages)("%s", async (_name, damage, reason) => {
    const damaged = damage(Buffer.from(await sound()));
    expect(() => contents(damaged)).toThrow(new RegExp(reason.replaceAll(/[.*()]/g, "\\$&")));
    expect(() => contents(damaged)).toThrow(BoltError);
  });

  test("no flipped bit in a page that is read does worse than an error", async () => {
    const file = Buffer.from(await sound());
    for (let bit = at(3, 0) * 8; bit < at(3, 48) * 8; bit++) {
      const flipped = Buffer.from(file);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      try {
        contents(flipped);
      } catch (error) {
        expect(error).toBeInstanceOf(BoltError);
      }
    }
  });

  test("one damaged meta page is made up for by the other", async () => {
    for (const page of [0, 1]) {
      const file = Buffer.from(await sound());
      file.writeUInt8(1, at(page, pageHeaderSize + metaChecksumOffset - 1));
      expect(Object.keys(contents(file))).toEqual(["a"]);
    }
  });
});

test("the checksum is FNV-1a of 64 bits", () => {
  expect(fnv64a(Buffer.from("foobar")).toString(16)).toBe("85944171f73967e8");
});
