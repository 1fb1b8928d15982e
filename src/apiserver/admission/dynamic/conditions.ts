import { kubernetesVersion } from "../../../apimachinery/index.ts";
import { admissionEnvironment } from "../../../cel/index.ts";
import type { Activation, Compilation, Environment } from "../../../cel/index.ts";
import { joinProblems } from "../request.ts";

/** What all conditions of one webhook or policy may cost. */
const conditionBudget = 2_500_000;
const minorVersion = Number(kubernetesVersion.split(".")[1]);

/** A named expression that a request must meet. */
export interface Condition {
  readonly name: string;
  readonly expression: string;
}

/** Whether a webhook or policy is for a request: it may be that nobody can tell. */
export type ConditionVerdict =
  | { readonly type: "matches" }
  | { readonly type: "excluded"; readonly condition: string }
  | { readonly type: "failed"; readonly message: string; readonly failures: number };

/** The environment of conditions of webhooks; making it costs some milliseconds. */
export const conditionEnvironment = (): Environment =>
  admissionEnvironment(minorVersion, { authorizer: true });

/** The message of an expression that could not be evaluated. */
export const expressionFailure = (expression: string, message: string): string =>
  `expression '${expression}' resulted in error: ${message}`;

/** What is said where expressions together cost too much. */
export const outOfBudget =
  "validation failed due to running out of cost budget, no further validation rules will be run";

/** Whether all conditions are met: one that is not decides, whatever became of those before it. */
export function judgeConditions(
  conditions: readonly (Condition & { readonly compilation: Compilation })[],
  activation: Activation,
): ConditionVerdict {
  let budget = conditionBudget;
  const problems: string[] = [];
  const unmet: string[] = [];
  for (const { name, expression, compilation } of conditions) {
    if (compilation.type !== "program") {
      problems.push(`compilation error: ${compilation.message}`);
      continue;
    }
    const result = compilation.program.evaluate(activation);
    budget -= result.cost;
    if (budget < 0) return { type: "failed", message: outOfBudget, failures: 0 };
    if (result.type === "error") problems.push(expressionFailure(expression, result.message));
    else if (result.value !== true) unmet.push(name);
  }
  const [condition] = unmet;
  if (condition !== undefined) return { type: "excluded", condition };
  if (problems.length === 0) return { type: "matches" };
  return { type: "failed", message: joinProblems(problems), failures: problems.length };
}
