import {
  boolType,
  dynType,
  intType,
  listType,
  mapType,
  optionalType,
  parameterType,
  stringType,
} from "../check/types.ts";
import { operators } from "../syntax/ast.ts";
import { optionalMacros } from "../syntax/macros.ts";
import { list, optional } from "../values/arguments.ts";
import { EvaluationError } from "../values/errors.ts";
import { sizeOfMap } from "../values/maps.ts";
import {
  Double,
  Duration,
  Optional,
  Timestamp,
  Uint,
  adapt,
  elementsOf,
  isMap,
  type Value,
} from "../values/value.ts";
import { fn, method, signature, type Library } from "./library.ts";

const key = parameterType("K");
const value = parameterType("V");
const some = optionalType(value);
const values = listType(value);
const entries = mapType(key, value);

function isZero(candidate: Value): boolean {
  if (candidate === null || candidate === false || candidate === 0 || candidate === "") return true;
  if (candidate instanceof Double) return candidate.value === 0;
  if (candidate instanceof Uint) return candidate.value === 0n;
  if (candidate instanceof Uint8Array) return candidate.length === 0;
  if (candidate instanceof Duration) return candidate.nanos === 0n;
  if (candidate instanceof Timestamp) return candidate.seconds === 0 && candidate.nanos === 0;
  if (candidate instanceof Optional) return candidate.value === undefined;
  const elements = elementsOf(candidate);
  if (elements) return elements.length === 0;
  return isMap(candidate) && sizeOfMap(candidate) === 0;
}

const elementAt =
  (index: 0 | -1) =>
  (candidate: Value): Value => {
    const element = list(candidate).at(index);
    return element === undefined ? Optional.none : new Optional(adapt(element));
  };

const unwrap = (candidate: Value): Value =>
  list(candidate).flatMap((element) => optional(element).value ?? []) as readonly Value[];

/** `optional.of`, `a.?b` and what else belongs to values that may be absent. */
export const optionalLibrary: Library = {
  name: "optional",
  macros: optionalMacros,
  functions: [
    fn(
      "optional.of",
      signature("optional_of", [value, some], (held) => new Optional(held)),
    ),
    fn(
      "optional.ofNonZeroValue",
      signature("optional_ofNonZeroValue", [value, some], (held) =>
        isZero(held) ? Optional.none : new Optional(held),
      ),
    ),
    fn(
      "optional.none",
      signature("optional_none", [some], () => Optional.none),
    ),
    fn("optional.unwrap", signature("optional_unwrap", [listType(some), values], unwrap)),
    fn("unwrapOpt", method("optional_unwrapOpt", [listType(some), values], unwrap)),
    fn("first", method("list_first", [values, some], elementAt(0))),
    fn("last", method("list_last", [values, some], elementAt(-1))),
    fn(
      "value",
      method("optional_value", [some, value], (held) => {
        const { value: inner } = optional(held);
        if (inner === undefined) throw new EvaluationError("optional.none() dereference");
        return inner;
      }),
    ),
    fn(
      "hasValue",
      method("optional_hasValue", [some, boolType], (held) => optional(held).value !== undefined),
    ),
    fn("or", method("optional_or_optional", [some, some, some])),
    fn("orValue", method("optional_orValue_value", [some, value, value])),
    fn(operators.optionalSelect, signature("select_optional_field", [dynType, stringType, some])),
    fn(
      operators.optionalIndex,
      signature("list_optindex_optional_int", [values, intType, some]),
      signature("optional_list_optindex_optional_int", [optionalType(values), intType, some]),
      signature("map_optindex_optional_value", [entries, key, some]),
      signature("optional_map_optindex_optional_value", [optionalType(entries), key, some]),
    ),
    fn(
      operators.index,
      signature("optional_list_index_int", [optionalType(values), intType, some]),
      signature("optional_map_index_value", [optionalType(entries), key, some]),
    ),
  ],
};
