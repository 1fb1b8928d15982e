import { SchemaAlternative } from "../schema/index.ts";
import type { Field, ListType, MapType, ScalarType, StructType, Type } from "../schema/types.ts";
import { DecodeError } from "./decode-error.ts";
import { numberKey, type NumberTexts } from "./number-texts.ts";
import { convertScalar, describe, wrapped, zeroOfScalar } from "./scalars.ts";

/** Deeper nesting than this is no honest object; it would exhaust the stack. */
export const maximumDepth = 500;
/** As many unknown fields as upstream reports. */
export const maximumProblems = 100;

/** Where a value is; a chain, so that the path is only made when something is wrong with it. */
interface Place {
  readonly parent: Place | undefined;
  /** Field or key; a number for an element. */
  readonly step: string | number;
  /** Whether the step is a key of a map: Go's type errors leave those out. */
  readonly key: boolean;
  readonly depth: number;
}

/** Collects what is unknown, when anyone wants to know. */
export interface Converter {
  readonly problems: string[] | undefined;
  /** The texts of numbers, where the values alone do not say how they were written. */
  readonly numbers?: NumberTexts | undefined;
  readonly wraps?: boolean | undefined;
}

/**
 * The value as the type has it: unknown fields dropped, scalars canonical, zero values written or left out as
 * upstream's encoder does. Throws DecodeError in the words of Go's encoding/json.
 */
export function convertStruct(value: unknown, type: StructType, converter: Converter): object {
  const result = convert(value, type, undefined, undefined, converter);
  return result ?? zeroOfStruct(type);
}

function convert(
  value: unknown,
  type: Type,
  owner: StructType | undefined,
  place: Place | undefined,
  converter: Converter,
): unknown {
  switch (type.kind) {
    case "struct":
      return struct(value, type, owner, place, converter);
    case "list":
      return list(value, type, owner, place, converter);
    case "map":
      return map(value, type, owner, place, converter);
    default:
      return scalar(value, type, owner, place, converter);
  }
}

function struct(
  value: unknown,
  type: StructType,
  owner: StructType | undefined,
  place: Place | undefined,
  converter: Converter,
): object {
  if (value === null || value === undefined) return zeroOfStruct(type);
  if (typeof value !== "object" || Array.isArray(value)) throw mismatch(value, type, owner, place);
  const depth = place === undefined ? 0 : place.depth + 1;
  if (depth > maximumDepth) throw new DecodeError("exceeded max depth");
  const source = value as Readonly<Record<string, unknown>>;
  const plan = planOf(type);
  const result: Record<string, unknown> = {};
  let written = 0;
  for (const name in source) {
    const child = source[name];
    const step = plan.steps.get(name);
    if (step === undefined) {
      unknownField(result, name, { child, type, place, converter });
      continue;
    }
    // null leaves a field as it was: at its zero value, which `completed` writes.
    if (child === null || child === undefined) continue;
    const { field } = step;
    let converted: unknown;
    if (step.plain && typeof child === "string") converted = child;
    else {
      const at: Place = { parent: place, step: name, key: false, depth };
      converted = convert(child, field.type, type, at, converter);
    }
    if (field.omitEmpty && !(step.keepsEmpty && isEmptyList(converted)) && isOmitted(converted, field))
      continue;
    result[name] = converted;
    if (step.always) written++;
  }
  if (written < plan.always.length) complete(result, plan);
  return result;
}

/** Whether a value that is kept as it is nests deeper: whoever walks it does so by calling itself. */
function isDeeper(value: unknown, most: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (most === 0) return true;
  if (Array.isArray(value)) return value.some((element) => isDeeper(element, most - 1));
  const fields = value as Readonly<Record<string, unknown>>;
  for (const key in fields) if (isDeeper(fields[key], most - 1)) return true;
  return false;
}

function unknownField(
  result: Record<string, unknown>,
  name: string,
  found: {
    readonly child: unknown;
    readonly type: StructType;
    readonly place: Place | undefined;
    readonly converter: Converter;
  },
): void {
  if (found.type.preserveUnknown) {
    if (isDeeper(found.child, maximumDepth)) throw new DecodeError("exceeded max depth");
    setKey(result, name, found.child);
    return;
  }
  const { problems } = found.converter;
  if (problems !== undefined && found.child !== undefined && problems.length < maximumProblems)
    problems.push(`unknown field ${JSON.stringify(strictPath(found.place, name))}`);
}

