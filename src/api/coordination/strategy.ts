import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isQualifiedName } from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";

const strategies = ["OldestEmulationVersion"];

/** Checks how a leader is chosen: one of Kubernetes' ways, or one with a domain. */
export function validateLeaseStrategy(strategy: string, path: FieldPath): FieldError[] {
  // The field of upstream's message ends in its own name twice.
  const at = path.child("strategy");
  if (strategy.includes("/")) return invalidFor(at, strategy, isQualifiedName(strategy));
  return strategies.includes(strategy) ? [] : [fieldErrors.notSupported(at, strategy, strategies)];
}
