import { goQuote } from "../../apimachinery/index.ts";
import { toText } from "../values/convert.ts";
import { EvaluationError } from "../values/errors.ts";
import { entriesOf } from "../values/maps.ts";
import { decodeText, formatDouble } from "../values/text.ts";
import {
  Double,
  Duration,
  Timestamp,
  TypeValue,
  Uint,
  adapt,
  elementsOf,
  isMap,
  typeNameOf,
  type Value,
} from "../values/value.ts";

/** Whether values within lists and maps are written as literals of CEL, or as `%s` alone writes them. */
export type FormatStyle = "literals" | "plain";

const defaultPrecision = 6;

/** `pattern.format(args)` */
export function formatText(pattern: string, args: readonly Value[], style: FormatStyle): string {
  let next = 0;
  const replaced = pattern.replaceAll(
    /%(?:%|(\.\d*)?([^]?))/g,
    (clause: string, precision: string | undefined, verb: string | undefined) => {
      if (clause === "%%") return "%";
      const index = next++;
      if (index >= args.length) throw new EvaluationError(`index ${index} out of range`);
      if (verb === undefined || verb === "") throw new EvaluationError("unexpected end of string");
      const digits = precision === undefined ? defaultPrecision : Number(precision.slice(1));
      return formatClause(adapt(args[index]), { verb, digits, style });
    },
  );
  return replaced;
}

const wrong = (message: string, value: Value) =>
  new EvaluationError(`error during formatting: ${message}, was given ${typeNameOf(value)}`);

interface Clause {
  readonly verb: string;
  readonly digits: number;
  readonly style: FormatStyle;
}

function formatClause(value: Value, { verb, digits, style }: Clause): string {
  switch (verb) {
    case "s":
      return style === "literals" ? literalText(value) : plainText(value);
    case "d":
      return decimal(value, style);
    case "f":
      return floating(value, { name: "fixed", style, write: (number) => fixed(number, digits, style) });
    case "e":
      return floating(value, {
        name: "scientific",
        style,
        write: (number) => scientific(number, digits, style),
      });
    case "b":
      return typeof value === "boolean" ? String(Number(value)) : inBase(value, 2);
    case "o":
      return inBase(value, 8);
    case "x":
      return hex(value);
    case "X":
      return hex(value).toUpperCase();
    default:
      throw new EvaluationError(
        `could not parse formatting clause: unrecognized formatting clause "${verb}"`,
      );
  }
}

/** What clauses of formats say of values that they do not take. */
export const formatProblems = {
  text: "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
  decimal: "decimal clause can only be used on integers",
  fixed: "fixed-point clause can only be used on doubles",
  scientific: "scientific clause can only be used on doubles",
  binary: "only integers and bools can be formatted as binary",
  octal: "octal clause can only be used on integers",
  hex: "only integers, byte buffers, and strings can be formatted as hex",
};

const isInt = (value: Value): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";

function decimal(value: Value, style: FormatStyle): string {
  if (isInt(value)) return String(value);
  if (value instanceof Uint) return String(value.value);
  if (style === "plain" && value instanceof Double && !Number.isFinite(value.value))
    return special(value.value, style);
  throw wrong(formatProblems.decimal, value);
}

function special(value: number, style: FormatStyle): string {
  if (Number.isNaN(value)) return "NaN";
  const sign = value < 0 ? "-" : "";
  return style === "plain" ? `${sign}Infinity` : `${sign}∞`;
}

function floating(
  value: Value,
  {
    name,
    style,
    write,
  }: {
    readonly name: "fixed" | "scientific";
    readonly style: FormatStyle;
    readonly write: (value: number) => string;
  },
): string {
  const numbers: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, "-Infinity": -Infinity };
  const number =
    value instanceof Double ? value.value : typeof value === "string" ? numbers[value] : undefined;
  if (number !== undefined) return Number.isFinite(number) ? write(number) : special(number, style);
  if (style === "plain" && (isInt(value) || value instanceof Uint)) {
    return write(Number(value instanceof Uint ? value.value : value));
  }
  throw wrong(formatProblems[name], value);
}

