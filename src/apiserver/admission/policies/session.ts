import { EvaluationError } from "../../../cel/index.ts";
import type { Evaluation } from "../../../cel/index.ts";
import type { AdmissionActivation } from "../dynamic/activation.ts";
import { expressionFailure, outOfBudget } from "../dynamic/conditions.ts";
import type { Compiled, CompiledVariable } from "./compile.ts";

/** What all expressions of a policy may cost for one request. */
const policyBudget = 10_000_000;

const none = {};

/** The policy's expressions cost too much. */
export class BudgetError extends Error {
  override readonly name = "BudgetError";

  constructor() {
    super(outOfBudget);
  }
}

/** One evaluation of a policy: its variables are computed once, when they are used. */
export class Session {
  readonly #activation: AdmissionActivation;
  #left = policyBudget;

  constructor(activation: AdmissionActivation, variables: readonly CompiledVariable[]) {
    this.#activation = activation;
    activation.variables = variables.length === 0 ? none : this.#lazily(variables);
  }

  /** The value, or the error in the words in which it is shown; throws `BudgetError`. */
  evaluate({ expression, program }: Compiled): Evaluation {
    if ("problem" in program) return failed(`compilation error: ${program.problem}`);
    const result = program.evaluate(this.#activation);
    this.#pay(result.cost);
    if (result.type === "value") return result;
    return { ...result, message: expressionFailure(expression, result.message) };
  }

  #lazily(variables: readonly CompiledVariable[]): object {
    const values = {};
    for (const variable of variables) {
      let known: Evaluation | undefined;
      const get = () => {
        known ??= this.#variable(variable);
        if (known.type === "value") return known.value;
        throw new EvaluationError(known.message);
      };
      Object.defineProperty(values, variable.name, { get, enumerable: true });
    }
    return values;
  }

  #variable({ name, program }: CompiledVariable): Evaluation {
    const named = `composited variable ${JSON.stringify(name)} fails`;
    if ("problem" in program) return failed(`${named} to compile: ${program.problem}`);
    const result = program.evaluate(this.#activation);
    this.#pay(result.cost);
    if (result.type === "value") return result;
    return { ...result, message: `${named} to evaluate: ${result.message}` };
  }

  #pay(cost: number): void {
    this.#left -= cost;
    if (this.#left < 0) throw new BudgetError();
  }
}

const failed = (message: string): Evaluation => ({ type: "error", message, costExceeded: false, cost: 0 });
