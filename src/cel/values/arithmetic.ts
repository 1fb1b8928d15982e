import { keyOfElement } from "./compare.ts";
import { EvaluationError, costExceeded, noSuchOverload } from "./errors.ts";
import { addNanos, durationOf, timeBetween } from "./time.ts";
import {
  Double,
  Duration,
  KeyedList,
  Timestamp,
  Uint,
  elementsOf,
  fitsInt,
  fitsUint,
  intOf,
  type Value,
} from "./value.ts";

/** Longer lists are not made: to look at one would cost more than an expression may. */
const mostElements = 5_000_000;

const isInt = (value: Value): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";

function int(value: bigint): Value {
  if (!fitsInt(value)) throw new EvaluationError("integer overflow");
  return intOf(value);
}

function uint(value: bigint): Value {
  if (!fitsUint(value)) throw new EvaluationError("unsigned integer overflow");
  return new Uint(value);
}

/** `+` */
export function add(one: Value, other: Value): Value {
  if (typeof one === "number" && typeof other === "number") {
    const sum = one + other;
    if (Number.isSafeInteger(sum)) return sum;
  }
  if (isInt(one) && isInt(other)) return int(BigInt(one) + BigInt(other));
  if (typeof one === "string" && typeof other === "string") return one + other;
  if (one instanceof Double && other instanceof Double) return new Double(one.value + other.value);
  if (one instanceof Uint && other instanceof Uint) return uint(one.value + other.value);
  if (one instanceof Duration) {
    if (other instanceof Duration) return durationOf(one.nanos + other.nanos);
    if (other instanceof Timestamp) return addNanos(other, one.nanos);
    throw noSuchOverload();
  }
  if (one instanceof Timestamp && other instanceof Duration) return addNanos(one, other.nanos);
  if (one instanceof Uint8Array && other instanceof Uint8Array) return joinBytes(one, other);
  const elements = elementsOf(one);
  const others = elementsOf(other);
  if (elements && others) {
    if (elements.length + others.length > mostElements) throw costExceeded();
    return one instanceof KeyedList ? merge(one, others) : [...elements, ...others];
  }
  throw noSuchOverload(hasAdd(one) ? undefined : "_+_");
}

const hasAdd = (value: Value): boolean =>
  isInt(value) ||
  typeof value === "string" ||
  value instanceof Double ||
  value instanceof Uint ||
  value instanceof Timestamp ||
  value instanceof Uint8Array ||
  elementsOf(value) !== undefined;

function joinBytes(one: Uint8Array, other: Uint8Array): Uint8Array {
  const joined = new Uint8Array(one.length + other.length);
  joined.set(one);
  joined.set(other, one.length);
  return joined;
}

/** Elements of the first list stay in their places, replaced by those of the second with their keys. */
function merge({ elements, keys }: KeyedList, others: readonly Value[]): KeyedList {
  const merged = new Map(elements.map((element) => [keyOfElement(element, keys), element]));
  for (const other of others) merged.set(keyOfElement(other, keys), other);
  return new KeyedList([...merged.values()], keys);
}

/** `-` */
export function subtract(one: Value, other: Value): Value {
  if (typeof one === "number" && typeof other === "number") {
    const difference = one - other;
    if (Number.isSafeInteger(difference)) return difference;
  }
  if (isInt(one) && isInt(other)) return int(BigInt(one) - BigInt(other));
  if (one instanceof Double && other instanceof Double) return new Double(one.value - other.value);
  if (one instanceof Uint && other instanceof Uint) return uint(one.value - other.value);
  if (one instanceof Duration && other instanceof Duration) return durationOf(one.nanos - other.nanos);
  if (one instanceof Timestamp && other instanceof Duration) return addNanos(one, -other.nanos);
  if (one instanceof Timestamp && other instanceof Timestamp) return timeBetween(one, other);
  throw noSuchOverload(isNumeric(one) || isTime(one) ? undefined : "_-_");
}

const isNumeric = (value: Value): boolean => isInt(value) || value instanceof Double || value instanceof Uint;
const isTime = (value: Value): boolean => value instanceof Timestamp || value instanceof Duration;

/** `*` */
export function multiply(one: Value, other: Value): Value {
  if (typeof one === "number" && typeof other === "number") {
    const product = one * other;
    if (Number.isSafeInteger(product)) return product + 0;
  }
  if (isInt(one) && isInt(other)) return int(BigInt(one) * BigInt(other));
  if (one instanceof Double && other instanceof Double) return new Double(one.value * other.value);
  if (one instanceof Uint && other instanceof Uint) return uint(one.value * other.value);
  throw noSuchOverload(isNumeric(one) ? undefined : "_*_");
}

/** `/` */
export function divide(one: Value, other: Value): Value {
  if (isInt(one) && isInt(other)) {
    if (BigInt(other) === 0n) throw new EvaluationError("division by zero");
    return int(BigInt(one) / BigInt(other));
  }
  if (one instanceof Double && other instanceof Double) return new Double(one.value / other.value);
  if (one instanceof Uint && other instanceof Uint) {
    if (other.value === 0n) throw new EvaluationError("division by zero");
    return new Uint(one.value / other.value);
  }
  throw noSuchOverload(isNumeric(one) ? undefined : "_/_");
}

/** `%` */
export function modulo(one: Value, other: Value): Value {
  if (isInt(one) && isInt(other)) {
    if (BigInt(other) === 0n) throw new EvaluationError("modulus by zero");
    return int(BigInt(one) % BigInt(other));
  }
  if (one instanceof Uint && other instanceof Uint) {
    if (other.value === 0n) throw new EvaluationError("modulus by zero");
    return new Uint(one.value % other.value);
  }
  throw noSuchOverload(isInt(one) || one instanceof Uint ? undefined : "_%_");
}

/** Unary `-` */
export function negate(value: Value): Value {
  if (isInt(value)) return int(-BigInt(value));
  if (value instanceof Double) return new Double(-value.value);
  if (value instanceof Duration) return durationOf(-value.nanos);
  throw noSuchOverload("-_");
}
