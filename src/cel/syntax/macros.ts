import { accumulatorName, operators, type Expression } from "./ast.ts";
import type { MacroBuilder } from "./builder.ts";

/** What a macro was called with. */
export interface MacroCall {
  readonly target?: Expression;
  readonly args: readonly Expression[];
  readonly build: MacroBuilder;
}

/** Why a macro cannot be expanded, and the node at fault. */
export interface MacroProblem {
  readonly message: string;
  readonly at?: Expression;
}

/** A call that the parser replaces; an expander that answers nothing leaves the call as it is. */
export interface Macro {
  readonly name: string;
  readonly argumentCount: number;
  readonly member: boolean;
  readonly expand: (call: MacroCall) => Expression | MacroProblem | undefined;
}

export const isProblem = (result: Expression | MacroProblem): result is MacroProblem => "message" in result;

interface Loop {
  readonly variable: string;
  readonly secondVariable?: string;
  readonly initial: Expression;
  readonly condition: Expression;
  readonly step: Expression;
  readonly result: Expression;
}

/** What a loop is made of, given its variables and what is left of the arguments. */
type LoopShape = (
  build: MacroBuilder,
  rest: readonly Expression[],
  variables: readonly Expression[],
) => Omit<Loop, "variable" | "secondVariable">;

const reservedVariables: ReadonlySet<string> = new Set([accumulatorName, "__result__"]);

function loopMacro(
  name: string,
  variableCount: 1 | 2,
  options: { readonly rest: number; readonly notName: string; readonly shape: LoopShape },
): Macro {
  const expand = ({ target, args, build }: MacroCall): Expression | MacroProblem => {
    const variables = args.slice(0, variableCount);
    for (const variable of variables) {
      if (variable.kind !== "identifier") return { message: options.notName, at: variable };
      if (reservedVariables.has(variable.name)) {
        return { message: "iteration variable overwrites accumulator variable", at: variable };
      }
    }
    const names = variables.map((variable) => (variable.kind === "identifier" ? variable.name : ""));
    if (variableCount === 2 && names[0] === names[1]) {
      return { message: `duplicate variable name: ${names[0]}`, at: variables[1] as Expression };
    }
    return {
      kind: "comprehension",
      id: build.id(),
      range: target as Expression,
      variable: names[0] as string,
      ...(variableCount === 2 && { secondVariable: names[1] as string }),
      accumulator: accumulatorName,
      ...options.shape(build, args.slice(variableCount), variables),
    };
  };
  return { name, argumentCount: variableCount + options.rest, member: true, expand };
}

const all: LoopShape = (build, [predicate]) => ({
  initial: build.literal(true),
  condition: build.call(operators.notStrictlyFalse, build.accumulator()),
  step: build.call(operators.and, build.accumulator(), predicate as Expression),
  result: build.accumulator(),
});

const exists: LoopShape = (build, [predicate]) => ({
  initial: build.literal(false),
  condition: build.call(operators.notStrictlyFalse, build.call(operators.not, build.accumulator())),
  step: build.call(operators.or, build.accumulator(), predicate as Expression),
  result: build.accumulator(),
});

const existsOne: LoopShape = (build, [predicate]) => ({
  initial: build.literal(0),
  condition: build.literal(true),
  step: build.call(
    operators.conditional,
    predicate as Expression,
    build.call(operators.add, build.accumulator(), build.literal(1)),
    build.accumulator(),
  ),
  result: build.call(operators.equals, build.accumulator(), build.literal(1)),
});

/** Gathers what `add` makes of each element, or of those that pass the first of two arguments. */
const gather =
  (
    initial: (build: MacroBuilder) => Expression,
    add: (build: MacroBuilder, transform: Expression, variables: readonly Expression[]) => Expression,
  ): LoopShape =>
  (build, rest, variables) => {
    const transform = rest[rest.length - 1] as Expression;
    const added = add(build, transform, variables);
    const [filter] = rest.length === 2 ? rest : [];
    return {
      initial: initial(build),
      condition: build.literal(true),
      step: filter ? build.call(operators.conditional, filter, added, build.accumulator()) : added,
      result: build.accumulator(),
    };
  };

const toList = gather(
  (build) => build.list(),
  (build, transform) => build.call(operators.add, build.accumulator(), build.list(transform)),
);

const filterList: LoopShape = (build, [predicate], [variable]) =>
  toList(build, [predicate as Expression, variable as Expression], []);

const emptyMap = (build: MacroBuilder): Expression => ({ kind: "map", id: build.id(), entries: [] });

const toMap = gather(emptyMap, (build, transform, [key]) =>
  build.call(
    "cel.@mapInsert",
    build.accumulator(),
    build.identifier(key?.kind === "identifier" ? key.name : ""),
    transform,
  ),
);

const toMapEntries = gather(emptyMap, (build, transform) =>
  build.call("cel.@mapInsert", build.accumulator(), transform),
);