function list(
  value: unknown,
  type: ListType,
  owner: StructType | undefined,
  place: Place | undefined,
  converter: Converter,
): readonly unknown[] | null {
  if (value === null || value === undefined) return null;
  if (!Array.isArray(value)) throw mismatch(value, type, owner, place);
  const depth = place === undefined ? 0 : place.depth + 1;
  const { element } = type;
  const result: unknown[] = [];
  for (let index = 0; index < value.length; index++) {
    const child: unknown = value[index];
    if (element.kind === "string" && typeof child === "string") result.push(child);
    else
      result.push(
        convert(child, element, owner, { parent: place, step: index, key: false, depth }, converter),
      );
  }
  return result;
}

function map(
  value: unknown,
  type: MapType,
  owner: StructType | undefined,
  place: Place | undefined,
  converter: Converter,
): object | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== "object" || Array.isArray(value)) throw mismatch(value, type, owner, place);
  const depth = place === undefined ? 0 : place.depth + 1;
  const source = value as Readonly<Record<string, unknown>>;
  const result: Record<string, unknown> = {};
  for (const key in source) {
    const child = source[key];
    if (child === undefined) continue;
    const converted =
      type.value.kind === "string" && typeof child === "string"
        ? child
        : convert(child, type.value, owner, { parent: place, step: key, key: true, depth }, converter);
    setKey(result, key, converted);
  }
  return result;
}

function scalar(
  value: unknown,
  type: ScalarType,
  owner: StructType | undefined,
  place: Place | undefined,
  converter: Converter,
): unknown {
  if (type instanceof SchemaAlternative) return alternative(value, type, owner, place);
  if (value === null || value === undefined) return zeroOfScalar(type);
  const { numbers, wraps } = converter;
  const source = numbers === undefined ? undefined : numbers.get(numberKey(stepsTo(place)));
  const given = wraps && typeof value === "number" ? wrapped(value, type) : value;
  const converted = convertScalar(given, type, source);
  if (converted === undefined) throw mismatch(value, type, owner, place, source);
  return converted;
}

/** Strings and booleans stay; schemas in their place are walked, but not strictly: upstream decodes them apart. */
export function alternative(
  value: unknown,
  type: SchemaAlternative,
  owner?: StructType,
  place?: Place,
): unknown {
  const lenient: Converter = { problems: undefined };
  if (value === null || value === undefined) return type.form === "boolean" ? false : null;
  if (type.form === "boolean" && typeof value === "boolean") return value;
  if (Array.isArray(value)) {
    if (type.form === "strings") return list(value, listOf({ kind: "string" }), owner, place, lenient);
    if (type.form === "schemas") return list(value, listOf(type.schema), owner, place, lenient);
  }
  if (typeof value === "object" && !Array.isArray(value))
    return struct(value, type.schema, owner, place, lenient);
  if (type.form === "boolean") throw new DecodeError("boolean or JSON schema expected");
  throw mismatch(value, type.schema, owner, place);
}

const listOf = (element: Type): ListType => ({ kind: "list", element, listType: "atomic", mapKeys: [] });

