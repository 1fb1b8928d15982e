import { EvaluationError } from "./errors.ts";
import { decodeText, formatDouble, notNumber } from "./text.ts";
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp, timestampOf } from "./time.ts";
import {
  Double,
  Duration,
  Timestamp,
  TypeValue,
  Uint,
  fitsInt,
  fitsUint,
  intOf,
  typeNameOf,
  type Value,
} from "./value.ts";

const cannotConvert = (value: Value, target: string) =>
  new EvaluationError(`type conversion error from '${typeNameOf(value)}' to '${target}'`);

const isInt = (value: Value): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";

/** `bool(x)` */
export function toBool(value: Value): Value {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") throw cannotConvert(value, "bool");
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw notNumber("ParseBool", value);
}

/** `bytes(x)` */
export function toBytes(value: Value): Value {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return new TextEncoder().encode(value);
  throw cannotConvert(value, "bytes");
}

/** `double(x)` */
export function toDouble(value: Value): Value {
  if (value instanceof Double) return value;
  if (isInt(value)) return new Double(Number(value));
  if (value instanceof Uint) return new Double(Number(value.value));
  if (typeof value === "string") return new Double(parseDouble(value));
  throw cannotConvert(value, "double");
}

const doublePattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function parseDouble(text: string): number {
  const lower = text.toLowerCase();
  if (lower === "nan") return Number.NaN;
  if (/^[+-]?inf(?:inity)?$/.test(lower)) return lower.startsWith("-") ? -Infinity : Infinity;
  if (!doublePattern.test(text)) throw notNumber("ParseFloat", text);
  const number = Number(text);
  if (!Number.isFinite(number)) throw notNumber("ParseFloat", text, "value out of range");
  return number;
}

/** `int(x)` */
export function toInt(value: Value): Value {
  if (isInt(value)) return value;
  if (typeof value === "string") {
    if (!/^[+-]?\d+$/.test(value)) throw notNumber("ParseInt", value);
    const number = BigInt(value.replace(/^\+/, ""));
    if (!fitsInt(number)) throw notNumber("ParseInt", value, "value out of range");
    return intOf(number);
  }
  if (value instanceof Uint) return checkedInt(value.value);
  if (value instanceof Double) {
    // Both ends of the range are not exact as doubles and refused.
    if (!(value.value > -(2 ** 63) && value.value < 2 ** 63)) throw new EvaluationError("integer overflow");
    return intOf(BigInt(Math.trunc(value.value)));
  }
  if (value instanceof Timestamp) return value.seconds;
  if (value instanceof Duration) return intOf(value.nanos);
  throw cannotConvert(value, "int");
}

function checkedInt(value: bigint): Value {
  if (!fitsInt(value)) throw new EvaluationError("integer overflow");
  return intOf(value);
}

/** `uint(x)` */
export function toUint(value: Value): Value {
  if (value instanceof Uint) return value;
  if (typeof value === "string") {
    if (!/^\d+$/.test(value)) throw notNumber("ParseUint", value);
    const number = BigInt(value);
    if (!fitsUint(number)) throw notNumber("ParseUint", value, "value out of range");
    return new Uint(number);
  }
  if (isInt(value)) {
    if (value < 0) throw new EvaluationError("unsigned integer overflow");
    return new Uint(BigInt(value));
  }
  if (value instanceof Double) {
    if (!(value.value >= 0 && value.value < 2 ** 64)) throw new EvaluationError("unsigned integer overflow");
    return new Uint(BigInt(Math.trunc(value.value)));
  }
  throw cannotConvert(value, "uint");
}

/** `string(x)` */
export function toText(value: Value): Value {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
    case "number":
    case "bigint":
      return String(value);
    default:
      if (value === null) return "null";
      if (value instanceof Double) return formatDouble(value.value);
      if (value instanceof Uint) return String(value.value);
      if (value instanceof Uint8Array) return decodeText(value);
      if (value instanceof Timestamp) return formatTimestamp(value);
      if (value instanceof Duration) return formatDuration(value);
      if (value instanceof TypeValue) return value.name;
      throw cannotConvert(value, "string");
  }
}

/** `timestamp(x)` */
export function toTimestamp(value: Value): Value {
  if (value instanceof Timestamp) return value;
  if (typeof value === "string") return parseTimestamp(value);
  if (isInt(value)) return timestampOf(Number(value), 0);
  throw cannotConvert(value, "google.protobuf.Timestamp");
}

/** `duration(x)` */
export function toDuration(value: Value): Value {
  if (value instanceof Duration) return value;
  if (typeof value === "string") return parseDuration(value);
  if (isInt(value)) return new Duration(BigInt(value));
  throw cannotConvert(value, "google.protobuf.Duration");
}

/** `type(x)` */
export const typeOf = (value: Value): Value => new TypeValue(typeNameOf(value));
