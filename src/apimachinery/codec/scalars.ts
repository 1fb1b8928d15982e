import type { ScalarType } from "../schema/types.ts";
import { corruptionOf } from "./base64.ts";
import { DecodeError } from "./decode-error.ts";
import { canonicalQuantity } from "./quantity-text.ts";
import { formatDuration, normalizeMicroTime, normalizeTime, parseDuration } from "./time.ts";

const int32Limit = 2 ** 31;
const int64Limit = 2 ** 63;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The canonical value of a scalar; undefined when it is of another type. Throws when it is malformed. */
export function convertScalar(value: unknown, type: ScalarType): unknown {
  switch (type.kind) {
    case "string":
      return typeof value === "string" ? value : undefined;
    case "boolean":
      return typeof value === "boolean" ? value : undefined;
    case "int32":
      return isInteger(value, -int32Limit, int32Limit) ? value : undefined;
    case "int64":
      return isInteger(value, -int64Limit, int64Limit) ? value : undefined;
    case "uint64":
      return isInteger(value, 0, 2 * int64Limit) ? value : undefined;
    case "float64":
      return typeof value === "number" ? value : undefined;
    case "bytes":
      return typeof value === "string" ? canonicalBase64(value) : undefined;
    case "quantity":
      return typeof value === "string" || typeof value === "number"
        ? canonicalQuantity(String(value))
        : invalidQuantity();
    case "time":
      return typeof value === "string" ? normalizeTime(value) : undefined;
    case "microTime":
      return typeof value === "string" ? normalizeMicroTime(value) : undefined;
    case "duration":
      return typeof value === "string" ? formatDuration(parseDuration(value)) : undefined;
    case "intOrString":
      return typeof value === "string" || isInteger(value, -int32Limit, int32Limit) ? value : undefined;
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
export function describe(value: unknown, type: { readonly kind: string }): string {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "number":
      // A number that is only out of range, or no integer, is named.
      return /^u?int/.test(type.kind) || type.kind === "intOrString" ? `number ${value}` : "number";
    default:
      return Array.isArray(value) ? "array" : "object";
  }
}

function isInteger(value: unknown, from: number, below: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= from && value < below;
}

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
