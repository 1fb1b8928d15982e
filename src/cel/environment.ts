import { check } from "./check/checker.ts";
import type { FunctionDeclaration, TypeProvider } from "./check/declarations.ts";
import { validateFormats } from "./check/format-validator.ts";
import type { Declarations } from "./check/scope.ts";
import type { CelType } from "./check/types.ts";
import { dynType } from "./check/types.ts";
import { validateLiterals } from "./check/validators.ts";
import type { CallPricing } from "./evaluate/call-cost.ts";
import { Planner } from "./evaluate/planner.ts";
import type { Library } from "./library/library.ts";
import { standardLibrary } from "./library/standard.ts";
import { Program } from "./program.ts";
import { Source, formatIssues, type Issue } from "./syntax/issues.ts";
import type { Macro } from "./syntax/macros.ts";
import { parse } from "./syntax/parser.ts";
import { EvaluationError } from "./values/errors.ts";

/** What expressions may use. */
export interface EnvironmentOptions {
  readonly libraries: readonly Library[];
  readonly variables?: Readonly<Record<string, CelType>>;
  readonly provider?: TypeProvider;
  readonly container?: string;
  readonly homogeneousLiterals?: boolean;
  readonly optionalSyntax?: boolean;
  /** Whether constant durations, timestamps, patterns and formats are checked. */
  readonly literalChecks?: boolean;
  readonly pricing?: CallPricing;
  readonly foldConstants?: boolean;
  readonly maxDepth?: number;
}

/** A program, or why there is none. */
export type Compilation =
  | { readonly type: "program"; readonly program: Program }
  | {
      readonly type: "invalid";
      readonly issues: readonly Issue[];
      /** All issues in cel-go's form. */
      readonly message: string;
    }
  | {
      /** A constant of a valid expression cannot be computed. */
      readonly type: "failed";
      readonly message: string;
    };

const noTypes: TypeProvider = { findType: () => undefined, findField: () => undefined };

/** Makes an environment; it can be extended. */
export function createEnvironment(options: EnvironmentOptions): Environment {
  return new Environment(options);
}

/** Compiles expressions that may use certain libraries, variables and types. */
export class Environment {
  readonly options: EnvironmentOptions;
  readonly #declarations: Declarations;
  readonly #macros: readonly Macro[];

  constructor(options: EnvironmentOptions) {
    this.options = options;
    const { types, macros, functions } = contentsOf(options.libraries);
    const own = options.provider ?? noTypes;
    this.#macros = macros;
    this.#declarations = {
      container: options.container ?? "",
      variables: new Map(Object.entries(options.variables ?? {})),
      functions,
      provider: { ...bound(own), findType: (name) => types.get(name) ?? own.findType(name) },
      homogeneousLiterals: options.homogeneousLiterals ?? false,
      optionals: options.optionalSyntax ?? false,
    };
  }

  /** The same environment with more, or with other settings. */
  extend(more: Partial<EnvironmentOptions>): Environment {
    return new Environment({
      ...this.options,
      ...more,
      libraries: more.libraries?.length
        ? [...this.options.libraries, ...more.libraries]
        : this.options.libraries,
      variables: { ...this.options.variables, ...more.variables },
    });
  }

  compile(text: string): Compilation {
    const source = new Source(text);
    const { optionalSyntax = false, maxDepth, literalChecks, pricing, foldConstants } = this.options;
    const parsed = parse(source, {
      macros: this.#macros,
      optionalSyntax,
      ...(maxDepth !== undefined && { maxDepth }),
    });
    if (parsed.issues.length > 0) return invalid(parsed.issues, source);
    const unchecked = { ...parsed, source };
    const checked = check(unchecked, this.#declarations);
    if (checked.issues.length > 0) return invalid(checked.issues, source);
    const wrongLiterals = literalChecks
      ? [...validateLiterals(unchecked), ...validateFormats(unchecked, checked)]
      : [];
    if (wrongLiterals.length > 0) return invalid(wrongLiterals, source);
    const planner = new Planner(checked, {
      provider: this.#declarations.provider,
      foldConstants: foldConstants ?? true,
      ...(pricing && { pricing }),
    });
    try {
      const { step } = planner.plan(checked.expression);
      const resultType = checked.types.get(checked.expression.id) ?? dynType;
      return { type: "program", program: new Program(checked, { resultType, step }) };
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      return { type: "failed", message: error.message };
    }
  }
}

const invalid = (issues: readonly Issue[], source: Source): Compilation => ({
  type: "invalid",
  issues,
  message: formatIssues(issues, source),
});

function bound(provider: TypeProvider): TypeProvider {
  return {
    findType: (name) => provider.findType(name),
    findField: (typeName, field) => provider.findField(typeName, field),
    ...(provider.construct && { construct: (name, fields) => provider.construct?.(name, fields) ?? fields }),
  };
}

/** What libraries have together. */
interface Contents {
  readonly types: ReadonlyMap<string, CelType>;
  readonly macros: readonly Macro[];
  readonly functions: Declarations["functions"];
}

/** Put together once for each list of libraries: environments are made by the thousand. */
const contents = new WeakMap<readonly Library[], Contents>();

function contentsOf(more: readonly Library[]): Contents {
  const known = contents.get(more);
  if (known) return known;
  const libraries = [standardLibrary, ...more];
  const made = {
    types: new Map(libraries.flatMap(({ types = [] }) => types.map((type) => [type.name, type] as const))),
    macros: libraries.flatMap(({ macros }) => macros ?? []),
    functions: mergeFunctions(libraries.flatMap(({ functions }) => functions)),
  };
  contents.set(more, made);
  return made;
}

/** Functions of one name become one, with all signatures. */
function mergeFunctions(functions: readonly FunctionDeclaration[]): ReadonlyMap<string, FunctionDeclaration> {
  const merged = new Map<string, FunctionDeclaration>();
  for (const declaration of functions) {
    const known = merged.get(declaration.name);
    if (!known) {
      merged.set(declaration.name, declaration);
      continue;
    }
    const overloads = [known, declaration].flatMap(({ overloads, evaluate }) =>
      overloads.map((overload) => (overload.evaluate || !evaluate ? overload : { ...overload, evaluate })),
    );
    merged.set(declaration.name, { name: declaration.name, overloads });
  }
  return merged;
}
