import { mapType, parameterType } from "../check/types.ts";
import { bindMacro, twoVariableMacros } from "../syntax/macros.ts";
import { entriesOf, mapKeyOf, mapOf, shownKey, lookUp } from "../values/maps.ts";
import { EvaluationError } from "../values/errors.ts";
import { fn, signature, type Library } from "./library.ts";

const key = parameterType("K");
const value = parameterType("V");
const entries = mapType(key, value);

/** Loops with two variables: `all`, `exists`, `transformList`, `transformMap` and their like. */
export const twoVariableLibrary: Library = {
  name: "cel.lib.ext.comprev2",
  macros: twoVariableMacros,
  functions: [
    fn(
      "cel.@mapInsert",
      signature("@mapInsert_map_map", [entries, entries, entries], (map, more) =>
        mapOf([...entriesOf(map), ...entriesOf(more)]),
      ),
      signature("@mapInsert_map_key_value", [entries, key, value, entries], (map, newKey, newValue) => {
        if (mapKeyOf(newKey) !== undefined && lookUp(map, newKey) !== undefined) {
          throw new EvaluationError(`insert failed: key ${shownKey(newKey)} already exists`);
        }
        return mapOf([...entriesOf(map), [newKey, newValue]]);
      }),
    ),
  ],
};

/** `cel.bind`. */
export const bindingsLibrary: Library = {
  name: "cel.lib.ext.cel.bindings",
  macros: [bindMacro],
  functions: [],
};
