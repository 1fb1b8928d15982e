import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import type { AdmissionEnvironmentOptions, CelType, Environment } from "../../cel/index.ts";
import {
  admissionEnvironment,
  boolType,
  jsonPatchType,
  listType,
  nullType,
  objectPatchType,
  stringType,
  variableType,
} from "../../cel/index.ts";
import { compileExpression, expressionVersion, validateExpression } from "../common/expressions.ts";

/** What an expression in a policy must return. */
export const expressionResults = {
  condition: [boolType],
  message: [stringType],
  annotation: [stringType, nullType],
  applyConfiguration: [objectPatchType],
  jsonPatch: [listType(jsonPatchType)],
} as const;

/** The expressions of one policy: those that come later may name the variables before them. */
export class PolicyExpressions {
  readonly #options: AdmissionEnvironmentOptions;
  readonly #variables = new Map<string, CelType>();
  readonly #environments = new Map<string, Environment>();

  constructor(options: { readonly params: boolean; readonly patches?: boolean }) {
    this.#options = options;
  }

  /** Checks an expression that is there; `shown` is what errors show in its place. */
  check(
    expression: string,
    path: FieldPath,
    options: {
      readonly results: readonly CelType[];
      readonly authorizer?: boolean;
      readonly shown?: string;
    },
  ): readonly FieldError[] {
    const { results, authorizer = true, shown = expression } = options;
    const environment = this.#environment({ authorizer });
    return compileExpression(expression, path, { environment, results, shown }).errors;
  }

  /** Checks a variable, and knows it from now on. */
  define(name: string, expression: string | undefined, path: FieldPath): readonly FieldError[] {
    const missing = validateExpression(expression, path, "expression is not specified");
    if (missing.length > 0) return missing;
    const environment = this.#environment({ authorizer: true, patches: false });
    const { program, errors } = compileExpression(expression ?? "", path, { environment });
    this.#variables.set(name, variableType(program?.resultType));
    return errors;
  }

  #environment(options: { readonly authorizer: boolean; readonly patches?: boolean }): Environment {
    const key = JSON.stringify(options);
    const known = this.#environments.get(key);
    if (known) return known;
    const all = { ...this.#options, ...options, variables: this.#variables };
    const environment = admissionEnvironment(expressionVersion, all);
    this.#environments.set(key, environment);
    return environment;
  }
}
