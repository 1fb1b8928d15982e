import type { FunctionDeclaration, Implementation, Overload } from "../check/declarations.ts";
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  parameterType,
  stringType,
  timestampType,
  typeType,
  uintType,
  type CelType,
} from "../check/types.ts";
import { codePointLength } from "../syntax/issues.ts";
import { operators } from "../syntax/ast.ts";
import { standardMacros } from "../syntax/macros.ts";
import { text } from "../values/arguments.ts";
import { add, divide, modulo, multiply, negate, subtract } from "../values/arithmetic.ts";
import { compare, equal } from "../values/compare.ts";
import {
  toBool,
  toBytes,
  toDouble,
  toDuration,
  toInt,
  toText,
  toTimestamp,
  toUint,
  typeOf,
} from "../values/convert.ts";
import { noSuchOverload } from "../values/errors.ts";
import { lookUp, sizeOfMap } from "../values/maps.ts";
import { adapt, elementsOf, isMap, type Value } from "../values/value.ts";
import { dispatched, fn, method, signature, type Library } from "./library.ts";
import { matches } from "./regex.ts";
import { timeFunctions } from "./standard-time.ts";

const paramA = parameterType("A");
const paramB = parameterType("B");
const listOfA = listType(paramA);
const mapOfAB = mapType(paramA, paramB);

/** `size(x)`: code points, bytes, elements or entries. */
export function sizeOf(value: Value): number {
  if (typeof value === "string") return codePointLength(value);
  if (value instanceof Uint8Array) return value.length;
  const elements = elementsOf(value);
  if (elements) return elements.length;
  if (isMap(value)) return sizeOfMap(value);
  throw noSuchOverload("size");
}

/** `x in y` */
export function contains(value: Value, container: Value): boolean {
  const elements = elementsOf(container);
  if (elements) return elements.some((element) => equal(value, adapt(element)));
  if (isMap(container)) return lookUp(container, value) !== undefined;
  throw noSuchOverload();
}

/** Types and the names by which overloads know them. */
const named: readonly (readonly [string, CelType])[] = [
  ["bool", boolType],
  ["int64", intType],
  ["uint64", uintType],
  ["double", doubleType],
  ["string", stringType],
  ["bytes", bytesType],
  ["timestamp", timestampType],
  ["duration", durationType],
];

const numbers = named.slice(1, 4);

function comparison(name: string, word: string, accepts: (order: number) => boolean): FunctionDeclaration {
  const evaluate: Implementation = (one, other) => accepts(compare(one, other));
  const same = named.map(([suffix, type]) => signature(`${word}_${suffix}`, [type, type, boolType]));
  const across = numbers.flatMap(([first, one]) =>
    numbers
      .filter(([second]) => second !== first)
      .map(([second, other]) => signature(`${word}_${first}_${second}`, [one, other, boolType])),
  );
  return dispatched(name, evaluate, ...same, ...across);
}

const same = (word: string, types: readonly (readonly [string, CelType])[]): Overload[] =>
  types.map(([suffix, type]) => signature(`${word}_${suffix}`, [type, type, type]));

const arithmetic: readonly FunctionDeclaration[] = [
  dispatched(
    operators.add,
    add,
    signature("add_bytes", [bytesType, bytesType, bytesType]),
    signature("add_double", [doubleType, doubleType, doubleType]),
    signature("add_duration_duration", [durationType, durationType, durationType]),
    signature("add_duration_timestamp", [durationType, timestampType, timestampType]),
    signature("add_timestamp_duration", [timestampType, durationType, timestampType]),
    signature("add_int64", [intType, intType, intType]),
    signature("add_list", [listOfA, listOfA, listOfA]),
    signature("add_string", [stringType, stringType, stringType]),
    signature("add_uint64", [uintType, uintType, uintType]),
  ),
  dispatched(
    "_-_",
    subtract,
    ...same("subtract", numbers),
    signature("subtract_duration_duration", [durationType, durationType, durationType]),
    signature("subtract_timestamp_duration", [timestampType, durationType, timestampType]),
    signature("subtract_timestamp_timestamp", [timestampType, timestampType, durationType]),
  ),
  dispatched("_*_", multiply, ...same("multiply", numbers)),
  dispatched("_/_", divide, ...same("divide", numbers)),
  dispatched("_%_", modulo, ...same("modulo", numbers.slice(0, 2))),
  dispatched(
    operators.negate,
    negate,
    signature("negate_double", [doubleType, doubleType]),
    signature("negate_int64", [intType, intType]),
  ),
];

