import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import { inRange, invalidFor, oneOf } from "../../common/checks.ts";
import { isDNS1123Label, isValidLabelValue, isQualifiedName } from "../../../apimachinery/index.ts";
import { validateLabelSelector } from "../../common/selectors.ts";
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
  WeightedPodAffinityTerm,
} from "../../types/core-v1.ts";

/** The effects of taints. */
export const taintEffects = ["NoExecute", "NoSchedule", "PreferNoSchedule"];
const weights = { from: 1, to: 100 };

/** Checks tolerations. */
export function validateTolerations(tolerations: readonly Toleration[], path: FieldPath): FieldError[] {
  return tolerations.flatMap((toleration, index) => {
    const at = path.index(index);
    const { key, operator, value = "", effect, tolerationSeconds } = toleration;
    const errors = key ? invalidFor(at.child("key"), key, isQualifiedName(key)) : [];
    if (!key && operator !== "Exists") {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(fieldErrors.invalid(at.child("operator"), operator ?? "", why));
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      const why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(fieldErrors.invalid(at.child("effect"), effect ?? "", why));
    }
    if (operator === undefined || operator === "Equal") {
      const problems = isValidLabelValue(value);
      if (problems.length > 0)
        errors.push(fieldErrors.invalid(at.child("operator"), value, problems.join(";")));
    } else if (operator === "Exists") {
      if (value !== "") {
        errors.push(
          fieldErrors.invalid(
            at.child("operator"),
            toleration,
            "value must be empty when `operator` is 'Exists'",
          ),
        );
      }
    } else {
      errors.push(fieldErrors.notSupported(at.child("operator"), operator, ["Equal", "Exists"]));
    }
    if (effect) errors.push(...oneOf(at.child("effect"), effect, taintEffects));
    return errors;
  });
}

/** Checks affinities to nodes and pods. */
export function validateAffinity(affinity: Affinity | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const node = affinity?.nodeAffinity;
  const required = node?.requiredDuringSchedulingIgnoredDuringExecution;
  const nodePath = path.child("nodeAffinity");
  if (required) {
    errors.push(
      ...validateNodeSelector(required, nodePath.child("requiredDuringSchedulingIgnoredDuringExecution")),
    );
  }
  for (const [index, term] of (node?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    const at = nodePath.child("preferredDuringSchedulingIgnoredDuringExecution").index(index);
    errors.push(
      ...validateWeight(at, term.weight),
      ...validateNodeTerm(term.preference, at.child("preference")),
    );
  }
  for (const field of ["podAffinity", "podAntiAffinity"] as const) {
    const rules = affinity?.[field];
    for (const [index, term] of (rules?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      errors.push(
        ...validatePodTerm(
          term,
          path.child(field, "requiredDuringSchedulingIgnoredDuringExecution").index(index),
        ),
      );
    }
    for (const [index, term] of (rules?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      const at = path.child(field, "preferredDuringSchedulingIgnoredDuringExecution").index(index);
      errors.push(...validateWeightedTerm(term, at));
    }
  }
  return errors;
}

/** Checks a selector of nodes. */
export function validateNodeSelector(selector: NodeSelector, path: FieldPath): FieldError[] {
  const terms = selector.nodeSelectorTerms ?? [];
  const at = path.child("nodeSelectorTerms");
  if (terms.length === 0) return [fieldErrors.required(at, "must have at least one node selector term")];
  return terms.flatMap((term, index) => validateNodeTerm(term, at.index(index)));
}

/** Checks how pods are spread over topologies. */
export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[],
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, constraint] of constraints.entries()) {
    const at = path.index(index);
    const { topologyKey, whenUnsatisfiable, minDomains } = constraint;
    const maxSkew = constraint.maxSkew ?? 0;
    if (maxSkew <= 0)
      errors.push(fieldErrors.invalid(at.child("maxSkew"), maxSkew, "must be greater than zero"));
    if (!topologyKey) errors.push(fieldErrors.required(at.child("topologyKey"), "can not be empty"));
    else errors.push(...invalidFor(at.child("topologyKey"), topologyKey, isQualifiedName(topologyKey)));
    if (!["DoNotSchedule", "ScheduleAnyway"].includes(whenUnsatisfiable)) {
      errors.push(
        fieldErrors.notSupported(at.child("whenUnsatisfiable"), whenUnsatisfiable ?? "", [
          "DoNotSchedule",
          "ScheduleAnyway",
        ]),
      );
    }
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(pair))
      errors.push(fieldErrors.duplicate(at.child("{topologyKey, whenUnsatisfiable}"), pair));
    seen.add(pair);
    if (minDomains !== undefined) {
      if (minDomains <= 0) {
        errors.push(fieldErrors.invalid(at.child("minDomains"), minDomains, "must be greater than zero"));
      }
      if (whenUnsatisfiable !== "DoNotSchedule") {
        const why = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway";
        errors.push(fieldErrors.invalid(at.child("minDomains"), minDomains, why));
      }
    }
    errors.push(...validateLabelSelector(constraint.labelSelector, at.child("labelSelector")));
  }
  return errors;
}

