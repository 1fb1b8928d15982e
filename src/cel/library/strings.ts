import { dynType, intType, listType, stringType } from "../check/types.ts";
import { count, list, text } from "../values/arguments.ts";
import { EvaluationError, costExceeded } from "../values/errors.ts";
import { adapt, type Value } from "../values/value.ts";
import { formatText, type FormatStyle } from "./format-text.ts";
import { fn, method, signature, type Library } from "./library.ts";

/** Longer texts are not made: to look at one would cost more than an expression may. */
const mostCharacters = 10_000_000;
/** Comparisons that looking for a part in a text may take at worst. */
const mostComparisons = 1_000_000_000;
/** What is quoted is looked at character by character, at a fixed cost. */
const mostQuoted = 2_000_000;

const atMost = (amount: number, most: number): void => {
  if (amount > most) throw costExceeded();
};

const outOfRange = (index: number) => new EvaluationError(`index out of range: ${index}`);

/** Whether each unit of a text is a character of its own: then the platform's functions count as CEL does. */
const isPlain = (value: string): boolean => !/[\ud800-\udfff]/.test(value);

/** Characters of a text: code points, as CEL counts them. */
const characters = (value: Value): readonly string[] => Array.from(text(value));

function charAt(value: Value, at: Value): Value {
  const all = isPlain(text(value)) ? text(value) : characters(value);
  const index = count(at);
  if (index < 0 || index > all.length) throw outOfRange(index);
  return all[index] ?? "";
}

const startsAt = (all: readonly string[], part: readonly string[], index: number): boolean =>
  part.every((character, offset) => all[index + offset] === character);

function indexOf(value: Value, part: Value, from: Value | undefined): Value {
  const offset = from === undefined ? 0 : count(from);
  if (part === "") return offset;
  atMost(text(value).length * text(part).length, mostComparisons);
  const all = isPlain(text(value)) ? text(value) : characters(value);
  if (offset < 0 || offset >= all.length) {
    if (from === undefined) return -1;
    throw outOfRange(offset);
  }
  if (typeof all === "string") return all.indexOf(text(part), offset);
  const wanted = characters(part);
  for (let index = offset; index <= all.length - wanted.length; index++) {
    if (startsAt(all, wanted, index)) return index;
  }
  return -1;
}

function lastIndexOf(value: Value, part: Value, from: Value | undefined): Value {
  const all = characters(value);
  if (part === "") return from === undefined ? all.length : count(from);
  const wanted = characters(part);
  atMost(all.length * wanted.length, mostComparisons);
  const offset = from === undefined ? all.length - 1 : count(from);
  if (offset < 0 || offset >= all.length) {
    if (from === undefined) return -1;
    throw outOfRange(offset);
  }
  for (let index = Math.min(offset, all.length - wanted.length); index >= 0; index--) {
    if (startsAt(all, wanted, index)) return index;
  }
  return -1;
}

function substring(value: Value, from: Value, to: Value | undefined): Value {
  const all = characters(value);
  const start = count(from);
  const end = to === undefined ? all.length : count(to);
  if (to !== undefined && start > end) {
    throw new EvaluationError(`invalid substring range. start: ${start}, end: ${end}`);
  }
  for (const index of [start, end]) if (index < 0 || index > all.length) throw outOfRange(index);
  return all.slice(start, end).join("");
}

function replace(value: Value, old: Value, by: Value, most: Value | undefined): Value {
  const limit = most === undefined ? -1 : count(most);
  if (text(old) !== "") {
    const parts = splitAtMost(text(value), text(old), limit < 0 ? Infinity : limit + 1);
    atMost(parts.length * text(by).length, mostCharacters);
    return parts.join(text(by));
  }
  // Go puts the replacement around each character where what is replaced is empty.
  atMost(text(value).length * text(by).length, mostCharacters);
  let places = limit < 0 ? Infinity : limit;
  return text(value).replaceAll(/(?:)/gu, () => (places-- > 0 ? text(by) : ""));
}

