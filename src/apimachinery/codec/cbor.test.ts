import { expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { schemas } from "../../api/index.ts";
import { fill } from "./testing/fill.ts";
import {
  DecodeError,
  decodeCbor,
  decodeCborValue,
  decodeJson,
  encodeCbor,
  encodeCborEvent,
} from "./index.ts";

const typeOf = (kind: string) => schemas.typeOf({ group: "", version: "v1", kind })!;
const toHex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
/** A map whose one key is `name`, as the head of longer input. */
const keyed = (name: string, value: string) => `a1${textHex(name)}${value}`;
const textHex = (text: string) => toHex(Uint8Array.of(0x40 + text.length, ...new TextEncoder().encode(text)));

test("values are written as upstream writes them", () => {
  function check(value: unknown, hex: string) {
    expect(toHex(encodeCbor({ a: value })), JSON.stringify(value)).toBe(`d9d9f7a14161${hex}`);
    expect(decodeCborValue(fromHex(`d9d9f7a14161${hex}`))).toEqual({ a: value });
  }
  check(null, "f6");
  check(true, "f5");
  check(false, "f4");
  // Appendix A of RFC 8949, but with byte strings for text.
  check(0, "00");
  check(23, "17");
  check(24, "1818");
  check(1000, "1903e8");
  check(1_000_000, "1a000f4240");
  check(1_000_000_000_000, "1b000000e8d4a51000");
  check(-1, "20");
  check(-1000, "3903e7");
  check(1.5, "f93e00");
  check(65_504.5, "fa477fe080");
  check(5.960464477539063e-8, "f90001");
  check(0.000_061_035_156_25, "f90400");
  check(-4.1, "fbc010666666666666");
  check(1e300, "fb7e37e43c8800759c");
  check("", "40");
  check("a", "4161");
  check("ü", "42c3bc");
  check("x".repeat(300), `59012c${"78".repeat(300)}`);
  check([1, [2]], "82018102");
  check({}, "a0");
});

test("objects are written by their types", () => {
  function check(kind: string, object: object, hex: string) {
    expect(toHex(encodeCbor(object, typeOf(kind)))).toBe(`d9d9f7${hex}`);
    const { object: decoded } = decodeCbor(fromHex(hex), typeOf(kind));
    expect(decoded).toEqual(decodeJson(JSON.stringify(object), typeOf(kind)).object);
  }
  // Bytes are bytes under tag 22; keys of maps are byte strings.
  check("Secret", { data: { a: "AQI=" } }, keyed("data", keyed("a", "d6420102")));
  // Counts are integers, quantities and times text, an IntOrString what it is.
  check(
    "Pod",
    { metadata: { generation: 2, creationTimestamp: "2024-01-02T03:04:05Z" } },
    keyed(
      "metadata",
      `a2${textHex("generation")}02${textHex("creationTimestamp")}${textHex("2024-01-02T03:04:05Z")}`,
    ),
  );
});

test("an event of a watch holds the object as it was encoded", () => {
  const object = encodeCbor({ a: 1 });
  const event = encodeCborEvent("ADDED", object);
  expect(toHex(event)).toBe(
    `d9d9f7a2${textHex("type")}${textHex("ADDED")}${textHex("object")}d9d9f7a1416101`,
  );
  expect(decodeCborValue(event)).toEqual({ type: "ADDED", object: { a: 1 } });
});

test("whatever other encoders write is read, too", () => {
  function check(hex: string, value: unknown) {
    expect(decodeCborValue(fromHex(hex)), hex).toEqual(value);
  }
  check("6161", "a");
  check("5f41614162ff", "ab");
  check("7f61616162ff", "ab");
  check("9f0102ff", [1, 2]);
  check("bf6161016162f6ff", { a: 1, b: null });
  check("d64101", "AQ==");
  check("d541ff", "_w");
  check("d743abcdef", "abcdef");
  check("d9d9f7d9d9f7c66161", "a");
  check("c074323031332d30332d32315432303a30343a30305a", "2013-03-21T20:04:00Z");
  check("c11a514b67b0", "2013-03-21T20:04:00Z");
  check("c1fb41d452d9ec200000", "2013-03-21T20:04:00.5Z");
  check("1b7fffffffffffffff", 2 ** 63);
});

test("what is refused is refused in upstream's words", () => {
  function check(hex: string, message: string) {
    expect(() => decodeCborValue(fromHex(hex)), hex).toThrow(new DecodeError(message));
  }
  const refused = (type: string, message: string) =>
    `cbor: data item of cbor type ${type} is not accepted by protocol: ${message}`;
  check("", "EOF");
  check("81", "unexpected EOF");
  check("4261", "unexpected EOF");
  check("0000", "cbor: 1 bytes of extraneous data starting at index 1");
  check("62c328", "cbor: invalid UTF-8 string");
  check("a2416101416102", 'cbor: found duplicate map key "a" at map element index 1');
  check("f7", refused("primitives", "simple value 23 is not recognized"));
  check("e0", refused("primitives", "simple value 0 is not recognized"));
  check("f820", refused("primitives", "simple value 32 is not recognized"));
  check("f818", "cbor: invalid simple value 24 for type primitives");
  check("f97e00", refused("primitives", "floating-point NaN"));
  check("fa7f800000", refused("primitives", "floating-point infinity"));
  check("c24101", refused("tag", "bignum"));
  check("1c", "cbor: invalid additional information 28 for type positive integer");
  check("ff", 'cbor: unexpected "break" code');
  check("5f6161ff", "cbor: wrong element type UTF-8 text string for indefinite-length byte string");
  check("5f5fffff", "cbor: indefinite-length byte string chunk is not definite-length");
  check(`${"81".repeat(65)}00`, "cbor: exceeded max nested level 64");
  check(`990401${"00".repeat(1025)}`, "cbor: exceeded max number of elements 1024 for CBOR array");
  check("b90401", "cbor: exceeded max number of key-value pairs 1024 for CBOR map");
  check("a10102", "cbor: cannot unmarshal positive integer into Go value of type string");
  check(
    "1bffffffffffffffff",
    "cbor: cannot unmarshal positive integer into Go value of type int64 (18446744073709551615 overflows Go's int64)",
  );
});

test("objects that do not fit their type are refused in upstream's words", () => {
  const unknown = "unable to determine group/version/kind: ";
  function check(hex: string, message: string) {
    const error = new DecodeError(message);
    expect(() => decodeCbor(fromHex(hex), typeOf("Pod")), hex).toThrow(error);
  }
  check("", `${unknown}EOF`);
  check("80", `${unknown}cbor: cannot unmarshal array into Go value of type v1.TypeMeta`);
  check(
    keyed("kind", "01"),
    `${unknown}cbor: cannot unmarshal positive integer into Go struct field v1.TypeMeta.kind of type string`,
  );
  check(
    keyed("spec", keyed("nodeName", "01")),
    "cbor: cannot unmarshal positive integer into Go struct field v1.Pod.spec of type string",
  );
  check(
    keyed("spec", keyed("priority", "1a80000000")),
    "cbor: cannot unmarshal positive integer into Go struct field v1.Pod.spec of type int32 (2147483648 overflows int32)",
  );
  check(
    keyed("spec", "80"),
    "cbor: cannot unmarshal array into Go struct field v1.Pod.spec of type v1.PodSpec",
  );
});

test("the first unknown field is told when asked, by its place in its map", () => {
  const bytes = fromHex(`a2${textHex("spec")}${keyed("foo", "01")}${textHex("bar")}02`);
  expect(decodeCbor(bytes, typeOf("Pod")).problems).toEqual([]);
  expect(decodeCbor(bytes, typeOf("Pod"), { strict: true }).problems).toEqual([
    "cbor: found unknown field at map element index 0",
  ]);
});

test("never does more than fail, whatever is cut or flipped", () => {
  const random = seededRandom(7);
  const type = typeOf("Service");
  const bytes = encodeCbor({ ...fill(type), apiVersion: "v1", kind: "Service" }, type);
  for (let run = 0; run < 300; run++) {
    const damaged = bytes.slice(0, run % 2 === 0 ? bytes.length : Math.floor(random.next() * bytes.length));
    for (let flips = 0; flips < 3; flips++)
      damaged[Math.floor(random.next() * damaged.length)] = Math.floor(random.next() * 256);
    try {
      decodeCbor(damaged, type);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
  }
});
