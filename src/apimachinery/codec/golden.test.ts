import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { schemas } from "../../api/index.ts";
import type { StructType } from "../schema/types.ts";
import { allKinds, fill, isList } from "./testing/fill.ts";
import {
  decodeCbor,
  decodeCborValue,
  decodeJson,
  decodeProtobuf,
  decodeValue,
  decodeYaml,
  encodeCbor,
  encodeJson,
  encodeProtobuf,
  encodeYaml,
  hasProtobuf,
} from "./index.ts";

interface Encoding {
  readonly name: string;
  has?(type: StructType): boolean;
  /** Its keys are sorted: equal objects cannot be other bytes. */
  readonly sorted?: boolean;
  encode(object: object, type: StructType): Uint8Array | Promise<Uint8Array>;
  decode(bytes: Uint8Array, type: StructType): object | Promise<object>;
}

const strict = { strict: true } as const;
const whole = ({ object, problems }: ReturnType<typeof decodeJson>) => {
  expect(problems).toEqual([]);
  return object;
};

const encodings: readonly Encoding[] = [
  { name: "JSON", encode: encodeJson, decode: (bytes, type) => whole(decodeJson(bytes, type, strict)) },
  { name: "CBOR", encode: encodeCbor, decode: (bytes, type) => whole(decodeCbor(bytes, type, strict)) },
  {
    name: "CBOR without a type",
    has: (type) => !isList(type),
    encode: encodeCbor,
    decode: (bytes, type) => whole(decodeValue(decodeCborValue(bytes), type, strict)),
  },
  {
    name: "YAML",
    sorted: true,
    encode: async (object) => new TextEncoder().encode(encodeYaml(object)),
    decode: async (bytes, type) =>
      whole(decodeValue(await decodeYaml(new TextDecoder().decode(bytes)), type, strict)),
  },
  {
    name: "protobuf",
    has: hasProtobuf,
    encode: encodeProtobuf,
    decode: (bytes) => decodeProtobuf(bytes, schemas),
  },
];

test("every kind comes back from every encoding as it was, and is the same bytes again", async () => {
  let count = 0;
  for (const { apiVersion, kind, type } of allKinds(schemas)) {
    const { object } = decodeJson(encodeJson({ ...fill(type), kind, apiVersion }), type);
    for (const encoding of encodings) {
      if (encoding.has?.(type) === false) continue;
      const label = `${apiVersion} ${kind} in ${encoding.name}`;
      const bytes = await encoding.encode(object, type);
      const decoded = await encoding.decode(bytes, type);
      if (!isDeepStrictEqual(decoded, object)) expect(decoded, label).toEqual(object);
      count++;
      if (encoding.sorted === true) continue;
      const again = await encoding.encode(decoded, type);
      if (!isDeepStrictEqual(again, bytes)) expect.fail(`${label}: other bytes`);
    }
  }
  expect(count).toBeGreaterThan(1_000);
});
