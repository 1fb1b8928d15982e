import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isQualifiedName, nilList, omittedValue } from "../../apimachinery/index.ts";
import { invalidFor, nonNegative } from "../common/checks.ts";
import { fill, mapField, mapList } from "../common/fill.ts";
import { internalValue } from "../common/internal-value.ts";
import type {
  JobSpec,
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicy,
  SuccessPolicyRule,
} from "../types/batch-v1.ts";
import { countIndexes } from "./indexes.ts";

const maximumRules = 20;
const maximumExitCodes = 255;
const maximumPatterns = 20;
const longestIndexes = 64 * 1024;
const actions = ["Count", "FailIndex", "FailJob", "Ignore"];
const operators = ["In", "NotIn"];
const conditionStatuses = ["False", "True", "Unknown"];

/** The spec of a job whose patterns of conditions say which status they ask for. */
export function withPatternDefaults(spec: JobSpec): JobSpec {
  return mapField(spec, "podFailurePolicy", (policy) =>
    mapField(policy, "rules", (rules) =>
      mapList(rules, (rule) =>
        mapField(rule, "onPodConditions", (patterns) =>
          mapList(patterns, (pattern) => fill(pattern, { status: "True" })),
        ),
      ),
    ),
  );
}

/** Checks what a job does about pods that fail, when it has succeeded, and when its pods are replaced. */
export function validateJobPolicies(spec: JobSpec, path: FieldPath): FieldError[] {
  return [
    ...validateFailurePolicy(spec, path.child("podFailurePolicy")),
    ...validateSuccessPolicy(spec, path.child("successPolicy")),
    ...validateReplacementPolicy(spec, path.child("podReplacementPolicy")),
  ];
}

/** A failure policy as upstream's messages show it. */
export function shownFailurePolicy(policy: PodFailurePolicy | undefined): unknown {
  const withRules = policy && { ...policy, rules: policy.rules ?? [] };
  return internalValue(withRules, "*io.k8s.api.batch.v1.PodFailurePolicy");
}

/** A success policy as upstream's messages show it. */
export function shownSuccessPolicy(policy: SuccessPolicy | undefined): unknown {
  return internalValue(policy, "*io.k8s.api.batch.v1.SuccessPolicy");
}

function validateFailurePolicy(spec: JobSpec, path: FieldPath): FieldError[] {
  if (spec.podFailurePolicy === undefined) return [];
  const at = path.child("rules");
  const rules = spec.podFailurePolicy.rules ?? [];
  return [
    ...atMost(rules.length, maximumRules, at),
    ...rules.flatMap((rule, index) => validateFailureRule(rule, at.index(index), spec)),
  ];
}

function validateFailureRule(rule: PodFailurePolicyRule, path: FieldPath, spec: JobSpec): FieldError[] {
  const { onExitCodes, onPodConditions = [] } = rule;
  const errors = [
    ...validateAction(rule.action, path.child("action"), spec),
    ...(onExitCodes ? validateExitCodes(onExitCodes, path.child("onExitCodes"), spec) : []),
    ...validatePatterns(onPodConditions, path.child("onPodConditions")),
  ];
  if (onExitCodes && onPodConditions.length > 0) {
    const why = "specifying both OnExitCodes and OnPodConditions is not supported";
    errors.push(fieldErrors.invalid(path, omittedValue, why));
  }
  if (!onExitCodes && onPodConditions.length === 0) {
    const why = "specifying one of OnExitCodes and OnPodConditions is required";
    errors.push(fieldErrors.invalid(path, omittedValue, why));
  }
  return errors;
}

function validateAction(action: string | undefined, path: FieldPath, spec: JobSpec): FieldError[] {
  if (action === "FailIndex" && spec.backoffLimitPerIndex === undefined) {
    return [fieldErrors.invalid(path, action, "requires the backoffLimitPerIndex to be set")];
  }
  return chosenFrom(actions, action, path);
}

function validatePatterns(
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
  path: FieldPath,
): FieldError[] {
  return [
    ...atMost(patterns.length, maximumPatterns, path),
    ...patterns.flatMap(({ type, status }, index) => [
      ...invalidFor(path.index(index).child("type"), type ?? "", isQualifiedName(type ?? "")),
      ...chosenFrom(conditionStatuses, status, path.index(index).child("status")),
    ]),
  ];
}

