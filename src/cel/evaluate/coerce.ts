import { isOptional, type CelType } from "../check/types.ts";
import { EvaluationError } from "../values/errors.ts";
import { entriesOf, mapOf } from "../values/maps.ts";
import { parseDuration, parseTimestamp } from "../values/time.ts";
import { Double, KeyedList, Optional, adapt, elementsOf, isMap, type Value } from "../values/value.ts";

/** Makes what JSON holds a value of its type. */
export type Coercion = (value: Value) => Value;

/**
 * How values of a type come out of JSON, where they are not what they are: whole numbers may be doubles, text may be a
 * timestamp, a duration or bytes.
 */
export function coercionOf(type: CelType): Coercion | undefined {
  switch (type.kind) {
    case "double":
      return (value) =>
        typeof value === "number" || typeof value === "bigint" ? new Double(Number(value)) : value;
    case "timestamp":
      return ofText(parseTimestamp);
    case "duration":
      return ofText(parseDuration);
    case "bytes":
      return ofText(decodeBase64);
    case "list":
      return ofElements(type.parameters[0]);
    case "map":
      return ofValues(type.parameters[1]);
    default:
      return isOptional(type) ? ofOptional(type.parameters[0]) : undefined;
  }
}

const ofText =
  (parse: (text: string) => Value): Coercion =>
  (value) =>
    typeof value === "string" ? parse(value) : value;

function ofElements(type: CelType | undefined): Coercion | undefined {
  const coerce = type && coercionOf(type);
  if (!coerce) return undefined;
  return (value) => {
    const elements = elementsOf(value)?.map((element) => coerce(adapt(element)));
    if (!elements) return value;
    return value instanceof KeyedList ? new KeyedList(elements, value.keys) : elements;
  };
}

function ofValues(type: CelType | undefined): Coercion | undefined {
  const coerce = type && coercionOf(type);
  if (!coerce) return undefined;
  return (value) => {
    if (!isMap(value)) return value;
    return mapOf([...entriesOf(value)].map(([key, entry]) => [key, coerce(entry)] as const));
  };
}

function ofOptional(type: CelType | undefined): Coercion | undefined {
  const coerce = type && coercionOf(type);
  if (!coerce) return undefined;
  return (value) =>
    value instanceof Optional && value.value !== undefined ? new Optional(coerce(value.value)) : value;
}

function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new EvaluationError("illegal base64 data");
  }
}
