import type { JsonObject, JsonValue } from "../json.ts";
import { goText, goType } from "../patch/index.ts";
import type { ListType, ScalarKind, StructType, Type } from "../schema/types.ts";
import { elementText } from "./field-set.ts";
import { isJsonObject, listElement, missingKey } from "./layout.ts";

/** What keeps a configuration from being applied, in upstream's words: undeclared fields, wrong types, bad lists. */
export function appliedProblems(object: JsonObject, type: StructType): readonly string[] {
  const problems: string[] = [];
  checkStruct(object, type, { parent: undefined, step: "", list: undefined, problems });
  return problems;
}

/** Problems as upstream shows them together. */
export const problemsText = (problems: readonly string[]): string =>
  problems.length === 1
    ? (problems[0] ?? "")
    : ["errors:", ...problems.map((line) => `  ${line}`)].join("\n");

/** Where a value is: a chain, so that the path is only made when something is wrong with it. */
interface Place {
  readonly parent: Place | undefined;
  /** A name, an index, or the element of a keyed list or set. */
  readonly step: JsonValue;
  /** The list whose element this is. */
  readonly list: ListType | undefined;
  readonly problems: string[];
}

function report(place: Place, message: string): void {
  const path = pathOf(place);
  place.problems.push(path === "" ? message : `${path}: ${message}`);
}

function pathOf({ parent, step, list }: Place): string {
  if (parent === undefined) return "";
  if (list === undefined) return `${pathOf(parent)}.${step as string}`;
  const element = list.listType === "atomic" ? `[${step as number}]` : elementText(listElement(list, step));
  return pathOf(parent) + element;
}

const below = (parent: Place, step: JsonValue, list?: ListType): Place => ({
  parent,
  step,
  list,
  problems: parent.problems,
});

function check(value: JsonValue, type: Type, place: Place): void {
  if (value === null) return;
  switch (type.kind) {
    case "struct":
      if (isJsonObject(value)) checkStruct(value, type, place);
      else report(place, `expected map, got &{${goText(value)}}`);
      return;
    case "map":
      if (!isJsonObject(value)) return report(place, `expected map, got &{${goText(value)}}`);
      for (const key of Object.keys(value)) check(value[key] ?? null, type.value, below(place, key));
      return;
    case "list":
      if (Array.isArray(value)) checkList(value, type, place);
      else report(place, `expected list, got &{${goText(value)}}`);
      return;
    default:
      checkScalar(value, type.kind, place);
  }
}

function checkStruct(object: JsonObject, type: StructType, place: Place): void {
  for (const key of Object.keys(object)) {
    const [value, field] = [object[key], type.field(key)];
    if (value === undefined) continue;
    if (field !== undefined) check(value, field.type, below(place, key));
    else if (!type.preserveUnknown) report(below(place, key), "field not declared in schema");
  }
}

function checkList(list: readonly JsonValue[], type: ListType, place: Place): void {
  const seen = new Set<string>();
  for (const [index, value] of list.entries()) {
    if (type.listType === "atomic") {
      check(value, type.element, below(place, index, type));
      continue;
    }
    const problem = elementProblem(value, type);
    if (problem !== undefined) {
      report(place, `element ${index}: ${problem}`);
      return;
    }
    const element = listElement(type, value);
    if (seen.has(element)) report(place, `duplicate entries for key ${elementText(element)}`);
    seen.add(element);
    check(value, type.element, below(place, value, type));
  }
}

function elementProblem(value: JsonValue, type: ListType): string | undefined {
  if (type.listType === "set") {
    if (value === null) return "associative list without keys has an element that's an explicit null";
    if (Array.isArray(value)) return "not supported: associative list with lists as elements";
    if (isJsonObject(value)) return "associative list without keys has an element that's a map type";
    return undefined;
  }
  if (value === null) return "associative list with keys may not have a null element";
  if (!isJsonObject(value)) return "associative list with keys may not have non-map elements";
  const key = missingKey(type, value);
  if (key === undefined) return undefined;
  return `associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`;
}

const numeric: ReadonlySet<ScalarKind> = new Set(["int32", "int64", "uint64", "float64"]);
const textual: ReadonlySet<ScalarKind> = new Set(["string", "bytes", "duration"]);

function checkScalar(value: JsonValue, kind: ScalarKind, place: Place): void {
  if (numeric.has(kind) && typeof value !== "number") {
    report(place, `expected numeric (int or float), got ${goType(value)}`);
  } else if (textual.has(kind) && typeof value !== "string") {
    report(place, `expected string, got &value.valueUnstructured{Value:${goLiteral(value)}}`);
  } else if (kind === "boolean" && typeof value !== "boolean") {
    report(place, `expected boolean, got &{${goText(value)}}`);
  }
}

/** A value as Go's `%#v` prints it. */
function goLiteral(value: JsonValue): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goLiteral).join(", ")}}`;
  if (!isJsonObject(value)) return value === null ? "interface {}(nil)" : JSON.stringify(value);
  const entries = Object.keys(value).sort();
  const fields = entries.map((key) => `${JSON.stringify(key)}:${goLiteral(value[key] ?? null)}`);
  return `map[string]interface {}{${fields.join(", ")}}`;
}
