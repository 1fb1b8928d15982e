import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { nonNegative } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { defineResource } from "../definition.ts";
import { Lease } from "../types/coordination-v1.ts";
import { validateLeaseStrategy } from "./strategy.ts";

/** The rules of leases. */
export const leaseDefinition = defineResource<Lease>({
  resource: Lease,
  plainFinalizers: true,
  createsOnUpdate: true,
  requiresVersion: true,
  validate,
  columns: [
    nameColumn,
    column("Holder", "Who holds the lease", { value: (lease) => lease.spec?.holderIdentity ?? "" }),
    ageColumn,
  ],
  tracksGeneration: false,
});

function validate({ spec }: Lease): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const { leaseDurationSeconds: seconds, leaseTransitions, strategy, preferredHolder } = spec ?? {};
  const errors: FieldError[] = [];
  if (seconds !== undefined && seconds <= 0) {
    errors.push(fieldErrors.invalid(path.child("leaseDurationSeconds"), seconds, "must be greater than 0"));
  }
  errors.push(...nonNegative(path.child("leaseTransitions"), leaseTransitions));
  if (strategy !== undefined) errors.push(...validateLeaseStrategy(strategy, path.child("strategy")));
  if (preferredHolder && !strategy) {
    const why = "may only be specified if `strategy` is defined";
    errors.push(fieldErrors.forbidden(path.child("preferredHolder"), why));
  }
  return errors;
}
