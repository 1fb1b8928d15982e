import { invariant } from "../base/index.ts";
import type { Fields, Schema } from "./schema.ts";

/** Kinds of values that the codec writes and reads alike. */
export type FieldKind = "number" | "bool" | "digits" | "string" | "latin1" | "bytes" | "map" | "message";

/** A field as the codec needs it. */
export interface Field {
  readonly name: string;
  /** Number and wire type. */
  readonly tag: number;
  readonly kind: FieldKind;
  readonly isRepeated: boolean;
  /** A written zero differs from an absent value. */
  readonly hasPresence: boolean;
  /** Negative numbers are meant. */
  readonly isSigned: boolean;
  /** Of a nested message. */
  readonly layout: Layout | undefined;
}

/** A message's fields, in the order of the table and by number. */
export interface Layout {
  readonly fields: readonly Field[];
  readonly byNumber: readonly (Field | undefined)[];
}

/** Wire types of protobuf. */
export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const kinds: Readonly<Record<string, FieldKind>> = {
  int32: "number",
  int64: "number",
  uint32: "number",
  uint64: "number",
  bool: "bool",
  int64text: "digits",
  uint64text: "digits",
  string: "string",
  latin1: "latin1",
  bytes: "bytes",
  map: "map",
};

/** Whether several values of the kind are written as one packed field. */
export const isPacked = (kind: FieldKind): boolean =>
  kind === "number" || kind === "bool" || kind === "digits";

/** Compiles a schema. */
export function layoutsOf(schema: Schema): ReadonlyMap<string, Layout> {
  const layouts = new Map<string, { fields: Field[]; byNumber: (Field | undefined)[] }>();
  for (const name of Object.keys(schema)) layouts.set(name, { fields: [], byNumber: [] });
  for (const [name, fields] of Object.entries(schema)) fill(layouts.get(name)!, fields, layouts);
  return layouts;
}

/** The layout of the entries of a `map`. */
export const mapEntry: Layout = layoutsOf({ Entry: { key: [1, "string"], value: [2, "string"] } }).get(
  "Entry",
)!;

function fill(
  into: { fields: Field[]; byNumber: (Field | undefined)[] },
  fields: Fields,
  layouts: ReadonlyMap<string, Layout>,
): void {
  for (const [name, [number, text]] of Object.entries(fields)) {
    const [, type = "", mark] = /^(\w+)(\[\]|\?)?$/.exec(text) ?? [];
    const kind = kinds[type] ?? "message";
    const layout = layouts.get(type);
    invariant(kind !== "message" || layout, `no message ${text}`);
    const isRepeated = mark === "[]";
    const field: Field = {
      name,
      tag: number * 8 + (isPacked(kind) && !isRepeated ? wire.varint : wire.bytes),
      kind,
      isRepeated,
      hasPresence: mark === "?",
      isSigned: type.startsWith("int"),
      layout,
    };
    into.fields.push(field);
    into.byNumber[number] = field;
  }
}
