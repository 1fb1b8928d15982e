import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { atMostFullPercent, countOrPercent, optionalOneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { validateLabelSelector } from "../common/selectors.ts";
import { defineResource } from "../definition.ts";
import { PodDisruptionBudget } from "../types/policy-v1.ts";

/** The rules of disruption budgets. */
export const podDisruptionBudgetDefinition = defineResource<PodDisruptionBudget>({
  resource: PodDisruptionBudget,
  plainFinalizers: true,
  repeatedMetadataChecks: [],
  nameRule: "path",
  requiresVersion: true,
  validate,
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

function validate({ spec }: PodDisruptionBudget): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const { minAvailable, maxUnavailable } = spec ?? {};
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(fieldErrors.invalid(path, spec, "minAvailable and maxUnavailable cannot be both set"));
  }
  return [
    ...errors,
    ...countOrPercent(path.child("minAvailable"), minAvailable),
    ...atMostFullPercent(path.child("minAvailable"), minAvailable),
    ...countOrPercent(path.child("maxUnavailable"), maxUnavailable),
    ...atMostFullPercent(path.child("maxUnavailable"), maxUnavailable),
    ...validateLabelSelector(spec?.selector, path.child("selector")),
    ...optionalOneOf(path.child("unhealthyPodEvictionPolicy"), spec?.unhealthyPodEvictionPolicy, [
      "AlwaysAllow",
      "IfHealthyBudget",
    ]),
  ];
}
