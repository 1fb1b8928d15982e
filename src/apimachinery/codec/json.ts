import { SchemaAlternative } from "../schema/index.ts";
import type { StructType, Type } from "../schema/types.ts";
import { convertStruct, joinPath, maximumProblems } from "./convert.ts";
import { DecodeError } from "./decode-error.ts";
import { numberKey, type NumberTexts } from "./number-texts.ts";
import { hasDuplicateKeys, scanJson, type Path } from "./scan.ts";

export interface DecodeOptions {
  /** Whether to look for unknown and duplicate fields; costs a second pass over text. Default: false. */
  readonly strict?: boolean;
  /** How numbers were written, where that matters: `oddNumbers` of the text. */
  readonly numbers?: NumberTexts | undefined;
  /** Integers that a type cannot hold lose their upper bits, as where upstream converts values instead of text. */
  readonly wraps?: boolean;
}

export interface Decoded {
  readonly object: object;
  /** `unknown field "spec.foo"`, `duplicate field "metadata.name"`; empty unless `strict` was asked. */
  readonly problems: readonly string[];
}

const textDecoder = new TextDecoder();
const textEncoder = new TextEncoder();
const none: readonly string[] = Object.freeze([]);

/** An object of a type from JSON. Throws DecodeError in the words of Go's encoding/json. */
export function decodeJson(
  input: Uint8Array | string,
  type: StructType,
  options: DecodeOptions = {},
): Decoded {
  const text = typeof input === "string" ? input : textDecoder.decode(input);
  return decodeParsed({ text, value: parseJson(text) }, type, options);
}

/** As `decodeJson`, of text that has been parsed. */
export function decodeParsed(
  { text, value }: { readonly text: string; readonly value: unknown },
  type: StructType,
  options: DecodeOptions = {},
): Decoded {
  const numbers = oddNumbers(text);
  if (options.strict !== true) return decodeValue(value, type, { numbers });
  const decoded = decodeValue(value, type, { strict: true, numbers });
  if (!hasDuplicateKeys(text, value)) return decoded;
  return { ...decoded, problems: inOrder(text, { type, unknown: decoded.problems }) };
}

/** Unknown and duplicate fields in the order in which the text has them, each once. */
function inOrder(
  text: string,
  { type, unknown }: { readonly type: StructType; readonly unknown: readonly string[] },
): readonly string[] {
  const expected = new Set(unknown);
  const seen = new Set<string>();
  const problems = new Set<string>();
  scanJson(text, {
    onKey(path) {
      const place = JSON.stringify(joinPath(path));
      if (expected.has(`unknown field ${place}`)) problems.add(`unknown field ${place}`);
      else if (seen.has(place) && isChecked(path, type)) problems.add(`duplicate field ${place}`);
      seen.add(place);
    },
  });
  return [...problems].slice(0, maximumProblems);
}

/** An object of a type from a JSON value: what `decodeJson` does after parsing. The value stays as it is. */
export function decodeValue(value: unknown, type: StructType, options: DecodeOptions = {}): Decoded {
  const problems: string[] | undefined = options.strict === true ? [] : undefined;
  const { numbers, wraps } = options;
  const object = convertStruct(value, type, { problems, numbers, wraps });
  return { object, problems: problems === undefined ? none : [...new Set(problems)] };
}

/**
 * A number with a fraction, an exponent or so many digits that its value may be another; strings may look like one.
 * Looks at digits first, as there are few: every body passes here.
 */
const maybeOdd = /\d(?:[.eE][-+\d](?<=(?:"\s*:|[[,])\s*-?\d+[.eE][-+\d])|\d{15})/;
const isOdd = /[.eE]|\d{16}/;

/** The numbers of a JSON text that their values alone do not tell; undefined where there are none. */
export function oddNumbers(text: string): NumberTexts | undefined {
  if (!maybeOdd.test(text)) return undefined;
  const numbers = new Map<string, string>();
  scanJson(text, {
    onNumber(path, source) {
      // Of keys that an object has twice the last one counts.
      if (isOdd.test(source)) numbers.set(numberKey(path), source);
      else numbers.delete(numberKey(path));
    },
  });
  return numbers.size === 0 ? undefined : numbers;
}

/** `duplicate field "metadata.name"` for each that a JSON text of any form has. */
export function duplicateFields(text: string, value: unknown): readonly string[] {
  if (!hasDuplicateKeys(text, value)) return none;
  return scanJson(text)
    .slice(0, maximumProblems)
    .map((path) => `duplicate field ${JSON.stringify(joinPath(path))}`);
}

const surrogate = /\\u[dD][89a-fA-F]/;
/** Both halves of a character, one alone, or whatever else is escaped. */
const escaped =
  /\\(?:(?:u[dD][89abAB][\da-fA-F]{2}\\)?u[dD][c-fC-F][\da-fA-F]{2}|u[dD][89abAB][\da-fA-F]{2}|.)/gs;
const halfLength = String.raw`\ud800`.length;

/** A JSON text in which no escape is half a character: Go reads those as the replacement character. */
function withoutHalves(text: string): string {
  if (!surrogate.test(text)) return text;
  return text.replace(escaped, (found) => (found.length === halfLength ? String.raw`\ufffd` : found));
}

/** JSON.parse whose errors are Go's. */
export function parseJson(input: Uint8Array | string): unknown {
  const text = withoutHalves(typeof input === "string" ? input : textDecoder.decode(input));
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    scanJson(text);
    throw new DecodeError(error instanceof Error ? error.message : String(error));
  }
}

/** The bytes of an object; `type` is not needed since objects hold what is written. */
export function encodeJson(object: unknown): Uint8Array {
  return textEncoder.encode(JSON.stringify(object));
}

const yamlErrors = "yaml: unmarshal errors:\n";

/** What upstream's YAML decoder makes of duplicate keys: one error. */
export function yamlProblem(duplicates: readonly string[]): readonly string[] {
  return duplicates.length === 0 ? [] : [`${yamlErrors}${duplicates.map((line) => `  ${line}`).join("\n")}`];
}

/** What a client is warned of: each duplicate key of YAML by itself. */
export function warningsOf(problem: string): readonly string[] {
  if (!problem.startsWith(yamlErrors)) return [problem];
  return problem
    .slice(yamlErrors.length)
    .split("\n")
    .map((line) => line.trim());
}

/** How upstream words what strict decoding found. */
export function strictDecodingError(problems: readonly string[]): string {
  return `strict decoding error: ${problems.join(", ")}`;
}

/** Whether strict decoding looks at a path: raw JSON and what unknown fields hold is not looked at. */
function isChecked(path: Path, root: Type): boolean {
  let type = root;
  for (const step of path.slice(0, -1)) {
    if (type.kind === "list") type = type.element;
    else if (type.kind === "map") type = type.value;
    else if (type.kind === "struct") {
      const field = type.field(String(step));
      // What is kept though nothing is known of it is read as maps are.
      if (field === undefined) return type.preserveUnknown;
      type = field.type;
    } else return false;
  }
  return (type.kind === "struct" || type.kind === "map") && !(type instanceof SchemaAlternative);
}