function validateExitCodes(
  requirement: PodFailurePolicyOnExitCodesRequirement,
  path: FieldPath,
  { template }: JobSpec,
): FieldError[] {
  const { operator, containerName } = requirement;
  const values = requirement.values ?? [];
  const errors = chosenFrom(operators, operator, path.child("operator"));
  const containers = [...(template.spec?.containers ?? []), ...(template.spec?.initContainers ?? [])];
  if (containerName !== undefined && !containers.some(({ name }) => name === containerName)) {
    const why = "must be one of the container or initContainer names in the pod template";
    errors.push(fieldErrors.invalid(path.child("containerName"), containerName, why));
  }
  const at = path.child("values");
  if (values.length === 0) {
    errors.push(fieldErrors.invalid(at, requirement.values ?? nilList, "at least one value is required"));
  }
  errors.push(...atMost(values.length, maximumExitCodes, at));
  for (const [index, value] of values.entries()) {
    if (operator === "In" && value === 0) {
      errors.push(fieldErrors.invalid(at.index(index), value, "must not be 0 for the In operator"));
    }
    if (values.indexOf(value) < index) errors.push(fieldErrors.duplicate(at.index(index), value));
  }
  if (values.some((value, index) => value < (values[index - 1] ?? value))) {
    errors.push(fieldErrors.invalid(at, values, "must be ordered"));
  }
  return errors;
}

function validateSuccessPolicy(spec: JobSpec, path: FieldPath): FieldError[] {
  const { successPolicy } = spec;
  if (successPolicy === undefined) return [];
  if (spec.completionMode !== "Indexed") {
    return [fieldErrors.invalid(path, shownSuccessPolicy(successPolicy), "requires indexed completion mode")];
  }
  const at = path.child("rules");
  const rules = successPolicy.rules ?? [];
  const why = "at least one rules must be specified when the successPolicy is specified";
  return [
    ...(rules.length === 0 ? [fieldErrors.required(at, why)] : []),
    ...atMost(rules.length, maximumRules, at),
    ...rules.flatMap((rule, index) => validateSuccessRule(rule, at.index(index), spec.completions ?? 0)),
  ];
}

function validateSuccessRule(rule: SuccessPolicyRule, path: FieldPath, completions: number): FieldError[] {
  const { succeededCount, succeededIndexes } = rule;
  const errors: FieldError[] = [];
  if (succeededCount === undefined && succeededIndexes === undefined) {
    const why = "at least one of succeededCount or succeededIndexes must be specified";
    errors.push(fieldErrors.required(path, why));
  }
  const { count, problem } = countIndexes(succeededIndexes ?? "", completions);
  if (succeededIndexes !== undefined) {
    const at = path.child("succeededIndexes");
    if (succeededIndexes.length > longestIndexes) errors.push(fieldErrors.tooLong(at, longestIndexes));
    if (problem !== undefined) {
      const why = `error parsing succeededIndexes: ${problem}`;
      errors.push(fieldErrors.invalid(at, succeededIndexes, why));
    }
  }
  if (succeededCount === undefined) return errors;
  const at = path.child("succeededCount");
  errors.push(...nonNegative(at, succeededCount));
  const exceeds = (most: number, what: string) =>
    succeededCount > most
      ? [fieldErrors.invalid(at, succeededCount, `must be less than or equal to ${most} (${what})`)]
      : [];
  errors.push(...exceeds(completions, "the number of specified completions"));
  if (succeededIndexes !== undefined) {
    errors.push(...exceeds(count, "the number of indexes in the specified succeededIndexes field"));
  }
  return errors;
}

function validateReplacementPolicy(spec: JobSpec, path: FieldPath): FieldError[] {
  const { podReplacementPolicy: policy, podFailurePolicy } = spec;
  const supported = podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"];
  if (policy === undefined || supported.includes(policy)) return [];
  return [fieldErrors.notSupported(path, policy, supported)];
}

function chosenFrom(supported: readonly string[], value: string | undefined, path: FieldPath): FieldError[] {
  if (!value) {
    const list = supported.map((each) => JSON.stringify(each)).join(" ");
    return [fieldErrors.required(path, `valid values: [${list}]`)];
  }
  return supported.includes(value) ? [] : [fieldErrors.notSupported(path, value, supported)];
}

function atMost(count: number, maximum: number, path: FieldPath): FieldError[] {
  return count > maximum ? [fieldErrors.tooMany(path, count, maximum)] : [];
}
