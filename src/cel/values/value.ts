/** A double; plain numbers are ints. */
export class Double {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** An unsigned integer of 64 bits. */
export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** A point in time: seconds since 1970 and the nanoseconds beyond them. */
export class Timestamp {
  readonly seconds: number;
  readonly nanos: number;

  constructor(seconds: number, nanos: number) {
    this.seconds = seconds;
    this.nanos = nanos;
  }
}

/** A length of time. */
export class Duration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A type as a value. */
export class TypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A value that may be absent. */
export class Optional {
  readonly value: Value | undefined;

  constructor(value: Value | undefined) {
    this.value = value;
  }

  static readonly none = new Optional(undefined);
}

/** Key under which a map is looked up: ints and uints of the same number are one. */
export type MapKey = string | boolean | number | bigint;

/** A map that was made by an expression: its keys need not be strings. */
export class CelMap {
  readonly entries: ReadonlyMap<MapKey, readonly [key: Value, value: Value]>;

  constructor(entries: ReadonlyMap<MapKey, readonly [key: Value, value: Value]>) {
    this.entries = entries;
  }
}

/** A list whose equality and sum are those of a set or of a map of its elements. */
export class KeyedList {
  readonly elements: readonly Value[];
  /** Fields that tell elements apart, or `undefined` if the elements themselves do. */
  readonly keys: readonly string[] | undefined;

  constructor(elements: readonly Value[], keys: readonly string[] | undefined) {
    this.elements = elements;
    this.keys = keys;
  }
}

/** A value that only functions of its library can look into. */
export abstract class OpaqueValue {
  abstract readonly typeName: string;

  abstract equals(other: OpaqueValue): boolean;

  /** What `size` would say: a part of what calls cost. */
  get costSize(): number {
    return 1;
  }
}

/** An object as JSON has it; never changed. */
export interface ObjectValue {
  readonly [field: string]: unknown;
}

/**
 * A value at run time. JSON values are CEL values as they are: objects are maps, whole numbers are ints. An int that a
 * number cannot hold exactly is a bigint; doubles are always told apart by their class.
 */
export type Value =
  | null
  | boolean
  | string
  | number
  | bigint
  | Double
  | Uint
  | Uint8Array
  | Timestamp
  | Duration
  | TypeValue
  | Optional
  | CelMap
  | KeyedList
  | OpaqueValue
  | readonly Value[]
  | ObjectValue;

const mostInt = 2n ** 63n - 1n;
const leastInt = -(2n ** 63n);
const mostUint = 2n ** 64n - 1n;

export const fitsInt = (value: bigint): boolean => value >= leastInt && value <= mostInt;

export const fitsUint = (value: bigint): boolean => value >= 0n && value <= mostUint;

/** An int in its one form: a number if that holds it exactly. */
export function intOf(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A value from JSON. Numbers with a fraction are doubles, and so are those that no int can hold. */
export function adapt(raw: unknown): Value {
  if (typeof raw !== "number") return raw === undefined ? null : (raw as Value);
  if (Number.isSafeInteger(raw)) return raw;
  if (Number.isInteger(raw) && fitsInt(BigInt(raw))) return BigInt(raw);
  return new Double(raw);
}

/** The elements of a list, or nothing if the value is none. */
export function elementsOf(value: Value): readonly Value[] | undefined {
  if (Array.isArray(value)) return value as readonly Value[];
  return value instanceof KeyedList ? value.elements : undefined;
}

/** Whether a value is a map or an object. */
export function isMap(value: Value): value is CelMap | ObjectValue {
  return value instanceof CelMap || isObject(value);
}

/** Whether a value is a plain object. */
export function isObject(value: Value): value is ObjectValue {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The name of a value's type, as `type(x)` says it. */
export function typeNameOf(value: Value): string {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "string":
      return "string";
    case "number":
      return Number.isInteger(value) ? "int" : "double";
    case "bigint":
      return "int";
    default:
      return value === null ? "null_type" : nameOfObject(value);
  }
}

function nameOfObject(value: Exclude<Value, null | boolean | string | number | bigint>): string {
  if (elementsOf(value)) return "list";
  if (value instanceof Double) return "double";
  if (value instanceof Uint) return "uint";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof TypeValue) return "type";
  if (value instanceof Optional) return "optional_type";
  if (value instanceof OpaqueValue) return value.typeName;
  return "map";
}
