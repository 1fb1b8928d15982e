import { invariant } from "../base/index.ts";
import { layoutsOf } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { Reader } from "./reader.ts";
import type { Input, Output, Schema } from "./schema.ts";
import { Writer } from "./writer.ts";

/** Messages of one schema to protobuf's bytes and back. */
export interface Codec<S extends Schema> {
  encode<M extends keyof S & string>(name: M, message: Input<S, M>): Buffer;
  /** Unknown fields are skipped; throws a RangeError for bytes that are no message. */
  decode<M extends keyof S & string>(name: M, bytes: Uint8Array): Output<S, M>;
}

/** Makes the codec of a schema. */
export function createCodec<const S extends Schema>(schema: S): Codec<S> {
  const layouts = layoutsOf(schema);
  const writer = new Writer();
  const layout = (name: string): Layout => {
    const found = layouts.get(name);
    invariant(found, `no message ${name}`);
    return found;
  };
  return {
    encode: (name, message) => writer.message(layout(name), message),
    decode: <M extends keyof S & string>(name: M, bytes: Uint8Array) =>
      new Reader(bytes).message(layout(name)) as Output<S, M>,
  };
}
