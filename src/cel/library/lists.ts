import type { FunctionDeclaration } from "../check/declarations.ts";
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  parameterType,
  stringType,
  timestampType,
  uintType,
  type CelType,
} from "../check/types.ts";
import { sortByMacro } from "../syntax/macros.ts";
import { count, list } from "../values/arguments.ts";
import { add } from "../values/arithmetic.ts";
import { compare, equal } from "../values/compare.ts";
import { EvaluationError, noSuchOverload } from "../values/errors.ts";
import { Double, Duration, Uint, adapt, elementsOf, typeNameOf, type Value } from "../values/value.ts";
import { dispatched, fn, method, signature, type Library } from "./library.ts";

const elementType = parameterType("A");
const anyList = listType(elementType);

const comparable: readonly (readonly [string, CelType])[] = [
  ["int", intType],
  ["uint", uintType],
  ["double", doubleType],
  ["bool", boolType],
  ["duration", durationType],
  ["timestamp", timestampType],
  ["string", stringType],
  ["bytes", bytesType],
];

const summable: readonly (readonly [string, CelType, Value])[] = [
  ["int", intType, 0],
  ["uint", uintType, new Uint(0n)],
  ["double", doubleType, new Double(0)],
  ["duration", durationType, new Duration(0n)],
];

const elements = (value: Value): readonly Value[] => list(value).map(adapt);

function isSorted(value: Value): Value {
  const all = elements(value);
  return all.every((element, index) => index === 0 || !(compare(all[index - 1] as Value, element) > 0));
}

const best =
  (name: string, prefers: (order: number) => boolean) =>
  (value: Value): Value => {
    const [first, ...rest] = elements(value);
    if (first === undefined) throw new EvaluationError(`${name} called on empty list`);
    return rest.reduce((chosen, element) => (prefers(compare(chosen, element)) ? element : chosen), first);
  };

const ofComparable = (
  name: string,
  options: { readonly id: string; readonly result: (type: CelType) => CelType; readonly suffix: boolean },
  evaluate: (value: Value) => Value,
): FunctionDeclaration =>
  dispatched(
    name,
    evaluate,
    ...comparable.map(([word, type]) =>
      method(`list_${word}_${options.id}${options.suffix ? `_${word}` : ""}`, [
        listType(type),
        options.result(type),
      ]),
    ),
  );

/** Kubernetes' `isSorted`, `sum`, `min`, `max`, `indexOf` and `lastIndexOf`. */
export const kubernetesListsLibrary: Library = {
  name: "kubernetes.lists",
  functions: [
    ofComparable("isSorted", { id: "is_sorted_bool", result: () => boolType, suffix: false }, isSorted),
    ofComparable(
      "max",
      { id: "max", result: (type) => type, suffix: true },
      best("max", (order) => order < 0),
    ),
    ofComparable(
      "min",
      { id: "min", result: (type) => type, suffix: true },
      best("min", (order) => order > 0),
    ),
    fn(
      "sum",
      ...summable.map(([word, type, zero]) =>
        method(`list_${word}_sum_${word}`, [listType(type), type], (value) =>
          elements(value).reduce(add, zero),
        ),
      ),
    ),
    fn(
      "indexOf",
      method("list_a_index_of_int", [anyList, elementType, intType], (value, wanted) =>
        elements(value).findIndex((element) => equal(element, wanted)),
      ),
    ),
    fn(
      "lastIndexOf",
      method("list_a_last_index_of_int", [anyList, elementType, intType], (value, wanted) =>
        elements(value).findLastIndex((element) => equal(element, wanted)),
      ),
    ),
  ],
};

function slice(value: Value, from: Value, to: Value): Value {
  const all = elements(value);
  const [start, end] = [count(from), count(to)];
  const wrong = (reason: string) => new EvaluationError(`cannot slice(${start}, ${end}), ${reason}`);
  if (start < 0 || end < 0) throw wrong("negative indexes not supported");
  if (start > end) throw wrong("start index must be less than or equal to end index");
  if (all.length < end) throw wrong(`list is length ${all.length}`);
  return all.slice(start, end);
}

