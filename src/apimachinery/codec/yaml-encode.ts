import { yamlText } from "./yaml-scalar.ts";

const encoder = new TextEncoder();
/** Longer keys stand behind a question mark. */
const longestSimpleKey = 128;

/** YAML as upstream's library writes it: keys in their natural order, lists not indented, long lines folded. */
export function encodeYaml(value: unknown): string {
  return `${node(value, { column: 0, indent: 0, isKey: false, context: "root" })}\n`;
}

interface Position {
  /** Column at which the value may begin. */
  readonly column: number;
  /** Column of what the value consists of, were it a mapping. */
  readonly indent: number;
  readonly isKey: boolean;
  readonly context: "root" | "value" | "item";
}

/** A value without the space before it and the line break behind it. */
function node(value: unknown, position: Position): string {
  if (typeof value === "string") return yamlText(value, { ...position, indent: continuation(position) });
  if (typeof value === "number") return goNumber(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "object" || value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "[]" : list(value, position);
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  return entries.length === 0 ? "{}" : mapping(entries, position);
}

/** Where lines of a text that goes on begin. */
const continuation = ({ context, indent }: Position) => (context === "root" ? 2 : indent);

const startOf = (value: unknown): "inline" | "below" =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0 ? "below" : "inline";

function mapping(entries: readonly (readonly [string, unknown])[], { indent }: Position): string {
  const sorted = entries.toSorted(([one], [other]) => compareKeys(one, other));
  return sorted.map(([key, value]) => entry(key, value, indent)).join(`\n${" ".repeat(indent)}`);
}

function entry(key: string, value: unknown, indent: number): string {
  const isSimple = encoder.encode(key).length <= longestSimpleKey && !/[\n\r\x85\u2028\u2029]/.test(key);
  const pad = " ".repeat(indent);
  if (!isSimple) {
    const inner: Position = { column: indent + 2, indent: indent + 2, isKey: false, context: "item" };
    return `? ${node(key, inner)}\n${pad}: ${node(value, inner)}`;
  }
  const name = yamlText(key, { column: indent, indent: indent + 2, isKey: true });
  const deeper = indent + 2;
  if (startOf(value) === "inline") {
    const column = indent + Array.from(name).length + 2;
    return `${name}: ${node(value, { column, indent: deeper, isKey: false, context: "value" })}`;
  }
  // Items of a list stand below the key itself.
  const column = Array.isArray(value) ? indent : deeper;
  const inner: Position = { column, indent: column, isKey: false, context: "value" };
  return `${name}:\n${" ".repeat(column)}${node(value, inner)}`;
}

function list(values: readonly unknown[], { indent }: Position): string {
  const inner: Position = { column: indent + 2, indent: indent + 2, isKey: false, context: "item" };
  return values.map((value) => `- ${node(value, inner)}`).join(`\n${" ".repeat(indent)}`);
}

/** A number as Go's shortest form has it: fractions stand with an exponent where it is below -4 or above 5. */
function goNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 64) return String(value === 0 ? 0 : value);
  const [digits = "", power = ""] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(value);
  return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

const isLetter = (character: string) => /\p{L}/u.test(character);
const isDigit = (character: string | undefined) => character !== undefined && /\p{Nd}/u.test(character);

/** The order of keys: what is no letter comes first, numbers are in the order of their values. */
function compareKeys(one: string, other: string): number {
  const [a, b] = [Array.from(one), Array.from(other)];
  for (let index = 0; index < a.length && index < b.length; index++) {
    const [x, y] = [a[index] ?? "", b[index] ?? ""];
    if (x === y) continue;
    const [isX, isY] = [isLetter(x), isLetter(y)];
    if (isX !== isY) return isY ? -1 : 1;
    return (isX ? 0 : compareNumbers(a, b, index)) || (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);
  }
  return a.length - b.length;
}

/** Compares the numbers that begin at a position; zeros there count where digits stand before them. */
function compareNumbers(a: readonly string[], b: readonly string[], from: number): number {
  let start = 0;
  if (a[from] === "0" || b[from] === "0") {
    for (let before = from - 1; before >= 0 && isDigit(a[before]); before--) {
      if (a[before] !== "0") start = 1;
    }
  }
  const read = (text: readonly string[]) => {
    let [number, end] = [start, from];
    for (; isDigit(text[end]); end++) number = number * 10 + Number(text[end]);
    return { number, end };
  };
  const [one, other] = [read(a), read(b)];
  return one.number - other.number || one.end - other.end;
}
