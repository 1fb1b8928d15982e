import { EvaluationError, noSuchOverload } from "../values/errors.ts";
import { lookUp, shownKey } from "../values/maps.ts";
import {
  CelMap,
  Double,
  Optional,
  Uint,
  adapt,
  elementsOf,
  isMap,
  isObject,
  type Value,
} from "../values/value.ts";

const noSuchKey = (key: Value): EvaluationError => new EvaluationError(`no such key: ${shownKey(key)}`);

/** Reads a field of values; what is known of its name is found out once. */
export function fieldReader(field: string): (target: Value) => Value {
  const inherited = field in Object.prototype;
  return (target) => {
    if (isObject(target)) {
      const value = target[field];
      if (value !== undefined && (!inherited || Object.hasOwn(target, field))) return adapt(value);
      throw noSuchKey(field);
    }
    if (target instanceof Optional) {
      if (target.value !== undefined && !isMap(target.value)) throw noSuchKey(field);
      return optionalField(target, field);
    }
    const found = target instanceof CelMap ? lookUp(target, field) : undefined;
    if (found === undefined) throw noSuchKey(field);
    return found;
  };
}

/** Whether a value has a field. */
export function hasField(target: Value, field: string): boolean {
  if (target instanceof Optional) return target.value !== undefined && hasField(target.value, field);
  return isMap(target) && lookUp(target, field) !== undefined;
}

/** `target[key]` */
export function indexed(target: Value, key: Value): Value {
  if (target instanceof Optional) return optionalIndexed(target, key);
  const found = find(target, key);
  if (found !== undefined) return found;
  if (elementsOf(target)) throw new EvaluationError(`index out of bounds: ${shownKey(key)}`);
  throw noSuchKey(key);
}

function find(target: Value, key: Value): Value | undefined {
  const elements = elementsOf(target);
  if (elements) {
    const index = indexOf(key);
    const element = elements[index];
    return element === undefined ? undefined : adapt(element);
  }
  if (!isMap(target)) throw noSuchOverload();
  return lookUp(target, key);
}

function indexOf(key: Value): number {
  if (typeof key === "number") return key;
  if (typeof key === "bigint") return Number(key);
  if (key instanceof Uint) return Number(key.value);
  if (key instanceof Double) {
    if (Number.isInteger(key.value)) return key.value;
    throw new EvaluationError(`unsupported index value ${shownKey(key)} in list`);
  }
  throw noSuchOverload();
}

/** `target.?field` */
export function optionalField(target: Value, field: string): Optional {
  const held = target instanceof Optional ? target.value : target;
  if (held === undefined || !isMap(held)) return Optional.none;
  const found = lookUp(held, field);
  return found === undefined ? Optional.none : new Optional(found);
}

/** `target[?key]` */
export function optionalIndexed(target: Value, key: Value): Optional {
  const held = target instanceof Optional ? target.value : target;
  if (held === undefined) return Optional.none;
  const found = find(held, key);
  return found === undefined ? Optional.none : new Optional(found);
}
