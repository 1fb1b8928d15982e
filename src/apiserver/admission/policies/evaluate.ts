import { EvaluationError } from "../../../cel/index.ts";
import type { Activation, Evaluation } from "../../../cel/index.ts";
import { expressionFailure, judgeConditions, outOfBudget } from "../dynamic/conditions.ts";
import type { Compiled, CompiledPolicy, CompiledVariable } from "./compile.ts";

/** What all expressions of a policy may cost for one request. */
const policyBudget = 10_000_000;
const longestMessage = 5 * 1024;

/** What a validation says of a request. */
export type Decision =
  | { readonly type: "admit" }
  | { readonly type: "deny"; readonly message: string; readonly reason: string };

/** What a policy says of a request: a decision for each validation, in order. */
export interface PolicyResult {
  readonly decisions: readonly Decision[];
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  /** Why annotations could not be made, where that counts. */
  readonly failures: readonly string[];
}

const nothing: PolicyResult = { decisions: [], annotations: [], failures: [] };

/** The policy's expressions cost too much. */
class BudgetError extends Error {
  override readonly name = "BudgetError";
}

/** One evaluation of a policy: its variables are computed once, when they are used. */
class Session {
  readonly activation: Activation;
  #left = policyBudget;

  constructor(activation: Activation, variables: readonly CompiledVariable[]) {
    const values = {};
    this.activation = Object.defineProperty(activation, "variables", {
      value: values,
      enumerable: true,
      configurable: true,
    });
    for (const variable of variables) {
      let known: Evaluation | undefined;
      const get = () => {
        known ??= this.evaluate(variable);
        if (known.type === "value") return known.value;
        const { name } = variable;
        throw new EvaluationError(
          `composited variable ${JSON.stringify(name)} fails to evaluate: ${known.message}`,
        );
      };
      Object.defineProperty(values, variable.name, { get, enumerable: true });
    }
  }

  /** The value, or the error in the words in which it is shown. */
  evaluate({ expression, compilation }: Compiled): Evaluation {
    if (compilation.type !== "program") {
      const message = `compilation error: ${compilation.message}`;
      return { type: "error", message, costExceeded: false, cost: 0 };
    }
    const result = compilation.program.evaluate(this.activation);
    this.#left -= result.cost;
    if (this.#left < 0) throw new BudgetError(outOfBudget);
    if (result.type === "value") return result;
    return { ...result, message: expressionFailure(expression, result.message) };
  }
}

/** Evaluates a policy for one request and one set of parameters. */
export function evaluatePolicy(compiled: CompiledPolicy, activation: Activation): PolicyResult {
  const { conditions, policy } = compiled;
  const ignores = policy.spec.failurePolicy === "Ignore";
  const failed = (message: string): Decision =>
    ignores ? { type: "admit" } : { type: "deny", message, reason: "" };
  const verdict = judgeConditions(conditions, activation);
  if (verdict.type === "excluded" || (verdict.type === "failed" && ignores)) return nothing;
  if (verdict.type === "failed") return { ...nothing, decisions: [failed(verdict.message)] };
  try {
    const session = new Session(activation, compiled.variables);
    const decisions = compiled.validations.map((each): Decision => {
      const result = session.evaluate(each);
      if (result.type === "error") return failed(result.message);
      if (result.value === true) return { type: "admit" };
      const { reason = "Invalid" } = each.validation;
      return { type: "deny", message: messageOf(each, session), reason };
    });
    return { decisions, ...annotationsOf(compiled, { activation, ignores }) };
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error;
    return { ...nothing, decisions: [failed(error.message)] };
  }
}

/** The message of an expression, or else the policy's own, or else the expression that did not hold. */
function messageOf(
  { validation, message, expression }: CompiledPolicy["validations"][number],
  session: Session,
): string {
  const result = message && session.evaluate(message);
  if (result?.type === "value" && typeof result.value === "string") {
    const text = result.value.trim();
    const fits = new TextEncoder().encode(text).length <= longestMessage && !text.includes("\n");
    if (text !== "" && fits) return text;
  }
  return validation.message?.trim() || `failed expression: ${expression.trim()}`;
}

function annotationsOf(
  { annotations, variables }: CompiledPolicy,
  { activation, ignores }: { readonly activation: Activation; readonly ignores: boolean },
): Pick<PolicyResult, "annotations" | "failures"> {
  const made: { key: string; value: string }[] = [];
  const failures: string[] = [];
  if (annotations.length === 0) return { annotations: made, failures };
  const session = new Session(activation, variables);
  for (const annotation of annotations) {
    const result = session.evaluate(annotation);
    if (result.type === "error") {
      if (!ignores) failures.push(result.message);
      continue;
    }
    const value = typeof result.value === "string" ? result.value.trim() : "";
    if (value !== "") made.push({ key: annotation.key, value });
  }
  return { annotations: made, failures };
}