/** Sets a key, be it `__proto__`: that must not set the prototype. */
export function setKey(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/** A field as converting sees it. */
export interface Step {
  readonly field: Field;
  /** A string without further rules: taken over as it is. */
  readonly plain: boolean;
  /** Written also when zero. */
  readonly always: boolean;
  /** An empty list stays: clients that send one mean something else than those who leave it out. */
  readonly keepsEmpty: boolean;
}

const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0;

/** What converting needs to know of a type, looked up once. */
export interface Plan {
  readonly steps: ReadonlyMap<string, Step>;
  readonly always: readonly Field[];
}

/** Derived from types alone, so that it may outlive what uses it. */
const plans = new WeakMap<StructType, Plan>();

export function planOf(type: StructType): Plan {
  const known = plans.get(type);
  if (known !== undefined) return known;
  const steps = type.fields.map((field): [string, Step] => [
    field.name,
    {
      field,
      plain: field.type.kind === "string",
      always: !field.omitEmpty,
      keepsEmpty: field.keepsEmpty === true,
    },
  ]);
  const plan = { steps: new Map(steps), always: type.fields.filter((field) => !field.omitEmpty) };
  plans.set(type, plan);
  return plan;
}

function complete(target: Record<string, unknown>, plan: Plan): void {
  for (const field of plan.always) {
    if (target[field.name] === undefined) target[field.name] = zeroOf(field);
  }
}

/** Writes the zero values that JSON shows although nobody set them. */
export function completeStruct(target: Record<string, unknown>, type: StructType): void {
  complete(target, planOf(type));
}

function zeroOf(field: Field): unknown {
  const { type } = field;
  if (field.pointer || type.kind === "list" || type.kind === "map") return null;
  if (type.kind === "struct") return zeroOfStruct(type);
  return type instanceof SchemaAlternative ? (type.form === "boolean" ? false : null) : zeroOfScalar(type);
}

/** What upstream writes for a struct that nobody filled in. */
export function zeroOfStruct(type: StructType): object {
  const result: Record<string, unknown> = {};
  complete(result, planOf(type));
  return result;
}

/** Whether omitempty leaves the value out. */
export function isOmitted(value: unknown, field: Field): boolean {
  if (value === null) return true;
  if (typeof value === "object")
    return field.type.kind === "list" || field.type.kind === "map" ? isEmpty(value) : false;
  return !field.pointer && (value === "" || value === 0 || value === false) && field.type.kind !== "json";
}

function isEmpty(value: object): boolean {
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

/** `spec.containers[0].name`: elements by index, keys of maps as they are. */
function strictPath(place: Place | undefined, name: string): string {
  return joinPath([...stepsTo(place), name]);
}

function stepsTo(place: Place | undefined): readonly (string | number)[] {
  const steps: (string | number)[] = [];
  for (let at = place; at !== undefined; at = at.parent) steps.unshift(at.step);
  return steps;
}

/** A path in the words of strict decoding. */
export function joinPath(steps: readonly (string | number)[]): string {
  let path = "";
  for (const step of steps) {
    if (typeof step === "number") path += `[${step}]`;
    else path += path === "" ? step : `.${step}`;
  }
  return path;
}

/** Go names the innermost struct, then the path of JSON names without indices and keys. */
function mismatch(
  value: unknown,
  type: Type,
  owner: StructType | undefined,
  place: Place | undefined,
  source?: string,
): DecodeError {
  const found = describe(value, type, source);
  const names: string[] = [];
  for (let at = place; at !== undefined; at = at.parent) {
    if (typeof at.step === "string" && !at.key) names.unshift(at.step);
  }
  const target = type.kind === "intOrString" ? "int32" : goName(type);
  if (owner === undefined || type.kind === "intOrString" || isOwnDecoder(type))
    return new DecodeError(`json: cannot unmarshal ${found} into Go value of type ${target}`);
  const field = `${shortName(owner.name)}.${names.join(".")}`;
  return new DecodeError(`json: cannot unmarshal ${found} into Go struct field ${field} of type ${target}`);
}

/** Types that decode themselves from text do not know which field they are in. */
function isOwnDecoder(type: Type): boolean {
  return type.kind === "time" || type.kind === "microTime" || type.kind === "duration";
}

/** What Go's errors call a type. */
export function goName(type: Type): string {
  switch (type.kind) {
    case "struct":
      return qualifiedGoName(type.name);
    case "list":
      return `[]${goName(type.element)}`;
    case "map":
      return type.name === undefined ? `map[string]${goName(type.value)}` : qualifiedGoName(type.name);
    case "boolean":
      return type.name === undefined ? "bool" : qualifiedGoName(type.name);
    case "bytes":
      return "[]uint8";
    case "time":
    case "microTime":
    case "duration":
      return "string";
    default:
      return type.name === undefined ? type.kind : qualifiedGoName(type.name);
  }
}

const shortName = (name: string) => name.slice(name.lastIndexOf(".") + 1);

function qualifiedGoName(name: string): string {
  return name.split(".").slice(-2).join(".");
}
