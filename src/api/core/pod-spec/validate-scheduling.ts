import type { FieldError, FieldPath, LabelSelector } from "../../../apimachinery/index.ts";
import {
  fieldErrors,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
} from "../../../apimachinery/index.ts";
import { inRange, invalidFor, oneOf } from "../../common/checks.ts";
import { validateLabelSelector } from "../../common/selectors.ts";
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  Toleration,
  WeightedPodAffinityTerm,
} from "../../types/core-v1.ts";

/** The effects of taints. */
export const taintEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const weights = { from: 1, to: 100 };

/** Checks tolerations. */
export function validateTolerations(tolerations: readonly Toleration[], path: FieldPath): FieldError[] {
  return tolerations.flatMap((toleration, index) => {
    const at = path.index(index);
    const { key, operator, effect, tolerationSeconds } = toleration;
    const errors = key ? invalidFor(at.child("key"), key, isQualifiedName(key)) : [];
    if (!key && operator !== "Exists") {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(fieldErrors.invalid(at.child("operator"), operator ?? "", why));
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      const why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(fieldErrors.invalid(at.child("effect"), effect ?? "", why));
    }
    errors.push(...validateTolerationValue(toleration, at));
    if (effect) errors.push(...oneOf(at.child("effect"), effect, taintEffects));
    return errors;
  });
}

function validateTolerationValue(toleration: Toleration, path: FieldPath): FieldError[] {
  const { operator = "", value = "" } = toleration;
  const at = path.child("operator");
  switch (operator) {
    case "":
    case "Equal": {
      const problems = isValidLabelValue(value);
      return problems.length === 0 ? [] : [fieldErrors.invalid(at, value, problems.join(";"))];
    }
    case "Exists":
      return value === ""
        ? []
        : [fieldErrors.invalid(at, value, "value must be empty when `operator` is 'Exists'")];
    // Comparisons of numbers are known, and behind a gate that is closed.
    case "Lt":
    case "Gt":
      return [fieldErrors.notSupported(at, operator, ["Equal", "Exists", "Lt", "Gt"])];
    default:
      return [fieldErrors.notSupported(at, operator, ["Equal", "Exists"])];
  }
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
      ...validateNodeTerm(term.preference, at.child("preference"), { anyValue: true }),
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

/** Where nodes are only preferred, values that no label can have are let through: they just never match. */
function validateNodeTerm(
  term: NodeSelectorTerm | undefined,
  path: FieldPath,
  options: { readonly anyValue?: true } = {},
): FieldError[] {
  return [
    ...(term?.matchExpressions ?? []).flatMap((requirement, index) =>
      validateRequirement(requirement, path.child("matchExpressions").index(index), options),
    ),
    ...(term?.matchFields ?? []).flatMap((requirement, index) =>
      validateFieldRequirement(requirement, path.child("matchFields").index(index)),
    ),
  ];
}

function validateRequirement(
  requirement: NodeSelectorRequirement,
  path: FieldPath,
  options: { readonly anyValue?: true },
): FieldError[] {
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
    ...(options.anyValue ? [] : values).flatMap((value, index) =>
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
    return [...errors, fieldErrors.invalid(path.child("key"), key, "not a valid field selector key")];
  }
  for (const [index, value] of values.entries()) {
    errors.push(...invalidFor(path.child("values").index(index), value, isDNS1123Subdomain(value)));
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
  const key = term?.topologyKey ?? "";
  return [
    ...validateLabelSelector(term?.labelSelector, path.child("labelSelector")),
    ...validateLabelSelector(term?.namespaceSelector, path.child("namespaceSelector")),
    ...(term?.namespaces ?? []).flatMap((name) =>
      invalidFor(path.child("namespace"), name, isDNS1123Label(name)),
    ),
    ...(term ? validateMatchKeys(term, path) : []),
    ...(key === "" ? [fieldErrors.required(path.child("topologyKey"), "can not be empty")] : []),
    ...invalidFor(path.child("topologyKey"), key, isQualifiedName(key)),
  ];
}

/** What chooses pods by their labels, and by the labels of the pod itself. */
export interface MatchKeys {
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
  readonly mismatchLabelKeys?: readonly string[];
}

/** Checks the keys that become requirements on the pod's own labels. */
export function validateMatchKeys(keys: MatchKeys, path: FieldPath): FieldError[] {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = keys;
  if (matchLabelKeys.length === 0 && mismatchLabelKeys.length === 0) return [];
  const errors = [
    ...validateKeys(matchLabelKeys, path.child("matchLabelKeys"), labelSelector),
    ...validateKeys(mismatchLabelKeys, path.child("mismatchLabelKeys"), labelSelector),
  ];
  // The server has made requirements out of the keys by now: one more of the same key comes from the client.
  const present = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys.indexOf(key);
    if (index >= 0 && present.has(key)) {
      const why = "exists in both matchLabelKeys and labelSelector";
      errors.push(fieldErrors.invalid(path.index(index), key, why));
    }
    present.add(key);
  }
  for (const [index, key] of matchLabelKeys.entries()) {
    if (!mismatchLabelKeys.includes(key)) continue;
    const why = "exists in both matchLabelKeys and mismatchLabelKeys";
    errors.push(fieldErrors.invalid(path.child("matchLabelKeys").index(index), key, why));
  }
  return errors;
}

function validateKeys(
  keys: readonly string[],
  path: FieldPath,
  selector: LabelSelector | undefined,
): FieldError[] {
  if (keys.length === 0) return [];
  if (selector === undefined) {
    return [fieldErrors.forbidden(path, "must not be specified when labelSelector is not set")];
  }
  return keys.flatMap((key, index) => invalidFor(path.index(index), key, isQualifiedName(key)));
}
