import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { nonNegative } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { defineResource } from "../definition.ts";
import { Lease } from "../types/coordination-v1.ts";

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

function validate(lease: Lease): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const seconds = lease.spec?.leaseDurationSeconds;
  const errors: FieldError[] = [];
  if (seconds !== undefined && seconds <= 0) {
    errors.push(fieldErrors.invalid(path.child("leaseDurationSeconds"), seconds, "must be greater than 0"));
  }
  if (lease.spec?.holderIdentity === "") {
    errors.push(fieldErrors.invalid(path.child("holderIdentity"), "", "must not be empty"));
  }
  return [...errors, ...nonNegative(path.child("leaseTransitions"), lease.spec?.leaseTransitions)];
}
