import { kubernetesVersion } from "../../../apimachinery/index.ts";
import { admissionEnvironment } from "../../../cel/index.ts";
import type { Activation, Compilation, Environment } from "../../../cel/index.ts";
import type { DynamicObserver } from "../plugin.ts";
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

/** Why there is no program; undefined where there is one. */
export function problemOf(compilation: Compilation): string | undefined {
  if (compilation.type === "program") return undefined;
  const what = compilation.type === "invalid" ? "compilation" : "program instantiation";
  return `${what} failed: ${compilation.message}`;
}

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
      problems.push(`compilation error: ${problemOf(compilation)}`);
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

/** Tells of what the conditions of a policy came to, unless they are met. */
export function observeConditions(
  verdict: ConditionVerdict,
  policy: { readonly name: string; readonly operation: string },
  observer: DynamicObserver | undefined,
): void {
  const { name, operation } = policy;
  if (verdict.type === "excluded") observer?.excluded({ name, kind: "policy", type: "validate", operation });
  if (verdict.type !== "failed") return;
  for (let count = 0; count < verdict.failures; count++) {
    observer?.conditionFailed({ name, kind: "policy", type: "validate", operation });
  }
}
