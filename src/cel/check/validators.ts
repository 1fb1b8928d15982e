import { visit, type Call, type Expression } from "../syntax/ast.ts";
import type { Issue } from "../syntax/issues.ts";
import { patternOf } from "../library/regex.ts";
import { PatternError } from "../regex/index.ts";
import { EvaluationError } from "../values/errors.ts";
import { parseDuration, parseTimestamp } from "../values/time.ts";
import type { Unchecked } from "./checker.ts";

/** Functions whose constant argument is tried when the expression is compiled, and how. */
const literals: Readonly<Record<string, (text: string) => unknown>> = {
  duration: parseDuration,
  timestamp: parseTimestamp,
  matches: patternOf,
};

/** Finds constant durations, timestamps and patterns that are none. */
export function validateLiterals({ expression, positions, source }: Unchecked): readonly Issue[] {
  const issues: Issue[] = [];
  visit(expression, (node) => {
    if (node.kind !== "call" || !Object.hasOwn(literals, node.name)) return;
    const argument = literalArgument(node);
    const value = argument?.kind === "literal" ? argument.value : undefined;
    if (!argument || typeof value !== "string" || isValid(node.name, value)) return;
    const location = source.locationOf(positions.get(argument.id) ?? 0);
    issues.push({ location, message: `invalid ${node.name} argument` });
  });
  return issues;
}

function literalArgument({ name, target, args }: Call): Expression | undefined {
  if (name === "matches") return target ? args[0] : args[1];
  return target || args.length !== 1 ? undefined : args[0];
}

function isValid(name: string, text: string): boolean {
  try {
    literals[name]?.(text);
    return true;
  } catch (error) {
    if (error instanceof EvaluationError || error instanceof PatternError) return false;
    throw error;
  }
}
