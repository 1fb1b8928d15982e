import { ApiError } from "../../apimachinery/index.ts";
import type { JsonObject, JsonValue } from "../../apimachinery/index.ts";
import {
  DecodeError,
  duplicateFields,
  numberKey,
  oddNumbers,
  parseJson,
} from "../../apimachinery/codec/index.ts";
import type { NumberTexts } from "../../apimachinery/codec/index.ts";
import { goKind } from "../../apimachinery/patch/index.ts";
import type { Patch } from "../../api/index.ts";

/** The types of patches whose body is JSON. */
export type JsonPatchType = Exclude<Patch["type"], "apply">;

/** The patch in a body of JSON. Throws `BadRequest` in the words of upstream's decoders. */
export function decodePatchBody(
  type: JsonPatchType,
  bytes: Uint8Array,
  options: { readonly strict: boolean },
): Patch {
  const text = new TextDecoder().decode(bytes);
  const value = parsed(type, text, options.strict);
  const duplicates = options.strict ? duplicateFields(text, value) : [];
  if (type === "json") {
    const problems = options.strict ? operationProblems(value) : [];
    const numbers = oddNumbers(text);
    return {
      type,
      body: (numbers ? withFailingTests(value, numbers) : value) as unknown as object[],
      problems: [...problems, ...duplicates].map((problem) => `json patch ${problem}`),
      ...numbersOf(operationNumbers(value, numbers)),
    };
  }
  if (value === null && type === "strategic") return { type, body: {}, problems: [] };
  if (value === null) throw ApiError.badRequest("Invalid JSON Patch");
  if (typeof value === "object" && !Array.isArray(value)) {
    // A strategic merge patch is of values, not of text.
    const numbers = type === "merge" ? oddNumbers(text) : undefined;
    return { type, body: value, problems: duplicates, ...numbersOf(numbers) };
  }
  throw refused(
    type,
    `json: cannot unmarshal ${goKind(value)} into Go value of type map[string]interface {}`,
  );
}

function parsed(type: JsonPatchType, text: string, strict: boolean): JsonValue {
  try {
    return parseJson(text) as JsonValue;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    if (strict) throw refused(type, error.message);
    throw ApiError.badRequest(type === "merge" ? "Invalid JSON Patch" : error.message);
  }
}

const numbersOf = (numbers: NumberTexts | undefined) => (numbers === undefined ? {} : { numbers });

/** Upstream tests texts: a number that is not written as objects are equals none, and neither does what holds it. */
function withFailingTests(patch: JsonValue, numbers: NumberTexts): JsonValue {
  if (!Array.isArray(patch)) return patch;
  const operations = [...(patch as readonly JsonValue[])];
  for (const [key, source] of numbers) {
    const [index = "", field] = key.split("\0", 2);
    const operation = (operations[Number(index)] ?? {}) as JsonObject;
    if (operation["op"] !== "test" || field !== "value" || source === String(Number(source))) continue;
    operations[Number(index)] = { ...operation, value: Number.NaN };
  }
  return operations;
}

/** Where numbers of operations come to stand in what they change; lists whose elements move later are not followed. */
function operationNumbers(patch: JsonValue, numbers: NumberTexts | undefined): NumberTexts | undefined {
  if (numbers === undefined || !Array.isArray(patch)) return undefined;
  const moved = new Map<string, string>();
  for (const [key, source] of numbers) {
    const [index, field, ...rest] = key.split("\0");
    const { op, path } = ((patch as readonly JsonValue[])[Number(index)] ?? {}) as JsonObject;
    if (op === "test" || field !== "value" || typeof path !== "string") continue;
    const steps = path.split("/").slice(1);
    moved.set(
      numberKey([...steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~")), ...rest]),
      source,
    );
  }
  return moved;
}

/** Strategic merge patches are decoded without saying that it was a patch. */
const refused = (type: JsonPatchType, message: string) =>
  ApiError.badRequest(type === "strategic" ? message : `error decoding patch: ${message}`);

const textFields = ["op", "path", "from"] as const;
const operationFields: ReadonlySet<string> = new Set([...textFields, "value"]);

/** Fields that operations do not have; throws when a patch is no list of operations at all. */
function operationProblems(patch: JsonValue): readonly string[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) throw refused("json", cannotUnmarshal(patch, "value", "[]handlers.jsonPatchOp"));
  const problems: string[] = [];
  for (const [index, operation] of (patch as readonly JsonValue[]).entries()) {
    if (operation === null) continue;
    if (typeof operation !== "object" || Array.isArray(operation)) {
      throw refused("json", cannotUnmarshal(operation, "value", "handlers.jsonPatchOp"));
    }
    checkTexts(operation as JsonObject);
    for (const key of Object.keys(operation)) {
      if (!operationFields.has(key)) problems.push(`unknown field ${JSON.stringify(`[${index}].${key}`)}`);
    }
  }
  return problems;
}

function checkTexts(operation: JsonObject): void {
  for (const field of textFields) {
    const value = operation[field] ?? null;
    if (value === null || typeof value === "string") continue;
    throw refused("json", cannotUnmarshal(value, `struct field jsonPatchOp.${field}`, "string"));
  }
}

const cannotUnmarshal = (value: JsonValue, where: string, type: string) =>
  `json: cannot unmarshal ${goKind(value)} into Go ${where} of type ${type}`;
