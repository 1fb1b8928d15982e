import { intType, listType, stringType } from "../check/types.ts";
import { PatternError, Regex } from "../regex/index.ts";
import { count, text } from "../values/arguments.ts";
import { EvaluationError, costExceeded } from "../values/errors.ts";
import type { Value } from "../values/value.ts";
import { fn, method, type Library } from "./library.ts";

/** Compiled patterns that are kept: expressions use few. */
const mostPatterns = 256;
const patterns = new Map<string, Regex>();

/** Steps that one call may take: costs know the length of a pattern, not what is in it. */
const mostSteps = 20_000_000;

/** Counts the steps of one call. */
function stepCounter(): (steps: number) => void {
  let left = mostSteps;
  return (steps) => {
    left -= steps;
    if (left < 0) throw costExceeded();
  };
}

/** A pattern, compiled once; throws `PatternError`. */
export function patternOf(source: string): Regex {
  const known = patterns.get(source);
  if (known) return known;
  const regex = new Regex(source);
  if (patterns.size >= mostPatterns) patterns.delete(patterns.keys().next().value as string);
  patterns.set(source, regex);
  return regex;
}

function compiled(source: string, prefix = ""): Regex {
  try {
    return patternOf(source);
  } catch (error) {
    if (error instanceof PatternError) throw new EvaluationError(prefix + error.message);
    throw error;
  }
}

/** `text.matches(pattern)` */
export const matches = (value: Value, pattern: Value): Value =>
  compiled(text(pattern)).test(text(value), stepCounter());

function findAll(value: Value, pattern: Value, limit: Value | undefined): Value {
  const most = limit === undefined ? -1 : count(limit);
  const regex = compiled(text(pattern), "Illegal regex: ");
  return regex.findAll(text(value), most < 0 ? Infinity : most, stepCounter());
}

/** Kubernetes' `find` and `findAll`. */
export const regexLibrary: Library = {
  name: "kubernetes.regex",
  functions: [
    fn(
      "find",
      method("string_find_string", [stringType, stringType, stringType], (value, pattern) => {
        const regex = compiled(text(pattern), "Illegal regex: ");
        const found = regex.find(text(value), { note: stepCounter() });
        return found ? text(value).slice(found.start, found.end) : "";
      }),
    ),
    fn(
      "findAll",
      method("string_find_all_string", [stringType, stringType, listType(stringType)], (value, pattern) =>
        findAll(value, pattern, undefined),
      ),
      method("string_find_all_string_int", [stringType, stringType, intType, listType(stringType)], findAll),
    ),
  ],
};
