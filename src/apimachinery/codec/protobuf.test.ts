import { describe, expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { schemas } from "../../api/index.ts";
import { allKinds, fill } from "./testing/fill.ts";
import {
  decodeJson,
  DecodeError,
  decodeProtobuf,
  decodeWatchEvent,
  encodeProtobuf,
  encodeWatchFrame,
  hasProtobuf,
  readEnvelope,
  wireType,
} from "./index.ts";

test("objects of which nothing is set come back, too", () => {
  for (const { apiVersion, kind, type } of allKinds(schemas)) {
    if (!hasProtobuf(type)) continue;
    const { object } = decodeJson("{}", type);
    const bytes = encodeProtobuf({ ...object, kind, apiVersion }, type);
    expect(decodeProtobuf(bytes, schemas), kind).toEqual({ ...object, kind, apiVersion });
  }
});

test("bytes are those that upstream writes", () => {
  function check(kind: string, object: object, hex: string) {
    const type = schemas.typeOf({ group: "", version: "v1", kind })!;
    const bytes = encodeProtobuf(
      { apiVersion: "v1", kind, ...decodeJson(JSON.stringify(object), type).object },
      type,
    );
    expect([...readEnvelope(bytes).raw].map((byte) => byte.toString(16).padStart(2, "0")).join("")).toBe(hex);
  }
  // name, generateName, namespace, selfLink, uid, resourceVersion, generation, creationTimestamp.
  const metadata = ["0a110a0161", "1200", "1a00", "2200", "2a00", "3200", "3800", "4200"].join("");
  check("ConfigMap", { metadata: { name: "a" } }, metadata);
  check(
    "ConfigMap",
    { metadata: { name: "a" }, data: { b: "2", a: "1" }, immutable: true },
    `${metadata}12060a016112013112060a01621201322001`,
  );
});

test("fields that are not known are passed over, at any depth and of any form", () => {
  const type = schemas.typeOf({ group: "", version: "v1", kind: "ConfigMap" })!;
  const object = { kind: "ConfigMap", apiVersion: "v1", ...decodeJson('{"data":{"a":"1"}}', type).object };
  const { raw } = readEnvelope(encodeProtobuf(object, type));
  // Field 1000: a varint, eight bytes, a text, four bytes.
  const strangers = [0xc0, 0x3e, 0x96, 1, 0xc1, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8, 0xc2, 0x3e, 2, 0x68, 0x69];
  const stranger = Uint8Array.from([...strangers, 0xc5, 0x3e, 9, 9, 9, 9]);
  function delimited(field: number, bytes: readonly number[]): number[] {
    return [
      (field << 3) | wireType.bytes,
      ...(bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]),
      ...bytes,
    ];
  }
  const names = [
    ...delimited(1, [0x76, 0x31]),
    ...delimited(2, [...new TextEncoder().encode("ConfigMap")]),
    ...stranger,
  ];
  const metadata = delimited(1, [...stranger]);
  const bytes = [
    0x6b,
    0x38,
    0x73,
    0,
    ...stranger,
    ...delimited(1, names),
    ...delimited(2, [...stranger, ...raw, ...metadata]),
  ];
  expect(decodeProtobuf(Uint8Array.from(bytes), schemas)).toEqual(object);
});

test("frames of a watch hold the length and the bare event", () => {
  const object = Uint8Array.of(1, 2, 3);
  const frame = encodeWatchFrame("ADDED", object);
  expect([...frame.subarray(0, 4)]).toEqual([0, 0, 0, frame.length - 4]);
  expect(decodeWatchEvent(frame.subarray(4))).toEqual({ type: "ADDED", object });
});

describe("malformed input", () => {
  const type = schemas.typeOf({ group: "", version: "v1", kind: "Pod" })!;
  const bytes = encodeProtobuf({ ...fill(type), apiVersion: "v1", kind: "Pod" }, type);

  test("is told in words", () => {
    function check(input: Uint8Array, message: string) {
      expect(() => decodeProtobuf(input, schemas)).toThrow(new DecodeError(message));
    }
    check(
      new TextEncoder().encode("{}"),
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    );
    check(bytes.subarray(0, 200), "unexpected EOF");
    check(Uint8Array.of(0x6b, 0x38, 0x73, 0), "empty body");
    check(new Uint8Array(), "empty data");
  });

  test("never does more than fail, whatever is cut or flipped", () => {
    const random = seededRandom(7);
    for (let run = 0; run < 300; run++) {
      const damaged = bytes.slice(0, run % 2 === 0 ? bytes.length : Math.floor(random.next() * bytes.length));
      for (let flips = 0; flips < 3; flips++)
        damaged[Math.floor(random.next() * damaged.length)] = Math.floor(random.next() * 256);
      try {
        decodeProtobuf(damaged, schemas);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});
