import { describe, expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { HeaderDecoder } from "./decoder.ts";
import { encodedBound, HeaderEncoder } from "./encoder.ts";
import type { HeaderList } from "./encoder.ts";
import { huffmanDecode } from "./huffman.ts";

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const decoder = () => new HeaderDecoder({ listBytes: 65_536 });

const first = { ":method": "GET", ":scheme": "http", ":path": "/", ":authority": "www.example.com" };
const second = { ...first, "cache-control": "no-cache" };
const third = {
  ":method": "GET",
  ":scheme": "https",
  ":path": "/index.html",
  ":authority": "www.example.com",
  "custom-key": "custom-value",
};

/** Blocks of one connection, one after the other, and the headers that they are (RFC 7541, appendix C). */
const conversations = {
  "a literal that is added": [
    ["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", { "custom-key": "custom-header" }],
  ],
  "a literal that is not added": [["040c 2f73 616d 706c 652f 7061 7468", { ":path": "/sample/path" }]],
  "a literal that is never added": [["1008 7061 7373 776f 7264 0673 6563 7265 74", { password: "secret" }]],
  "an index": [["82", { ":method": "GET" }]],
  "requests in plain": [
    ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", first],
    ["8286 84be 5808 6e6f 2d63 6163 6865", second],
    ["8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", third],
  ],
  "requests in Huffman's code": [
    ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", first],
    ["8286 84be 5886 a8eb 1064 9cbf", second],
    ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", third],
  ],
} as const satisfies Record<string, readonly (readonly [string, HeaderList])[]>;

test.each(Object.entries(conversations))("reads %s", (_, blocks) => {
  const reader = decoder();
  for (const [hex, headers] of blocks)
    expect(reader.decode(bytes(hex))).toEqual(Object.entries(headers).flat());
});

test.each([
  ["an index of nothing", "80"],
  ["an index behind the table", "be"],
  ["an integer without end", "ffffffffffffffffff"],
  ["a text that is cut off", "4003 6162"],
  ["a text that is missing", "40"],
  ["a table that is too large", "3fe2 1f"],
  ["a change of the table after headers", "82 20"],
  ["the end of the string within it", "4084 ffff ffff 00"],
  ["padding that is no padding", "4081 0000"],
])("refuses %s", (_, hex) => {
  expect(() => decoder().decode(bytes(hex))).toThrow(expect.objectContaining({ code: 0x9 }));
});

test("keeps nothing of a list that is too large, but its table", () => {
  const reader = new HeaderDecoder({ listBytes: 100 });
  expect(
    reader.decode(bytes("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572 bebebe")),
  ).toBeUndefined();
  expect(reader.decode(bytes("be"))).toEqual(["custom-key", "custom-header"]);
});

test("a value that comes again is read anew when only its form differs", () => {
  const reader = decoder();
  const plain = (text: string) => Buffer.concat([Buffer.from([0x0f, 0x08, text.length]), Buffer.from(text)]);
  const token = "a-token-that-is-long-enough";
  for (const text of [token, token, token.replace("long", "Long"), token])
    expect(reader.decode(plain(text))).toEqual(["authorization", text]);
});

test("Huffman's code has one meaning for each string of bits", () => {
  const out = new Uint8Array(8);
  const codeOf = new Map<string, number>();
  // All strings of two bytes: what they stand for differs, or they are none.
  for (let value = 0; value < 0x10000; value += 1) {
    const size = huffmanDecode(Uint8Array.of(value >> 8, value & 0xff), { start: 0, end: 2 }, out);
    if (size === undefined) continue;
    const text = Buffer.from(out.subarray(0, size)).toString("hex");
    expect(codeOf.get(text)).toBeUndefined();
    codeOf.set(text, value);
  }
  expect(codeOf.size).toBeGreaterThan(500);
});

describe("what is written can be read", () => {
  const names = ["content-type", "content-length", "x-one", "x-two", "audit-id", "warning", "date", "vary"];
  const alphabet = ["application/json", "no-cache", "a", "", "é", "…", "x".repeat(200), "line\nbreak"];

  test("through tables that fill and change their sizes", () => {
    const random = seededRandom(7);
    const pick = <T>(list: readonly T[]) => list[Math.floor(random.next() * list.length)]!;
    const writer = new HeaderEncoder();
    const reader = decoder();
    for (let round = 0; round < 2_000; round += 1) {
      if (random.next() < 0.02) writer.resize(Math.floor(random.next() * 8_192));
      const headers: Record<string, string> = {};
      const count = Math.floor(random.next() * names.length);
      for (let index = 0; index < count; index += 1)
        headers[pick(names)] = pick(alphabet) + (random.next() < 0.3 ? round : "");
      const target = Buffer.alloc(encodedBound(200, headers) + 16);
      const end = writer.encode(target, 0, { status: 200, headers });
      const expected = Object.entries(headers).flatMap(([name, value]) => [
        name,
        Buffer.from(value.replaceAll("\n", " ")).toString("latin1"),
      ]);
      expect(reader.decode(target.subarray(0, end))).toEqual([":status", "200", ...expected]);
    }
  });

  test("in few bytes once it was there", () => {
    const writer = new HeaderEncoder();
    const block = {
      status: 200,
      headers: { "content-type": "application/json", vary: ["a", "b"], "x-n": 12 },
    };
    const target = Buffer.alloc(256);
    expect(writer.encode(target, 0, block)).toBeGreaterThan(20);
    expect(writer.encode(target, 0, block)).toBe(5);
  });
});
