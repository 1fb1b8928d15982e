import { ApiError, fieldErrors, FieldPath } from "../../apimachinery/index.ts";
import type { FieldError } from "../../apimachinery/index.ts";
import type { DeleteOptions } from "../../api/index.ts";

/** Options of a deletion in the form in which clients send them. */
export interface SentDeleteOptions {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly preconditions?: DeleteOptions["preconditions"];
  readonly dryRun?: readonly string[];
}

/** What a client says of a deletion; throws `Invalid` when it cannot be meant. */
export function deletionOptions(sent: SentDeleteOptions): DeleteOptions & { readonly dryRun: boolean } {
  const errors = deletionErrors(sent);
  if (errors.length > 0) {
    throw ApiError.invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  }
  const { gracePeriodSeconds, orphanDependents, preconditions, dryRun = [] } = sent;
  const orphaned = orphanDependents === undefined ? undefined : orphanDependents ? "Orphan" : "Background";
  const policy = (sent.propagationPolicy as DeleteOptions["propagationPolicy"]) ?? orphaned;
  return {
    dryRun: dryRun.length > 0,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    ...(preconditions === undefined ? {} : { preconditions }),
  };
}

const policyPath = FieldPath.root("propagationPolicy");
const policies = ["Foreground", "Background", "Orphan", "nil"];

function deletionErrors({
  propagationPolicy,
  orphanDependents,
  dryRun = [],
}: SentDeleteOptions): readonly FieldError[] {
  const errors = [...dryRunErrors(dryRun)];
  if (propagationPolicy === undefined) return errors;
  const isKnown = propagationPolicy !== "nil" && policies.includes(propagationPolicy);
  if (!isKnown) errors.unshift(fieldErrors.notSupported(policyPath, propagationPolicy, policies));
  if (orphanDependents !== undefined) {
    const why = "orphanDependents and deletionPropagation cannot be both set";
    errors.unshift(fieldErrors.invalid(policyPath, propagationPolicy, why));
  }
  return errors;
}

/** Ways of a dry run: there is one. */
export function dryRunErrors(values: readonly string[]): readonly FieldError[] {
  if (values.every((value) => value === "All")) return [];
  return [fieldErrors.notSupported(FieldPath.root("dryRun"), values, ["All"])];
}