const simpleName = "argument must be a simple name";
const notIdentifier = "argument is not an identifier";

/** `has`, `all`, `exists`, `exists_one`, `map` and `filter`. */
export const standardMacros: readonly Macro[] = [
  {
    name: "has",
    argumentCount: 1,
    member: false,
    expand: ({ args: [argument], build }) => {
      if (argument?.kind !== "select") {
        return { message: "invalid argument to has() macro", ...(argument && { at: argument }) };
      }
      return { ...argument, id: build.id(), testOnly: true };
    },
  },
  loopMacro("all", 1, { rest: 1, notName: simpleName, shape: all }),
  loopMacro("exists", 1, { rest: 1, notName: simpleName, shape: exists }),
  loopMacro("exists_one", 1, { rest: 1, notName: simpleName, shape: existsOne }),
  loopMacro("existsOne", 1, { rest: 1, notName: simpleName, shape: existsOne }),
  loopMacro("map", 1, { rest: 1, notName: notIdentifier, shape: toList }),
  loopMacro("map", 1, { rest: 2, notName: notIdentifier, shape: toList }),
  loopMacro("filter", 1, { rest: 1, notName: notIdentifier, shape: filterList }),
];

/** Loops over keys and values, or indices and elements. */
export const twoVariableMacros: readonly Macro[] = [
  loopMacro("all", 2, { rest: 1, notName: simpleName, shape: all }),
  loopMacro("exists", 2, { rest: 1, notName: simpleName, shape: exists }),
  loopMacro("existsOne", 2, { rest: 1, notName: simpleName, shape: existsOne }),
  loopMacro("exists_one", 2, { rest: 1, notName: simpleName, shape: existsOne }),
  loopMacro("transformList", 2, { rest: 1, notName: simpleName, shape: toList }),
  loopMacro("transformList", 2, { rest: 2, notName: simpleName, shape: toList }),
  loopMacro("transformMap", 2, { rest: 1, notName: simpleName, shape: toMap }),
  loopMacro("transformMap", 2, { rest: 2, notName: simpleName, shape: toMap }),
  loopMacro("transformMapEntry", 2, { rest: 1, notName: simpleName, shape: toMapEntries }),
  loopMacro("transformMapEntry", 2, { rest: 2, notName: simpleName, shape: toMapEntries }),
];

/** A loop over nothing: its accumulator is a variable of its result. */
function bind(
  build: MacroBuilder,
  name: string,
  [value, body]: readonly [Expression, Expression],
): Expression {
  return {
    kind: "comprehension",
    id: build.id(),
    range: build.list(),
    variable: "#unused",
    accumulator: name,
    initial: value,
    condition: build.literal(false),
    step: build.identifier(name),
    result: body,
  };
}

const sortByInput = "@__sortBy_input__";

/** `list.sortBy(element, key)`: sorts by the keys of the elements. */
export const sortByMacro: Macro = {
  name: "sortBy",
  argumentCount: 2,
  member: true,
  expand: ({ target, args, build }) => {
    if (target && !["list", "select", "identifier", "comprehension", "call"].includes(target.kind)) {
      const message =
        "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
      return { message, at: target };
    }
    const map = standardMacros.find(({ name, argumentCount }) => name === "map" && argumentCount === 2);
    const keys = map?.expand({ target: build.identifier(sortByInput), args, build });
    if (!keys || isProblem(keys)) return keys;
    const sorted = build.memberCall("@sortByAssociatedKeys", build.identifier(sortByInput), keys);
    return bind(build, sortByInput, [target as Expression, sorted]);
  },
};

/** `cel.bind(name, value, expression)`. */
export const bindMacro: Macro = {
  name: "bind",
  argumentCount: 3,
  member: true,
  expand: ({ target, args: [name, value, body], build }) => {
    if (target?.kind !== "identifier" || target.name !== "cel") return undefined;
    if (name?.kind !== "identifier") {
      return { message: "cel.bind() variable names must be simple identifiers", ...(name && { at: name }) };
    }
    return bind(build, name.name, [value as Expression, body as Expression]);
  },
};

const optionalMacro = (
  name: string,
  wrap: (build: MacroBuilder, value: Expression) => Expression,
): Macro => ({
  name,
  argumentCount: 2,
  member: true,
  expand: ({ target, args: [variable, body], build }) => {
    if (variable?.kind !== "identifier") {
      const message = `${name}() variable name must be a simple identifier`;
      return { message, ...(variable && { at: variable }) };
    }
    const value = build.memberCall("value", build.copy(target as Expression));
    return build.call(
      operators.conditional,
      build.memberCall("hasValue", target as Expression),
      wrap(build, bind(build, variable.name, [value, body as Expression])),
      build.call("optional.none"),
    );
  },
});

/** `optMap` and `optFlatMap`. */
export const optionalMacros: readonly Macro[] = [
  optionalMacro("optMap", (build, value) => build.call("optional.of", value)),
  optionalMacro("optFlatMap", (_, value) => value),
];
