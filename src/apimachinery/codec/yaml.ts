import type { Schema } from "js-yaml";
import { goQuote } from "../go-quote.ts";
import { DecodeError } from "./decode-error.ts";
import { hasDuplicateKeys } from "./scan.ts";

/** An alias may stand for much: a few lines of YAML could otherwise become gigabytes. */
const maximumAliases = 100;
const maximumYamlDepth = 500;

type Yaml = typeof import("js-yaml");

/** The value of a YAML document, read as sigs.k8s.io/yaml does: YAML 1.1 without times and base 60. */
export async function decodeYaml(text: string): Promise<unknown> {
  return (await readYaml(text)).value;
}

/** A YAML document that can be asked for keys that it has twice. */
export interface YamlDocument {
  readonly value: unknown;
  /** `line 3: key "a" already set in map` for each. */
  duplicates(): readonly string[];
}

/** As `decodeYaml`, for strict decoding. */
export async function readYaml(text: string): Promise<YamlDocument> {
  const json = plainJson(text);
  if (json !== undefined && !hasDuplicateKeys(text, json)) return { value: json, duplicates: () => [] };
  const yaml = await import("js-yaml");
  const value = documentsOf(yaml, text)[0] ?? null;
  return { value, duplicates: () => duplicateYamlKeys(yaml, text) };
}

