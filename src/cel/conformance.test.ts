import { tests as checking } from "@bufbuild/cel-spec/testdata/checking.js";
import { tests as comprehension } from "@bufbuild/cel-spec/testdata/comprehension.js";
import { tests as conformance } from "@bufbuild/cel-spec/testdata/conformance.js";
import { tests as parsing } from "@bufbuild/cel-spec/testdata/parsing.js";
import { describe, expect, test } from "vitest";
import { createEnvironment } from "./environment.ts";
import { bindingsLibrary, twoVariableLibrary } from "./library/comprehensions.ts";
import { listsLibrary } from "./library/lists.ts";
import { optionalLibrary } from "./library/optional.ts";
import { stringsLibrary } from "./library/strings.ts";
import { formatType } from "./check/types.ts";
import { Source, formatIssues } from "./syntax/issues.ts";
import { optionalMacros, standardMacros } from "./syntax/macros.ts";
import { parse } from "./syntax/parser.ts";
import { readSuite, type ConformanceTest } from "./testing/conformance.ts";
import { compact, debugString, kindOf } from "./testing/debug-string.ts";
import { equal } from "./values/compare.ts";
import { Double, type Value } from "./values/value.ts";

const isNaNs = (one: Value, other: Value) =>
  one instanceof Double && other instanceof Double && Number.isNaN(one.value) && Number.isNaN(other.value);

const languageLibraries = [optionalLibrary, stringsLibrary(4), bindingsLibrary, twoVariableLibrary];

/** What differs from the specification's test, if anything does. */
function problemOf(conformanceTest: ConformanceTest): string | undefined {
  const { expression, container, variables, functions, bindings, expected, resultType } = conformanceTest;
  const environment = createEnvironment({
    libraries: [...languageLibraries, { name: "test", functions }],
    variables,
    container,
    optionalSyntax: true,
  });
  const compilation = environment.compile(expression);
  if (compilation.type !== "program") return expected?.type === "error" ? undefined : compilation.message;
  const { program } = compilation;
  if (resultType !== undefined && formatType(program.resultType) !== resultType) {
    return `${formatType(program.resultType)} is not of type ${resultType}`;
  }
  if (!expected) return undefined;
  const evaluation = program.evaluate(bindings, { costLimit: Infinity });
  if (evaluation.type === "error") return expected.type === "error" ? undefined : evaluation.message;
  if (expected.type === "error") return "no error";
  const isSame = equal(evaluation.value, expected.value) || isNaNs(evaluation.value, expected.value);
  return isSame ? undefined : `${JSON.stringify(evaluation.value)} is not ${JSON.stringify(expected.value)}`;
}

const problemsOf = (tests: readonly ConformanceTest[]) =>
  tests.flatMap((each) => {
    const problem = problemOf(each);
    return problem === undefined ? [] : [`${each.suite}: ${each.expression}: ${problem}`];
  });

/** The specification's data were made by a checker that knows no optionals, and whose types of them are not told. */
const withoutTypes = (tests: readonly ConformanceTest[]) =>
  tests.map((each) => ({ ...each, resultType: undefined }));

describe("the specification's tests", () => {
  const { tests, leftOut } = readSuite(conformance);

  test("evaluation: all but what Kubernetes does not have", () => {
    expect(problemsOf(withoutTypes(tests))).toEqual([]);
    expect(tests.length).toBeGreaterThan(1250);
    expect(Object.keys(leftOut)).toHaveLength(5);
  });

  test("types", () => {
    const typed = tests.filter(({ resultType, suite }) => resultType !== undefined && suite !== "optionals");
    expect(problemsOf(typed)).toEqual([]);
  });

  test("syntax trees", () => {
    const wrong = tests.flatMap(({ expression, tree }) => {
      if (tree === undefined || /optMap|optFlatMap/.test(expression)) return [];
      const macros = [...standardMacros, ...optionalMacros];
      const parsed = parse(new Source(expression), { macros, optionalSyntax: true });
      const shown = debugString(parsed.expression, kindOf);
      return compact(shown).normalize() === compact(tree).normalize() ? [] : [`${expression}: ${shown}`];
    });
    expect(wrong).toEqual([]);
  });
});

/** Tests of cel-go's parser that set limits of their own to how errors are recovered from. */
const otherLimits = /limit exceeded: 4$|recursion limit exceeded: 32\nERROR/m;

test.each(parsing.tests ?? [])("cel-go's parser: $original.expr", ({ original, ast, error }) => {
  const parseError = error?.startsWith("ERROR: :") ? error : undefined;
  if (parseError !== undefined && otherLimits.test(parseError)) return;
  const isDeep = parseError !== undefined && /recursion/.test(parseError);
  const source = new Source(original.expr);
  const parsed = parse(source, {
    macros: standardMacros,
    optionalSyntax: false,
    ...(isDeep && { maxDepth: 32 }),
  });
  const message = formatIssues(parsed.issues, source).replaceAll("<input>", "");
  expect(message).toBe(parseError ?? "");
  if (ast !== undefined && parseError === undefined) {
    expect(compact(debugString(parsed.expression, kindOf))).toBe(compact(ast));
  }
});

test("cel-go's checker: types and messages", () => {
  const inScope = (checking.tests ?? []).filter(({ original, error }) => {
    const json = JSON.stringify(original);
    // Kubernetes compares numbers of different types, and has no messages and wrappers of protobuf.
    const isOther = /TestAllTypes|Proto2|google\.protobuf|messageType|"wrapper"|1u [<>]/.test(json);
    return !isOther && !error?.startsWith("ERROR: :");
  });
  const undeclared = /^(?:is|ii|iu|iz|id|ix|ib|fg_s|.*\b(?:ii|is\.fi_s_s|fg_s|iz)\b.*)/;
  const { tests } = readSuite({ name: "checking", tests: inScope });
  const wrong = tests.flatMap(({ expression, container, variables, functions, resultType }, index) => {
    if (undeclared.test(expression)) return [];
    const environment = createEnvironment({ libraries: [{ name: "test", functions }], variables, container });
    const compilation = environment.compile(expression);
    const found =
      compilation.type === "program" ? formatType(compilation.program.resultType) : compilation.message;
    const wanted = resultType ?? inScope[index]?.error;
    return found === wanted ? [] : [`${expression}: ${found} is not ${wanted}`];
  });
  expect(wrong).toEqual([]);
});

/** Tests of cel-go for what must be refused. */
const refused =
  /i\.[jk]|^1\.|^''|__result__|\(i, i,|bad filter|\[v\] : v|\(k, v, \[\]\)|^\[[01]\w?, [01]u?\]\.transformMapEntry|i \/ 2\.0/;

test("cel-go's tests of loops with two variables are true, or refused", () => {
  const environment = createEnvironment({
    libraries: [...languageLibraries, listsLibrary],
    optionalSyntax: true,
  });
  const wrong = (comprehension.tests ?? []).flatMap(({ original: { expr } }) => {
    const compilation = environment.compile(expr);
    // Expressions with variables are written for a test whose values are not told.
    if (compilation.type !== "program") {
      return refused.test(expr) || /\b[mxyz]\b/.test(expr) ? [] : [`${expr}: ${compilation.message}`];
    }
    const evaluation = compilation.program.evaluate({});
    if (refused.test(expr)) return evaluation.type === "error" ? [] : [`${expr}: not refused`];
    return evaluation.type === "value" && evaluation.value !== false
      ? []
      : [`${expr}: ${JSON.stringify(evaluation)}`];
  });
  expect(wrong).toEqual([]);
});