function flatten(value: readonly Value[], depth: number): Value[] {
  if (depth < 0) throw new EvaluationError("level must be non-negative");
  return value.flatMap((element) => {
    const inner = elementsOf(adapt(element));
    return inner && depth > 0 ? flatten(inner, depth - 1) : [adapt(element)];
  });
}

/** No list is deeper than this: data come from JSON of bounded depth. */
const deepest = 10_000;
const mostInRange = 10_000_000;

function range(size: Value): Value {
  const length = count(size);
  if (length < 0) throw new EvaluationError(`lists.range: size must be non-negative, got ${length}`);
  if (length > mostInRange) {
    throw new EvaluationError(`lists.range: size ${length} exceeds maximum allowed (${mostInRange})`);
  }
  return Array.from({ length }, (_, index) => index);
}

function distinct(value: Value): Value {
  const unique: Value[] = [];
  for (const element of elements(value)) {
    if (!unique.some((other) => equal(element, other))) unique.push(element);
  }
  return unique;
}

const comparableNames: ReadonlySet<string> = new Set(comparable.map(([, { name }]) => name));

function sortBy(value: Value, by: Value): Value {
  const all = elements(value);
  const keys = elements(by);
  const [first] = keys;
  if (first === undefined) return all;
  if (!comparableNames.has(typeNameOf(first))) throw new EvaluationError("list elements must be comparable");
  if (keys.some((key) => typeNameOf(key) !== typeNameOf(first))) {
    throw new EvaluationError("list elements must have the same type");
  }
  const order = keys.map((_, index) => index);
  order.sort((one, other) => compare(keys[one] as Value, keys[other] as Value));
  return order.map((index) => all[index] as Value);
}

const sortedOverload = (type: CelType): string => `list_${type.name}_sort`;

/** cel-go's lists: `slice`, `flatten`, `sort`, `sortBy`, `lists.range`, `reverse` and `distinct`. */
export const listsLibrary: Library = {
  name: "cel.lib.ext.lists",
  macros: [sortByMacro],
  functions: [
    fn("slice", method("list_slice", [anyList, intType, intType, anyList], slice)),
    fn(
      "flatten",
      method("list_flatten", [listType(anyList), anyList], (value) => flatten(list(value), 1)),
      method("list_flatten_int", [listType(dynType), intType, listType(dynType)], (value, depth) =>
        flatten(list(value), Math.min(count(depth), deepest)),
      ),
    ),
    dispatched(
      "sort",
      (value) => sortBy(value, value),
      ...comparable.map(([, type]) => method(sortedOverload(type), [listType(type), listType(type)])),
    ),
    dispatched(
      "@sortByAssociatedKeys",
      sortBy,
      ...comparable.map(([, type]) =>
        method(`list_${type.name}_sortByAssociatedKeys`, [anyList, listType(type), anyList]),
      ),
    ),
    fn("lists.range", signature("lists_range", [intType, listType(intType)], range)),
    fn(
      "reverse",
      method("list_reverse", [anyList, anyList], (value) => elements(value).toReversed()),
    ),
    fn("distinct", method("list_distinct", [anyList, anyList], distinct)),
  ],
};

const setOf = (value: Value): readonly Value[] => {
  if (!elementsOf(value)) throw noSuchOverload();
  return elements(value);
};
const holds = (all: readonly Value[], wanted: Value): boolean =>
  all.some((element) => equal(element, wanted));
const holdsAll = (one: Value, other: Value): boolean => {
  const all = setOf(one);
  return setOf(other).every((element) => holds(all, element));
};

/** `sets.contains`, `sets.equivalent` and `sets.intersects`. */
export const setsLibrary: Library = {
  name: "cel.lib.ext.sets",
  functions: [
    fn("sets.contains", signature("list_sets_contains_list", [anyList, anyList, boolType], holdsAll)),
    fn(
      "sets.equivalent",
      signature(
        "list_sets_equivalent_list",
        [anyList, anyList, boolType],
        (one, other) => holdsAll(one, other) && holdsAll(other, one),
      ),
    ),
    fn(
      "sets.intersects",
      signature("list_sets_intersects_list", [anyList, anyList, boolType], (one, other) => {
        const all = setOf(other);
        return setOf(one).some((element) => holds(all, element));
      }),
    ),
  ],
};
