/**
 * Messages of a protocol as facts: name, fields, and of each field its number and type. A type is one of protobuf's
 * scalars, the name of another message, `map` for map<string, string>, `latin1` for a bytes field as text with one
 * code unit a byte, `int64text` and `uint64text` for numbers whose every digit counts. `[]` behind it makes a list;
 * `?` behind a scalar tells a zero that was written from none at all, as in a oneof. Enumerations are int32.
 */
export type Schema = Readonly<Record<string, Fields>>;
/** Number and type of each field. */
export type Fields = Readonly<Record<string, readonly [number: number, type: string]>>;

interface Scalars {
  readonly string: string;
  readonly latin1: string;
  readonly bytes: Uint8Array;
  readonly bool: boolean;
  readonly map: Readonly<Record<string, string>>;
  readonly int32: number;
  readonly int64: number;
  readonly uint32: number;
  readonly uint64: number;
  readonly int64text: string;
  readonly uint64text: string;
}

type InputOf<S extends Schema, T> = T extends `${infer Item}[]`
  ? readonly InputOf<S, Item>[]
  : T extends `${infer Item}?`
    ? InputOf<S, Item>
    : T extends keyof Scalars
      ? Scalars[T]
      : T extends keyof S
        ? Input<S, T>
        : never;

type OutputOf<S extends Schema, T> = T extends `${infer Item}[]`
  ? readonly NonNullable<OutputOf<S, Item>>[]
  : T extends `${infer Item}?`
    ? OutputOf<S, Item> | undefined
    : T extends keyof Scalars
      ? Scalars[T]
      : T extends keyof S
        ? Output<S, T> | undefined
        : never;

type TypeOf<F> = F extends readonly [number, infer T] ? T : never;

/** A message as written: what is absent has its zero value. 64-bit integers are numbers: beyond 2^53 they lose digits. */
export type Input<S extends Schema, M extends keyof S> = {
  readonly [F in keyof S[M]]?: InputOf<S, TypeOf<S[M][F]>> | undefined;
};

/** A message as read: zero values are filled in, nested messages may be absent. */
export type Output<S extends Schema, M extends keyof S> = {
  readonly [F in keyof S[M]]: OutputOf<S, TypeOf<S[M][F]>>;
};

/** Whether an answer is one message or several, and the question too. */
export type Streaming = "unary" | "responses" | "both";

/** Calls by name: the service with its package, request, response. */
export type Methods<S extends Schema> = Readonly<
  Record<
    string,
    readonly [service: string, request: keyof S & string, response: keyof S & string, streaming: Streaming]
  >
>;