/** JavaScript rounds what lies in the middle away from zero, Go to the even digit; both look at the exact value. */
function fixed(value: number, digits: number, style: FormatStyle): string {
  const most = Math.min(digits, 100);
  const away = value.toFixed(most);
  const text = isTie(value, most) ? toEven(value, most) : away;
  if (style === "plain") return text;
  const [whole = "", fraction] = text.split(".");
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

const isTie = (value: number, digits: number): boolean => {
  const scaled = Math.abs(value) * 10 ** digits;
  return digits < 15 && Number.isSafeInteger(scaled * 2) && scaled % 1 === 0.5;
};

function toEven(value: number, digits: number): string {
  const scaled = Math.abs(value) * 10 ** digits;
  const floor = Math.floor(scaled);
  const even = floor % 2 === 0 ? floor : floor + 1;
  return `${value < 0 ? "-" : ""}${(even / 10 ** digits).toFixed(digits)}`;
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function scientific(value: number, digits: number, style: FormatStyle): string {
  const [mantissa = "", exponent = "0"] = value.toExponential(Math.min(digits, 100)).split("e");
  const power = Number(exponent);
  const shown = String(Math.abs(power)).padStart(2, "0");
  if (style === "plain") return `${mantissa}e${power < 0 ? "-" : "+"}${shown}`;
  const raised = Array.from(shown, (digit) => superscripts.charAt(Number(digit))).join("");
  return `${mantissa}\u202f×\u202f10${power < 0 ? "⁻" : ""}${raised}`;
}

function inBase(value: Value, base: 2 | 8): string {
  if (isInt(value)) return value.toString(base);
  if (value instanceof Uint) return value.value.toString(base);
  throw wrong(base === 2 ? formatProblems.binary : formatProblems.octal, value);
}

function hex(value: Value): string {
  if (isInt(value)) return value.toString(16);
  if (value instanceof Uint) return value.value.toString(16);
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  if (!(bytes instanceof Uint8Array)) {
    throw wrong(formatProblems.hex, value);
  }
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** `%s` as Kubernetes has it. */
function literalText(value: Value): string {
  const elements = elementsOf(value);
  if (elements) return `[${elements.map((element) => literal(adapt(element))).join(", ")}]`;
  if (isMap(value)) {
    const entries = [...entriesOf(value)].map(([key, entry]) => `${keyLiteral(key)}:${literal(entry)}`);
    return `{${entries.sort().join(", ")}}`;
  }
  return scalarText(value);
}

function scalarText(value: Value): string {
  if (value === null) return "null";
  try {
    return toText(value) as string;
  } catch {
    throw wrong(formatProblems.text, value);
  }
}

function literal(value: Value): string {
  if (typeof value === "string") return goQuote(value);
  if (value instanceof Uint8Array) return `b${goQuote(decodeText(value))}`;
  if (value instanceof Timestamp) return `timestamp(${goQuote(scalarText(value))})`;
  if (value instanceof Duration) return `duration(${goQuote(scalarText(value))})`;
  if (value instanceof Double) {
    return Number.isFinite(value.value)
      ? fixed(value.value, defaultPrecision, "plain")
      : goQuote(formatDouble(value.value));
  }
  const isPlain =
    value === null || typeof value !== "object" || value instanceof Uint || value instanceof TypeValue;
  if (!isPlain && !elementsOf(value) && !isMap(value)) {
    throw new EvaluationError(`error during formatting: no formatting function for ${typeNameOf(value)}`);
  }
  return literalText(value);
}

function keyLiteral(key: Value): string {
  return typeof key === "string" ? goQuote(key) : scalarText(key);
}

/** `%s` without quotes and the names of types. */
function plainText(value: Value): string {
  const elements = elementsOf(value);
  if (elements) return `[${elements.map((element) => plainText(adapt(element))).join(", ")}]`;
  if (isMap(value)) {
    const entries = [...entriesOf(value)].map(([key, entry]) => [plainText(key), plainText(entry)] as const);
    const sorted = entries.sort(([one], [other]) => (one < other ? -1 : 1));
    return `{${sorted.map((entry) => entry.join(": ")).join(", ")}}`;
  }
  if (value instanceof Double && !Number.isFinite(value.value)) return special(value.value, "plain");
  return scalarText(value);
}
