import type { Checked } from "./check/checker.ts";
import type { CelType } from "./check/types.ts";
import { Frame, type Activation, type Step } from "./evaluate/frame.ts";
import { EvaluationError, costExceeded } from "./values/errors.ts";
import type { Value } from "./values/value.ts";

/** What came of an evaluation, and what it cost. */
export type Evaluation =
  | { readonly type: "value"; readonly value: Value; readonly cost: number }
  | {
      readonly type: "error";
      readonly message: string;
      /** It was the limit of cost that ended the evaluation. */
      readonly costExceeded: boolean;
      readonly cost: number;
    };

/** What one call may cost in Kubernetes. */
export const perCallLimit = 1_000_000;

/** A compiled expression. */
export class Program {
  readonly checked: Checked;
  readonly resultType: CelType;
  readonly #step: Step;

  constructor(checked: Checked, { resultType, step }: { readonly resultType: CelType; readonly step: Step }) {
    this.checked = checked;
    this.resultType = resultType;
    this.#step = step;
  }

  /** Evaluates with values for the variables. Users' mistakes come back as errors. */
  evaluate(variables: Activation, options?: { readonly costLimit?: number }): Evaluation {
    const frame = new Frame(variables, options?.costLimit ?? perCallLimit);
    try {
      const value = this.#step(frame);
      return { type: "value", value, cost: frame.cost };
    } catch (error) {
      // Texts and lists may become too large for the platform before they cost too much.
      const failure = error instanceof RangeError ? costExceeded() : error;
      if (!(failure instanceof EvaluationError)) throw failure;
      return { type: "error", message: failure.message, costExceeded: failure.fatal, cost: frame.cost };
    }
  }
}
