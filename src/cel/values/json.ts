import { toText } from "./convert.ts";
import { EvaluationError } from "./errors.ts";
import { entriesOf, shownKey } from "./maps.ts";
import {
  Double,
  Duration,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
  adapt,
  elementsOf,
  isMap,
  typeNameOf,
  type Value,
} from "./value.ts";

/** A value as JSON has it: bytes in base64, times as text; what JSON has no form for is an error. */
export function toJson(value: Value): unknown {
  if (
    value === null ||
    typeof value === "string" ||
    typeof value === "boolean" ||
    typeof value === "number"
  ) {
    return value;
  }
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Double) return value.value;
  if (value instanceof Uint) return Number(value.value);
  if (value instanceof Timestamp || value instanceof Duration || value instanceof TypeValue)
    return toText(value);
  if (value instanceof Uint8Array) return btoa(String.fromCharCode(...value));
  if (value instanceof Optional) return value.value === undefined ? null : toJson(value.value);
  const elements = elementsOf(value);
  if (elements) return elements.map((element) => toJson(adapt(element)));
  if (!isMap(value)) throw new EvaluationError(`type conversion error from '${typeNameOf(value)}' to JSON`);
  return Object.fromEntries([...entriesOf(value)].map(([key, entry]) => [shownKey(key), toJson(entry)]));
}
