/** An expression cannot be evaluated. Thrown; carries no stack, since users' expressions may fail often. */
export class EvaluationError {
  readonly message: string;
  /** Cannot be made good by the other side of `||` or `&&`. */
  readonly fatal: boolean;

  constructor(message: string, options?: { readonly fatal: boolean }) {
    this.message = message;
    this.fatal = options?.fatal ?? false;
  }
}

/** An expression costs more than it may. */
export const costExceeded = (): EvaluationError =>
  new EvaluationError("operation cancelled: actual cost limit exceeded", { fatal: true });

export const noSuchOverload = (functionName?: string): EvaluationError =>
  new EvaluationError(functionName === undefined ? "no such overload" : `no such overload: ${functionName}`);