/** Programs send YAML as JSON, which JSON.parse reads much faster; undefined where the two may not agree. */
function plainJson(text: string): unknown {
  if (!text.startsWith("{") || text.includes('"<<"')) return undefined;
  try {
    const value = JSON.parse(text) as unknown;
    return isShallow(value, maximumYamlDepth) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  for (const child of Object.values(value)) if (!isShallow(child, levels - 1)) return false;
  return true;
}

/** The values of all documents. */
export async function decodeYamlDocuments(text: string): Promise<readonly unknown[]> {
  return documentsOf(await import("js-yaml"), text);
}

function documentsOf(yaml: Yaml, text: string): readonly unknown[] {
  try {
    return yaml.loadAll(text, {
      schema: schemaOf(yaml),
      json: true,
      maxAliases: maximumAliases,
      maxDepth: maximumYamlDepth,
    });
  } catch (error) {
    if (!(error instanceof yaml.YAMLException)) throw error;
    const reason = reasonOf(error);
    throw new DecodeError(reason.startsWith(unsupportedKey) ? reason : `yaml: ${reason}`);
  }
}

/** What upstream's scanner says where this one says something else. */
const scannerWords: readonly (readonly [RegExp, string])[] = [
  [/^bad indentation of a mapping entry/, "mapping values are not allowed in this context"],
  [
    /tab characters|^unexpected end of the stream within a tag/,
    "found character that cannot start any token",
  ],
  [/within a (?:double|single) quoted scalar/, "found unexpected end of stream"],
  [/^expected hexadecimal character/, "did not find expected hexdecimal number"],
  [/can not read (?:a block mapping entry|an implicit mapping pair)/, "could not find expected ':'"],
];
/** The same of its parser, which names the line before. */
const parserWords: readonly (readonly [RegExp, string])[] = [
  [/within a flow collection|^missed comma/, "did not find expected node content"],
  [/^bad indentation of a sequence entry/, "did not find expected '-' indicator"],
  [/^end of the stream or a document separator is expected/, "did not find expected <document start>"],
];

function reasonOf(error: Error & { readonly mark?: { readonly line: number }; reason?: string }): string {
  const reason = error.reason ?? error.message;
  const alias = /^unidentified alias "(.*)"$/.exec(reason);
  if (reason.startsWith("nesting exceeded")) return "exceeded max depth of 10000";
  if (/valid JSON character|non-printable/.test(reason)) return "control characters are not allowed";
  if (reason.startsWith(unsupportedKey)) return reason;
  if (alias) return `unknown anchor '${alias[1] ?? ""}' referenced`;
  const line = error.mark?.line ?? 0;
  const at = (number: number) => (number === 0 ? "" : `line ${number}: `);
  const scanned = scannerWords.find(([pattern]) => pattern.test(reason));
  // The scanner counts from 1 but keeps quiet of the first line.
  if (scanned) return `${at(line === 0 ? 0 : line + 1)}${scanned[1]}`;
  const parsed = parserWords.find(([pattern]) => pattern.test(reason));
  return `${at(Math.max(line, parsed ? 1 : 0))}${parsed ? parsed[1] : reason}`;
}

/** A collection that is being read: of a mapping the keys that it has had, and the one whose value comes next. */
interface OpenCollection {
  readonly keys?: Set<string>;
  key?: string;
}

/** Keys that a mapping of the first document has more than once, with the lines of the values that come too late. */
function duplicateYamlKeys(yaml: Yaml, text: string): readonly string[] {
  const { SCALAR, MAPPING, SEQUENCE, ALIAS, POP, DOCUMENT } = yaml.EVENT_ID;
  const duplicates: string[] = [];
  const open: OpenCollection[] = [];
  let documents = 0;
  // Events come in the order of the text: lines are counted on from the last one that was asked for.
  let [line, counted] = [1, 0];
  for (const event of yaml.parseEvents(text, { maxDepth: maximumYamlDepth })) {
    if (event.type === POP) {
      open.pop();
      continue;
    }
    if (event.type === DOCUMENT) {
      if (++documents > 1) break;
      open.push({});
      continue;
    }
    const { keys, key } = open.at(-1) ?? {};
    if (keys !== undefined && key === undefined) {
      open.at(-1)!.key = event.type === SCALAR ? yaml.getScalarValue(text, event) : "";
    } else if (keys !== undefined && key !== undefined) {
      delete open.at(-1)!.key;
      const start =
        event.type === SCALAR ? event.valueStart : event.type === ALIAS ? event.anchorStart : event.start;
      if (keys.has(key)) {
        for (; counted < start; counted++) if (text[counted] === "\n") line++;
        duplicates.push(`line ${line}: key ${goQuote(key)} already set in map`);
      }
      keys.add(key);
    }
    if (event.type === MAPPING) open.push({ keys: new Set() });
    else if (event.type === SEQUENCE) open.push({});
  }
  return duplicates;
}

/** How upstream begins its words on a key that JSON cannot have. It is no error of its reader. */
const unsupportedKey = "Unsupported map key";

/** Mappings as upstream makes JSON of them: there are no keys that are null. */
function mappings({ mapTag }: Yaml) {
  return {
    ...mapTag,
    addPair(carrier: Readonly<Record<string, unknown>>, key: unknown, value: unknown): string {
      if (key === null) {
        const shown = value === null ? "<nil>" : JSON.stringify(value);
        return `${unsupportedKey} of type: %!s(<nil>), key: <nil>, value: ${shown}`;
      }
      const isInfinite = typeof key === "number" && Math.abs(key) === Infinity;
      return mapTag.addPair(carrier, isInfinite ? (key < 0 ? "-.inf" : ".inf") : key, value);
    },
  };
}

const integer = /^[-+]?(?:0b[01_]+|0o?[0-7_]*|0x[\da-fA-F_]+|[1-9][\d_]*)$/;
const float = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const infinity = /^[-+]?\.(?:inf|Inf|INF)$/;

function schemaOf(yaml: Yaml): Schema {
  const NOT_RESOLVED: typeof yaml.NOT_RESOLVED = yaml.NOT_RESOLVED;
  const digits = "-+0123456789".split("");
  const integers = yaml.defineScalarTag<number>("tag:yaml.org,2002:int", {
    implicit: true,
    implicitFirstChars: digits,
    resolve: (source) => (integer.test(source) ? integerOf(source) : NOT_RESOLVED),
    identify: (value) => Number.isInteger(value),
  });
  const floats = yaml.defineScalarTag<number>("tag:yaml.org,2002:float", {
    implicit: true,
    implicitFirstChars: [...digits, "."],
    resolve(source) {
      if (float.test(source)) return Number(source);
      if (infinity.test(source)) return source.startsWith("-") ? -Infinity : Infinity;
      return NOT_RESOLVED;
    },
    identify: (value) => typeof value === "number",
  });
  const binary = yaml.defineScalarTag<string>("tag:yaml.org,2002:binary", {
    implicit: false,
    resolve: (source) => (isBase64(source) ? textOfBase64(source) : NOT_RESOLVED),
    identify: () => false,
  });
  // What nobody knows is text.
  const unknown = yaml.defineScalarTag<string>("!", {
    implicit: false,
    matchByTagPrefix: true,
    resolve: (source) => source,
    identify: () => false,
  });
  return new yaml.Schema([
    ...yaml.FAILSAFE_SCHEMA.tags.filter(({ tagName }) => tagName !== yaml.mapTag.tagName),
    mappings(yaml),
    binary,
    unknown,
    yaml.nullYaml11Tag,
    yaml.boolYaml11Tag,
    integers,
    floats,
    yaml.mergeTag,
  ]);
}

const isBase64 = (text: string) =>
  /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(text.replace(/[\r\n]/g, ""));

const textOfBase64 = (text: string) =>
  new TextDecoder().decode(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));

/** As Go's strconv reads a literal: a leading zero means octal. */
function integerOf(source: string): number {
  const negative = source.startsWith("-");
  const text = source.replace(/^[-+]/, "").replaceAll("_", "");
  const octal = /^0o?([0-7]+)$/.exec(text)?.[1];
  const value = octal === undefined ? Number(text) : Number.parseInt(octal, 8);
  return negative ? -value : value;
}
