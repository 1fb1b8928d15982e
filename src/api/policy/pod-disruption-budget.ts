import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { atMostFullPercent, countOrPercent, nonNegativeFields, optionalOneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { validateConditions } from "../common/conditions.ts";
import { internalValue } from "../common/internal-value.ts";
import { validateLabelSelector } from "../common/selectors.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import type { PodDisruptionBudgetSpec } from "../types/policy-v1.ts";
import { PodDisruptionBudget } from "../types/policy-v1.ts";

/** The rules of disruption budgets. */
export const podDisruptionBudgetDefinition = defineResource<PodDisruptionBudget>({
  resource: PodDisruptionBudget,
  plainFinalizers: true,
  repeatedMetadataChecks: [],
  nameRule: "path",
  requiresVersion: true,
  validateCreate: ({ spec }) => validate(spec),
  validateUpdate: updateChecks<PodDisruptionBudget>({
    other: ({ spec }, old) => {
      const before = validateLabelSelector(old.spec?.selector, FieldPath.root("spec"));
      return validate(spec, { checkValues: before.length === 0 });
    },
    status: validateStatus,
  }),
  prepareForStatusUpdate: (budget, old) => ({ ...budget, spec: old.spec }),
  columns: [
    nameColumn,
    column("Min Available", "How many pods must stay", {
      value: ({ spec }) => String(spec?.minAvailable ?? "N/A"),
    }),
    column("Max Unavailable", "How many pods may go", {
      value: ({ spec }) => String(spec?.maxUnavailable ?? "N/A"),
    }),
    column("Allowed Disruptions", "How many pods may go now", {
      type: "integer",
      value: ({ status }) => status?.disruptionsAllowed ?? 0,
    }),
    ageColumn,
  ],
  tracksGeneration: true,
});

function validate(
  spec: PodDisruptionBudgetSpec | undefined,
  options: { readonly checkValues?: boolean } = {},
): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const { minAvailable, maxUnavailable } = spec ?? {};
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const why = "minAvailable and maxUnavailable cannot be both set";
    const shown = internalValue(spec, "io.k8s.api.policy.v1.PodDisruptionBudgetSpec");
    errors.push(fieldErrors.invalid(path, shown, why));
  }
  return [
    ...errors,
    ...countOrPercent(path.child("minAvailable"), minAvailable),
    ...atMostFullPercent(path.child("minAvailable"), minAvailable),
    ...countOrPercent(path.child("maxUnavailable"), maxUnavailable),
    ...atMostFullPercent(path.child("maxUnavailable"), maxUnavailable),
    ...validateLabelSelector(spec?.selector, path.child("selector"), options),
    ...optionalOneOf(path.child("unhealthyPodEvictionPolicy"), spec?.unhealthyPodEvictionPolicy, [
      "AlwaysAllow",
      "IfHealthyBudget",
    ]),
  ];
}

function validateStatus({ status }: PodDisruptionBudget): readonly FieldError[] {
  const path = FieldPath.root("status");
  return [
    ...validateConditions(status?.conditions, path.child("conditions")),
    ...nonNegativeFields(path, status, [
      "disruptionsAllowed",
      "currentHealthy",
      "desiredHealthy",
      "expectedPods",
    ]),
  ];
}
