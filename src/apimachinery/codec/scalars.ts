import type { ScalarType } from "../schema/types.ts";
import { corruptionOf } from "./base64.ts";
import { DecodeError } from "./decode-error.ts";
import { canonicalQuantity } from "./quantity-text.ts";
import { formatDuration, normalizeMicroTime, normalizeTime, parseDuration } from "./time.ts";

const int32Limit = 2 ** 31;
const int64Limit = 2 ** 63;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * The canonical value of a scalar; undefined when it is of another type. Throws when it is malformed. `source` is the
 * text of a number whose value alone does not say how it was written.
 */
export function convertScalar(value: unknown, type: ScalarType, source?: string): unknown {
  switch (type.kind) {
    case "string":
      return typeof value === "string" ? value : undefined;
    case "boolean":
      return typeof value === "boolean" ? value : undefined;
    case "int32":
      return integerOf(value, { from: -int32Limit, below: int32Limit, source });
    case "int64":
      return integerOf(value, { from: -int64Limit, below: int64Limit, source });
    case "uint64":
      return integerOf(value, { from: 0, below: 2 * int64Limit, source });
    case "float64":
      return typeof value === "number" ? value : undefined;
    case "bytes":
      return typeof value === "string" ? canonicalBase64(value) : undefined;
    case "quantity":
      return typeof value === "string" || typeof value === "number"
        ? canonicalQuantity(source ?? String(value))
        : invalidQuantity();
    case "time":
      return typeof value === "string" ? normalizeTime(value) : undefined;
    case "microTime":
      return typeof value === "string" ? normalizeMicroTime(value) : undefined;
    case "duration":
      return typeof value === "string" ? formatDuration(parseDuration(value)) : undefined;
    case "intOrString":
      if (typeof value === "string") return value;
      return integerOf(value, { from: -int32Limit, below: int32Limit, source });
    case "fieldsV1":
    case "raw":
    case "json":
      return value;
  }
}

/** What upstream writes for the zero value of a scalar that is no pointer. */
export function zeroOfScalar(type: ScalarType): "" | "0" | "0s" | 0 | false | null {
  switch (type.kind) {
    case "string":
      return "";
    case "boolean":
      return false;
    case "int32":
    case "int64":
    case "uint64":
    case "float64":
    case "intOrString":
      return 0;
    case "quantity":
      return "0";
    case "duration":
      return "0s";
    case "bytes":
    case "time":
    case "microTime":
    case "raw":
    case "json":
    case "fieldsV1":
      return null;
  }
}

/** What Go calls the value in a type error. */
export function describe(value: unknown, type: { readonly kind: string }, source?: string): string {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "number":
      // A number that is only out of range, or no integer, is named.
      return /^u?int/.test(type.kind) || type.kind === "intOrString" ? `number ${source ?? value}` : "number";
    default:
      return Array.isArray(value) ? "array" : "object";
  }
}

interface IntegerRange {
  readonly from: number;
  readonly below: number;
  readonly source: string | undefined;
}

/** Whether a text writes an integer: with no fraction and no exponent, even where these change nothing. */
const integerText = /^-?\d+$/;

function integerOf(value: unknown, { from, below, source }: IntegerRange): number | undefined {
  if (typeof value !== "number" || !Number.isInteger(value)) return undefined;
  if (source !== undefined && !integerText.test(source)) return undefined;
  // Zero has no sign.
  if (value >= from && value < below) return value === 0 ? 0 : value;
  const isRounded = value === below && source !== undefined && BigInt(source) < BigInt(below);
  return isRounded ? largestBelow(below) : undefined;
}

/** What is left of a number in the bits of an integer type, as Go converts it; other numbers and types stay. */
export function wrapped(value: number, { kind }: ScalarType): number {
  const isInteger = kind === "int32" || kind === "int64";
  if (!isInteger || !Number.isInteger(value)) return value;
  const within = value >= -int64Limit && value < int64Limit ? BigInt(value) : BigInt(-int64Limit);
  return Number(BigInt.asIntN(kind === "int32" ? 32 : 64, within));
}

/** What comes nearest to an integer that no number holds: numbers of this size are half of 2**-52 of it apart. */
const largestBelow = (limit: number) => limit - (limit / 2) * Number.EPSILON;

function canonicalBase64(text: string): string {
  const stripped = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, "") : text;
  if (stripped.length % 4 === 0 && base64.test(stripped)) return stripped;
  throw new DecodeError(`illegal base64 data at input byte ${corruptionOf(text)}`);
}

function invalidQuantity(): never {
  throw new DecodeError(
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  );
}