function validateNodeTerm(term: NodeSelectorTerm | undefined, path: FieldPath): FieldError[] {
  return [
    ...(term?.matchExpressions ?? []).flatMap((requirement, index) =>
      validateRequirement(requirement, path.child("matchExpressions").index(index)),
    ),
    ...(term?.matchFields ?? []).flatMap((requirement, index) =>
      validateFieldRequirement(requirement, path.child("matchFields").index(index)),
    ),
  ];
}

function validateRequirement(requirement: NodeSelectorRequirement, path: FieldPath): FieldError[] {
  const { key, operator, values = [] } = requirement;
  const errors: FieldError[] = [];
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length === 0) {
        errors.push(
          fieldErrors.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"),
        );
      }
      break;
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0) {
        const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        errors.push(fieldErrors.forbidden(path.child("values"), why));
      }
      break;
    case "Gt":
    case "Lt":
      if (values.length !== 1) {
        errors.push(
          fieldErrors.required(
            path.child("values"),
            "must be specified single value when `operator` is 'Lt' or 'Gt'",
          ),
        );
      }
      break;
    default:
      errors.push(fieldErrors.invalid(path.child("operator"), operator, "not a valid selector operator"));
  }
  return [
    ...errors,
    ...invalidFor(path.child("key"), key, isQualifiedName(key ?? "")),
    ...values.flatMap((value, index) =>
      invalidFor(path.child("values").index(index), value, isValidLabelValue(value)),
    ),
  ];
}

function validateFieldRequirement(requirement: NodeSelectorRequirement, path: FieldPath): FieldError[] {
  const { key, operator, values = [] } = requirement;
  const errors: FieldError[] = [];
  if (operator === "In" || operator === "NotIn") {
    if (values.length !== 1) {
      const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      errors.push(fieldErrors.required(path.child("values"), why));
    }
  } else {
    errors.push(fieldErrors.invalid(path.child("operator"), operator, "not a valid selector operator"));
  }
  if (key !== "metadata.name") {
    errors.push(fieldErrors.invalid(path.child("key"), key, "not a valid field selector key"));
  }
  return errors;
}

function validateWeightedTerm(term: WeightedPodAffinityTerm, path: FieldPath): FieldError[] {
  return [
    ...validateWeight(path, term.weight),
    ...validatePodTerm(term.podAffinityTerm, path.child("podAffinityTerm")),
  ];
}

function validateWeight(path: FieldPath, weight: number): FieldError[] {
  return inRange(path.child("weight"), weight ?? 0, weights).map(() =>
    fieldErrors.invalid(path.child("weight"), weight ?? 0, "must be in the range 1-100"),
  );
}

function validatePodTerm(term: PodAffinityTerm | undefined, path: FieldPath): FieldError[] {
  const errors = [
    ...validateLabelSelector(term?.labelSelector, path.child("labelSelector")),
    ...validateLabelSelector(term?.namespaceSelector, path.child("namespaceSelector")),
  ];
  for (const name of term?.namespaces ?? []) {
    errors.push(...invalidFor(path.child("namespace"), name, isDNS1123Label(name)));
  }
  if (!term?.topologyKey) errors.push(fieldErrors.required(path.child("topologyKey"), "can not be empty"));
  else
    errors.push(
      ...invalidFor(path.child("topologyKey"), term.topologyKey, isQualifiedName(term.topologyKey)),
    );
  return errors;
}
