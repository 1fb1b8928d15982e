import type { AdmissionActivation } from "../dynamic/activation.ts";
import { judgeConditions, observeConditions } from "../dynamic/conditions.ts";
import type { DynamicObserver, PolicyCheck } from "../plugin.ts";
import type { CompiledValidatingPolicy } from "./compile.ts";
import { BudgetError, Session } from "./session.ts";

const longestMessage = 5 * 1024;

/** How an expression ended. */
type Check = Pick<PolicyCheck, "errorType" | "seconds">;

/** What a validation says of a request. */
export type Decision = Check &
  ({ readonly type: "admit" } | { readonly type: "deny"; readonly message: string; readonly reason: string });

/** What a policy says of a request: a decision for each validation, in order. */
export interface PolicyResult {
  readonly decisions: readonly Decision[];
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  /** Why annotations could not be made, where that counts. */
  readonly failures: readonly (Check & { readonly message: string })[];
}

const nothing: PolicyResult = { decisions: [], annotations: [], failures: [] };

interface Evaluated {
  readonly activation: AdmissionActivation;
  readonly operation: string;
  readonly observer: DynamicObserver | undefined;
}

/** Evaluates a policy for one request and one set of parameters. */
export function evaluatePolicy(compiled: CompiledValidatingPolicy, evaluated: Evaluated): PolicyResult {
  const { conditions, ignoresFailures, name } = compiled;
  const { activation, operation, observer } = evaluated;
  const failed = (message: string, seconds: number): Decision => {
    const check = { errorType: errorTypeOf(message), seconds };
    return ignoresFailures ? { type: "admit", ...check } : { type: "deny", message, reason: "", ...check };
  };
  const verdict = judgeConditions(conditions, activation);
  observeConditions(verdict, { name, operation }, observer);
  if (verdict.type === "excluded" || (verdict.type === "failed" && ignoresFailures)) return nothing;
  if (verdict.type === "failed") return { ...nothing, decisions: [failed(verdict.message, 0)] };
  try {
    const session = new Session(activation, compiled.variables);
    const decisions = compiled.validations.map((each): Decision => {
      const since = stopwatch(observer);
      const result = session.evaluate(each);
      const seconds = since();
      if (result.type === "error") return failed(result.message, seconds);
      if (result.value === true) return { type: "admit", errorType: "no_error", seconds };
      const { reason = "Invalid" } = each.validation;
      const message = messageOf(each, session);
      return { type: "deny", message, reason, errorType: errorTypeOf(message), seconds };
    });
    return { ...annotationsOf(compiled, evaluated), decisions };
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error;
    return { ...nothing, decisions: [failed(error.message, 0)] };
  }
}

/** Measures from now on where somebody wants to know. */
export function stopwatch(observer: DynamicObserver | undefined): () => number {
  if (!observer) return () => 0;
  const started = observer.now();
  return () => observer.now() - started;
}

/** What metrics call a failure: they tell it by its message. */
export function errorTypeOf(message: string): PolicyCheck["errorType"] {
  if (message.startsWith("compilation")) return "compile_error";
  return message.startsWith("validation failed due to running out of cost budget")
    ? "out_of_budget"
    : "invalid_error";
}

/** The message of an expression, or else the policy's own, or else the expression that did not hold. */
function messageOf(
  { validation, message, expression }: CompiledValidatingPolicy["validations"][number],
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
  { annotations, variables, ignoresFailures }: CompiledValidatingPolicy,
  { activation, observer }: Evaluated,
): Pick<PolicyResult, "annotations" | "failures"> {
  if (annotations.length === 0) return nothing;
  const made: { key: string; value: string }[] = [];
  const failures: PolicyResult["failures"][number][] = [];
  const session = new Session(activation, variables);
  for (const annotation of annotations) {
    const since = stopwatch(observer);
    const result = session.evaluate(annotation);
    if (result.type === "error") {
      const { message } = result;
      if (!ignoresFailures) failures.push({ message, errorType: errorTypeOf(message), seconds: since() });
      continue;
    }
    const value = typeof result.value === "string" ? result.value.trim() : "";
    if (value !== "") made.push({ key: annotation.key, value });
  }
  return { annotations: made, failures };
}
