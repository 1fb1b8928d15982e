import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, kubernetesVersion } from "../../apimachinery/index.ts";
import type { CelType, Environment, Program } from "../../cel/index.ts";
import { fullTypeName, sameType } from "../../cel/index.ts";

/** Minor version of Kubernetes whose expressions may be written. */
export const expressionVersion = Number(kubernetesVersion.split(".")[1]);

/** Checks that there is an expression. */
export function validateExpression(
  expression: string | undefined,
  path: FieldPath,
  missing = "",
): FieldError[] {
  return (expression ?? "").trim() === "" ? [fieldErrors.required(path, missing)] : [];
}

/** A program, or what is wrong with its source. */
export interface CompiledExpression {
  readonly program?: Program;
  readonly errors: readonly FieldError[];
}

/** Compiles an expression that may be of one of some types, or of any; `shown` is what its error shows. */
export function compileExpression(
  expression: string,
  path: FieldPath,
  options: {
    readonly environment: Environment;
    readonly results?: readonly CelType[];
    readonly shown?: unknown;
    /** What is said of a result of another type. */
    readonly mismatch?: (actual: string) => string;
  },
): CompiledExpression {
  const { environment, results = [], shown = expression, mismatch = mismatchOf(results) } = options;
  const invalid = (why: string) => ({ errors: [fieldErrors.invalid(path, shown, why)] });
  const compilation = environment.compile(expression);
  if (compilation.type === "invalid") return invalid(`compilation failed: ${compilation.message}`);
  if (compilation.type === "failed") {
    const detail = `program instantiation failed: ${compilation.message}`;
    return { errors: [{ type: "InternalError", field: path.text, detail }] };
  }
  const { program } = compilation;
  const fits = results.length === 0 || results.some((type) => sameType(type, program.resultType));
  return fits ? { program, errors: [] } : invalid(mismatch(fullTypeName(program.resultType)));
}

const mismatchOf =
  (results: readonly CelType[]) =>
  (actual: string): string => {
    const names = results.map(fullTypeName);
    const wanted = names.length === 1 ? names[0] : `one of [${names.join(" ")}]`;
    return `must evaluate to ${wanted} but got ${actual}`;
  };

/** Whether a text goes over several lines. */
export const hasLineBreaks = (text: string): boolean => /[\n\r]/.test(text);
