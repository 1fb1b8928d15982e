import type { Milliseconds } from "../../base/index.ts";

/** Why a container waits, as its status says it: `ErrImagePull`, `CreateContainerConfigError`, … */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly reason: string;
  /** When another try makes sense. */
  readonly retryAt: Milliseconds | undefined;

  constructor(reason: string, message: string, options: { retryAt?: Milliseconds } = {}) {
    super(message);
    this.reason = reason;
    this.retryAt = options.retryAt;
  }
}
