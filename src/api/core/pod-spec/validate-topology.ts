import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import { optionalOneOf } from "../../common/checks.ts";
import { validateLabelSelector } from "../../common/selectors.ts";
import type { TopologySpreadConstraint } from "../../types/core-v1.ts";
import { validateMatchKeys } from "./validate-scheduling.ts";

const actions = ["DoNotSchedule", "ScheduleAnyway"];
const policies = ["Honor", "Ignore"];

/** Checks how pods are spread over topologies. */
export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[],
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, constraint] of constraints.entries()) {
    const at = path.index(index);
    const { whenUnsatisfiable } = constraint;
    const topologyKey = constraint.topologyKey ?? "";
    const maxSkew = constraint.maxSkew ?? 0;
    if (maxSkew <= 0) {
      errors.push(fieldErrors.invalid(at.child("maxSkew"), maxSkew, "must be greater than zero"));
    }
    if (topologyKey === "") errors.push(fieldErrors.required(at.child("topologyKey"), "can not be empty"));
    if (!actions.includes(whenUnsatisfiable)) {
      errors.push(fieldErrors.notSupported(at.child("whenUnsatisfiable"), whenUnsatisfiable ?? "", actions));
    }
    const repeated = constraints
      .slice(index + 1)
      .some((later) => later.topologyKey === topologyKey && later.whenUnsatisfiable === whenUnsatisfiable);
    if (repeated) {
      const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
      errors.push(fieldErrors.duplicate(at.child("{topologyKey, whenUnsatisfiable}"), pair));
    }
    errors.push(
      ...validateMinDomains(constraint, at.child("minDomains")),
      ...optionalOneOf(at.child("nodeAffinityPolicy"), constraint.nodeAffinityPolicy, policies),
      ...optionalOneOf(at.child("nodeTaintsPolicy"), constraint.nodeTaintsPolicy, policies),
      ...validateMatchKeys(constraint, at),
      ...validateLabelSelector(constraint.labelSelector, at.child("labelSelector")),
    );
  }
  return errors;
}

function validateMinDomains(constraint: TopologySpreadConstraint, path: FieldPath): FieldError[] {
  const { minDomains, whenUnsatisfiable } = constraint;
  if (minDomains === undefined) return [];
  const errors = minDomains > 0 ? [] : [fieldErrors.invalid(path, minDomains, "must be greater than zero")];
  if (whenUnsatisfiable === "DoNotSchedule") return errors;
  const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable ?? ""}`;
  return [...errors, fieldErrors.invalid(path, minDomains, why)];
}
