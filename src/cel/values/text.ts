import { goQuote } from "../../apimachinery/index.ts";
import { EvaluationError } from "./errors.ts";

/** Compares by code points, as bytes of UTF-8 compare. */
export function compareText(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) {
    const first = one.charCodeAt(index);
    const second = other.charCodeAt(index);
    if (first === second) continue;
    // Halves of characters beyond U+FFFF sort after all others.
    const isHalf = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;
    if (isHalf(first) !== isHalf(second)) return isHalf(first) ? 1 : -1;
    return first < second ? -1 : 1;
  }
  return Math.sign(one.length - other.length);
}

/** Length in bytes of UTF-8, and order of bytes. */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(one.length - other.length);
}

/** Text of UTF-8; throws where the bytes are none. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new EvaluationError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

/** Go's `%g` writes greater numbers with an exponent. */
const exponentialFrom = 6;

/** A double as Go's `%g` writes it with as many digits as needed. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const exponential = value.toExponential();
  const mark = exponential.indexOf("e");
  const exponent = Number(exponential.slice(mark + 1));
  if (exponent < -4 || exponent >= exponentialFrom) {
    const digits = String(Math.abs(exponent)).padStart(2, "0");
    return `${exponential.slice(0, mark)}e${exponent < 0 ? "-" : "+"}${digits}`;
  }
  return plainDecimal(exponential.slice(0, mark), exponent);
}

function plainDecimal(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith("-") ? "-" : "";
  const digits = mantissa.replace("-", "").replace(".", "");
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, "0");
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** What Go says of text that is no number. */
export const notNumber = (functionName: string, text: string, reason = "invalid syntax"): EvaluationError =>
  new EvaluationError(`strconv.${functionName}: parsing ${goQuote(text)}: ${reason}`);