/** Parts of a text, no more than a number of them: the last keeps what is left. */
function splitAtMost(whole: string, separator: string, most: number): string[] {
  atMost(whole.length * separator.length, mostComparisons);
  const parts = separator === "" ? Array.from(whole) : whole.split(separator);
  if (parts.length <= most) return parts;
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}

function split(value: Value, separator: Value, limit: Value | undefined): Value {
  const most = limit === undefined ? -1 : count(limit);
  if (most === 0) return [];
  return splitAtMost(text(value), text(separator), most < 0 ? Infinity : most);
}

const join = (parts: Value, separator: Value | undefined): Value =>
  list(parts)
    .map((part) => text(adapt(part)))
    .join(separator === undefined ? "" : text(separator));

/** What Go's `strings.TrimSpace` takes for space. */
const space =
  /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;

const quoteEscapes: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

const quoted = new RegExp(`[${String.raw`\u0007\b\f\n\r\t\v\\"`}]`, "g");

function quote(value: Value): Value {
  atMost(text(value).length, mostQuoted);
  return `"${text(value).replaceAll(quoted, (character) => quoteEscapes[character] ?? character)}"`;
}

const reverse = (value: Value): Value => characters(value).toReversed().join("");

/** Which functions there are: 0 and 2 as Kubernetes has them, 4 with `reverse` and plainer formats. */
export type StringsVersion = 0 | 2 | 4;

/** Functions of texts. */
export function stringsLibrary(version: StringsVersion): Library {
  const string = stringType;
  const style: FormatStyle = version < 4 ? "literals" : "plain";
  const format = fn(
    "format",
    method("string_format", [string, listType(dynType), string], (pattern, args) =>
      formatText(text(pattern), list(args), style),
    ),
  );
  const quoting = fn("strings.quote", signature("strings_quote", [string, string], quote));
  return {
    name: "cel.lib.ext.strings",
    functions: [
      ...basic,
      ...(version >= 1 ? [format, quoting] : []),
      ...(version >= 3 ? [fn("reverse", method("string_reverse", [string, string], reverse))] : []),
    ],
  };
}

const lower = (value: Value): Value => text(value).replaceAll(/[A-Z]+/g, (part) => part.toLowerCase());
const upper = (value: Value): Value => text(value).replaceAll(/[a-z]+/g, (part) => part.toUpperCase());
const s = stringType;

const basic = [
  fn("charAt", method("string_char_at_int", [s, intType, s], charAt)),
  fn(
    "indexOf",
    method("string_index_of_string", [s, s, intType], (value, part) => indexOf(value, part, undefined)),
    method("string_index_of_string_int", [s, s, intType, intType], indexOf),
  ),
  fn(
    "lastIndexOf",
    method("string_last_index_of_string", [s, s, intType], (value, part) =>
      lastIndexOf(value, part, undefined),
    ),
    method("string_last_index_of_string_int", [s, s, intType, intType], lastIndexOf),
  ),
  fn("lowerAscii", method("string_lower_ascii", [s, s], lower)),
  fn("upperAscii", method("string_upper_ascii", [s, s], upper)),
  fn(
    "replace",
    method("string_replace_string_string", [s, s, s, s], (value, old, by) =>
      replace(value, old, by, undefined),
    ),
    method("string_replace_string_string_int", [s, s, s, intType, s], replace),
  ),
  fn(
    "split",
    method("string_split_string", [s, s, listType(s)], (value, separator) =>
      split(value, separator, undefined),
    ),
    method("string_split_string_int", [s, s, intType, listType(s)], split),
  ),
  fn(
    "substring",
    method("string_substring_int", [s, intType, s], (value, from) => substring(value, from, undefined)),
    method("string_substring_int_int", [s, intType, intType, s], substring),
  ),
  fn(
    "trim",
    method("string_trim", [s, s], (value) => text(value).replaceAll(space, "")),
  ),
  fn(
    "join",
    method("list_join", [listType(s), s], (parts) => join(parts, undefined)),
    method("list_join_string", [listType(s), s, s], join),
  ),
];
