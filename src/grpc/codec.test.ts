import { expect, test } from "vitest";
import { createCodec } from "./codec.ts";

const { encode, decode } = createCodec({
  Scalars: {
    text: [1, "string"],
    number: [2, "int64"],
    unsigned: [3, "uint64"],
    flag: [4, "bool"],
    bytes: [5, "bytes"],
    signedDigits: [6, "int64text"],
    digits: [7, "uint64text"],
    key: [8, "latin1"],
    perhaps: [9, "int64?"],
    perhapsKey: [10, "latin1?"],
  },
  Lists: {
    numbers: [1, "int32[]"],
    texts: [2, "string[]"],
    nested: [3, "Nested[]"],
    digits: [4, "uint64text[]"],
    labels: [5, "map"],
    one: [16, "Nested"],
  },
  Nested: { name: [1, "string"], lists: [2, "Lists"] },
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("bytes are those of protobuf", () => {
  const scalars: readonly [Parameters<typeof encode<"Scalars">>[1], string][] = [
    [{}, ""],
    [{ text: "", number: 0, flag: false, bytes: new Uint8Array(0), digits: "0" }, ""],
    [{ text: "v1", number: 300 }, "0a02763110ac02"],
    [{ text: "0", key: "0", signedDigits: "0" }, "0a0130420130"],
    [{ number: -1 }, "10ffffffffffffffffff01"],
    [{ number: 2 ** 40, flag: true }, "108080808080202001"],
    [{ bytes: Uint8Array.of(0, 255) }, "2a0200ff"],
    [{ signedDigits: "-2", digits: "18446744073709551615" }, "30feffffffffffffffff0138ffffffffffffffffff01"],
    [{ signedDigits: "7587854747396153612" }, "308cc2bcce8cb6dea669"],
    [{ key: "\u0000ÿ", text: "ü" }, "0a02c3bc420200ff"],
    [{ perhaps: 0, perhapsKey: "" }, "48005200"],
  ];
  for (const [message, expected] of scalars) expect(hex(encode("Scalars", message))).toBe(expected);
  const lists: readonly [Parameters<typeof encode<"Lists">>[1], string][] = [
    [{ numbers: [1, 300, -1], texts: ["", "a"] }, "0a0d01ac02ffffffffffffffffff01120012 0161"],
    [{ labels: { a: "b", c: "" } }, "2a060a016112016 22a050a016 31200"],
    [{ nested: [{}, { name: "n" }], one: {} }, "1a001a030a016e820100"],
    [{ digits: [] }, ""],
  ];
  for (const [message, expected] of lists)
    expect(hex(encode("Lists", message))).toBe(expected.replaceAll(" ", ""));
});

test("a message comes back as it went, of whatever size", () => {
  const long = "lang und länger ".repeat(3_000);
  const message = {
    numbers: Array.from({ length: 10_000 }, (_, index) => index - 5_000),
    texts: [long, "", "ü".repeat(40)],
    nested: Array.from({ length: 500 }, (_, index) => ({ name: `n${index}` })),
    digits: ["0", "9007199254740993"],
    labels: { one: "1", empty: "", [long]: long },
    one: { name: "x", lists: { nested: [{ name: "deep" }] } },
  };
  expect(decode("Lists", encode("Lists", message))).toMatchObject(message);
  const scalars = {
    signedDigits: "-9223372036854775808",
    digits: "18446744073709551615",
    key: String.fromCharCode(...Array.from({ length: 256 }, (_, unit) => unit)),
    perhaps: 0,
    number: -(2 ** 40),
  };
  const large = { bytes: new Uint8Array(100_000).fill(7), ...scalars };
  const { bytes, ...rest } = decode("Scalars", encode("Scalars", large));
  expect(rest).toMatchObject(scalars);
  expect(Buffer.compare(bytes, large.bytes)).toBe(0);
});

test("zero values are filled in and absent messages stay absent", () => {
  expect(decode("Scalars", new Uint8Array(0))).toEqual({
    text: "",
    number: 0,
    unsigned: 0,
    flag: false,
    bytes: new Uint8Array(0),
    signedDigits: "0",
    digits: "0",
    key: "",
    perhaps: undefined,
    perhapsKey: undefined,
  });
  expect(decode("Lists", new Uint8Array(0))).toMatchObject({ numbers: [], labels: {}, one: undefined });
});

test("unknown fields are skipped and torn messages refused", () => {
  const unknown = Uint8Array.from([
    0x0a, 1, 0x76, 0xfa, 0x3f, 1, 9, 0xf8, 0x3f, 5, 0xf9, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8,
  ]);
  expect(decode("Nested", unknown)).toMatchObject({ name: "v" });
  const torn = [
    [0x0a, 9, 0x76],
    [0x12, 2, 0x0a, 5],
    [0x12, 1, 0x0a, 0],
    [0x0a],
    [0x80],
    [0xf9, 0x3f, 1],
    Array(12).fill(0x80),
  ];
  for (const bytes of torn)
    expect(() => decode("Nested", Uint8Array.from(bytes))).toThrow(/truncated|too long/);
});

test("what was read does not change with the bytes it came from", () => {
  const bytes = encode("Scalars", { bytes: Uint8Array.of(1, 2, 3), text: "abc" });
  const message = decode("Scalars", bytes);
  bytes.fill(0);
  encode("Scalars", { text: "zzz" });
  expect([[...message.bytes], message.text]).toEqual([[1, 2, 3], "abc"]);
});