const logic: readonly FunctionDeclaration[] = [
  fn(operators.conditional, signature("conditional", [boolType, paramA, paramA, paramA])),
  fn(operators.and, signature("logical_and", [boolType, boolType, boolType])),
  fn(operators.or, signature("logical_or", [boolType, boolType, boolType])),
  fn(
    operators.not,
    signature("logical_not", [boolType, boolType], (value) => {
      if (typeof value !== "boolean") throw noSuchOverload();
      return !value;
    }),
  ),
  fn(operators.notStrictlyFalse, signature("not_strictly_false", [boolType, boolType])),
  dispatched(operators.equals, equal, signature("equals", [paramA, paramA, boolType])),
  dispatched("_!=_", (one, other) => !equal(one, other), signature("not_equals", [paramA, paramA, boolType])),
];

const relations: readonly FunctionDeclaration[] = [
  comparison("_<_", "less", (order) => order < 0),
  comparison("_<=_", "less_equals", (order) => order <= 0),
  comparison("_>_", "greater", (order) => order > 0),
  comparison("_>=_", "greater_equals", (order) => order >= 0),
  fn(
    operators.index,
    signature("index_list", [listOfA, intType, paramA]),
    signature("index_map", [mapOfAB, paramA, paramB]),
  ),
  dispatched(
    operators.in,
    contains,
    signature("in_list", [paramA, listOfA, boolType]),
    signature("in_map", [paramA, mapOfAB, boolType]),
  ),
];

const sized: readonly (readonly [string, CelType])[] = [
  ["bytes", bytesType],
  ["list", listOfA],
  ["map", mapOfAB],
  ["string", stringType],
];

const conversion = (
  name: string,
  evaluate: Implementation,
  overloads: Readonly<Record<string, readonly [CelType, CelType]>>,
): FunctionDeclaration =>
  dispatched(name, evaluate, ...Object.entries(overloads).map(([id, types]) => signature(id, types)));

const conversions: readonly FunctionDeclaration[] = [
  dispatched("type", typeOf, signature("type", [paramA, typeType(paramA)])),
  dispatched("dyn", (value) => value, signature("to_dyn", [paramA, dynType])),
  conversion("bool", toBool, { bool_to_bool: [boolType, boolType], string_to_bool: [stringType, boolType] }),
  conversion("bytes", toBytes, {
    bytes_to_bytes: [bytesType, bytesType],
    string_to_bytes: [stringType, bytesType],
  }),
  conversion("double", toDouble, {
    double_to_double: [doubleType, doubleType],
    int64_to_double: [intType, doubleType],
    string_to_double: [stringType, doubleType],
    uint64_to_double: [uintType, doubleType],
  }),
  conversion("duration", toDuration, {
    duration_to_duration: [durationType, durationType],
    int64_to_duration: [intType, durationType],
    string_to_duration: [stringType, durationType],
  }),
  conversion("int", toInt, {
    int64_to_int64: [intType, intType],
    double_to_int64: [doubleType, intType],
    duration_to_int64: [durationType, intType],
    string_to_int64: [stringType, intType],
    timestamp_to_int64: [timestampType, intType],
    uint64_to_int64: [uintType, intType],
  }),
  conversion("string", toText, {
    string_to_string: [stringType, stringType],
    bool_to_string: [boolType, stringType],
    bytes_to_string: [bytesType, stringType],
    double_to_string: [doubleType, stringType],
    duration_to_string: [durationType, stringType],
    int64_to_string: [intType, stringType],
    timestamp_to_string: [timestampType, stringType],
    uint64_to_string: [uintType, stringType],
  }),
  conversion("timestamp", toTimestamp, {
    timestamp_to_timestamp: [timestampType, timestampType],
    int64_to_timestamp: [intType, timestampType],
    string_to_timestamp: [stringType, timestampType],
  }),
  conversion("uint", toUint, {
    uint64_to_uint64: [uintType, uintType],
    double_to_uint64: [doubleType, uintType],
    int64_to_uint64: [intType, uintType],
    string_to_uint64: [stringType, uintType],
  }),
];

const twoTexts = [stringType, stringType, boolType];

const texts: readonly FunctionDeclaration[] = [
  fn(
    "contains",
    method("contains_string", twoTexts, (value, part) => text(value).includes(text(part))),
  ),
  fn(
    "startsWith",
    method("starts_with_string", twoTexts, (value, prefix) => text(value).startsWith(text(prefix))),
  ),
  fn(
    "endsWith",
    method("ends_with_string", twoTexts, (value, suffix) => text(value).endsWith(text(suffix))),
  ),
  dispatched("matches", matches, signature("matches", twoTexts), method("matches_string", twoTexts)),
];

/** What every environment has. */
export const standardLibrary: Library = {
  name: "standard",
  macros: standardMacros,
  functions: [
    ...logic,
    ...relations,
    ...arithmetic,
    ...conversions,
    ...texts,
    dispatched(
      "size",
      sizeOf,
      ...sized.flatMap(([name, type]) => [
        signature(`size_${name}`, [type, intType]),
        method(`${name}_size`, [type, intType]),
      ]),
    ),
    ...timeFunctions,
  ],
};
