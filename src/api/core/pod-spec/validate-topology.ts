import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors, isQualifiedName } from "../../../apimachinery/index.ts";
import { invalidFor, optionalOneOf } from "../../common/checks.ts";
import { validateLabelSelector } from "../../common/selectors.ts";
import type { TopologySpreadConstraint } from "../../types/core-v1.ts";

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
      ...validateKeys(constraint, at.child("matchLabelKeys")),
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

function validateKeys(constraint: TopologySpreadConstraint, path: FieldPath): FieldError[] {
  const { matchLabelKeys = [], labelSelector } = constraint;
  if (matchLabelKeys.length === 0) return [];
  if (labelSelector === undefined) {
    return [fieldErrors.forbidden(path, "must not be specified when labelSelector is not set")];
  }
  const counts = new Map<string, number>();
  const keys = [
    ...Object.keys(labelSelector.matchLabels ?? {}),
    ...(labelSelector.matchExpressions ?? []).map(({ key }) => key),
  ];
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return matchLabelKeys.flatMap((key, index) => {
    const errors = invalidFor(path.index(index), key, isQualifiedName(key));
    // One requirement is the server's own, made out of this key.
    if ((counts.get(key) ?? 0) < 2) return errors;
    const why = "exists in both matchLabelKeys and labelSelector";
    return [...errors, fieldErrors.invalid(path.index(index), key, why)];
  });
}
