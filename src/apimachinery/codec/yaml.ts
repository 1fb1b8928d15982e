import type { Schema } from "js-yaml";
import { DecodeError } from "./decode-error.ts";

/** An alias may stand for much: a few lines of YAML could otherwise become gigabytes. */
const maximumAliases = 100;
const maximumYamlDepth = 100;

type Yaml = typeof import("js-yaml");

/** The value of a YAML document, read as sigs.k8s.io/yaml does: YAML 1.1 without times and base 60. */
export async function decodeYaml(text: string): Promise<unknown> {
  const json = plainJson(text);
  if (json !== undefined) return json;
  const documents = await decodeYamlDocuments(text);
  return documents[0] ?? null;
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
  const yaml = await import("js-yaml");
  try {
    return yaml.loadAll(text, {
      schema: schemaOf(yaml),
      json: true,
      maxAliases: maximumAliases,
      maxDepth: maximumYamlDepth,
    });
  } catch (error) {
    if (error instanceof yaml.YAMLException)
      throw new DecodeError(`error converting YAML to JSON: yaml: ${reasonOf(error)}`);
    throw error;
  }
}

/** YAML as `kubectl -o yaml` prints it: keys sorted, lists not indented. */
export async function encodeYaml(value: unknown): Promise<string> {
  const yaml = await import("js-yaml");
  return yaml.dump(value, { sortKeys: true, seqNoIndent: true, lineWidth: -1, noRefs: true });
}

function reasonOf(error: Error & { readonly mark?: { readonly line: number }; reason?: string }): string {
  const reason = error.reason ?? error.message;
  return error.mark === undefined ? reason : `line ${error.mark.line + 1}: ${reason}`;
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
  return new yaml.Schema([
    ...yaml.FAILSAFE_SCHEMA.tags,
    yaml.nullYaml11Tag,
    yaml.boolYaml11Tag,
    integers,
    floats,
    yaml.mergeTag,
  ]);
}

/** As Go's strconv reads a literal: a leading zero means octal. */
function integerOf(source: string): number {
  const negative = source.startsWith("-");
  const text = source.replace(/^[-+]/, "").replaceAll("_", "");
  const octal = /^0o?([0-7]+)$/.exec(text)?.[1];
  const value = octal === undefined ? Number(text) : Number.parseInt(octal, 8);
  return negative ? -value : value;
}
