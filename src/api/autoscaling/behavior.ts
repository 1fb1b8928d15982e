import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import { nanosOf } from "../common/amounts.ts";
import { fillMissing } from "../common/fill.ts";
import type {
  HPAScalingPolicy,
  HPAScalingRules,
  HorizontalPodAutoscalerBehavior,
} from "../types/autoscaling-v2.ts";

const longestWindowSeconds = 3600;
const longestPeriodSeconds = 1800;
const selectPolicies = ["Disabled", "Max", "Min"];
const policyTypes = ["Percent", "Pods"];

/** Fills in how fast an autoscaler follows, where something is said of it. */
export function defaultBehavior(behavior: HorizontalPodAutoscalerBehavior): HorizontalPodAutoscalerBehavior {
  const percent = { type: "Percent", value: 100, periodSeconds: 15 };
  return {
    ...behavior,
    scaleUp: fillMissing<HPAScalingRules>(behavior.scaleUp, {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [{ type: "Pods", value: 4, periodSeconds: 15 }, percent],
    }),
    scaleDown: fillMissing<HPAScalingRules>(behavior.scaleDown, { selectPolicy: "Max", policies: [percent] }),
  };
}

/** Checks how fast an autoscaler follows in one direction. */
export function validateScalingRules(rules: HPAScalingRules | undefined, path: FieldPath): FieldError[] {
  if (rules === undefined) return [];
  const { stabilizationWindowSeconds: seconds = 0, selectPolicy, policies = [], tolerance } = rules;
  const errors: FieldError[] = [];
  const window = path.child("stabilizationWindowSeconds");
  if (seconds < 0) errors.push(fieldErrors.invalid(window, seconds, "must be greater than or equal to zero"));
  errors.push(...atMost(seconds, longestWindowSeconds, window));
  if (selectPolicy !== undefined && !selectPolicies.includes(selectPolicy)) {
    errors.push(fieldErrors.notSupported(path.child("selectPolicy"), selectPolicy, selectPolicies));
  }
  const at = path.child("policies");
  if (policies.length === 0) errors.push(fieldErrors.required(at, "must specify at least one Policy"));
  errors.push(...policies.flatMap((policy, index) => validatePolicy(policy, at.index(index))));
  if (tolerance !== undefined && (nanosOf(tolerance) ?? 0n) < 0n) {
    const why = "must be greater than or equal to 0";
    errors.push(fieldErrors.invalid(path.child("tolerance"), tolerance, why));
  }
  return errors;
}

function validatePolicy(policy: Partial<HPAScalingPolicy>, path: FieldPath): FieldError[] {
  const { type = "", value = 0, periodSeconds = 0 } = policy;
  const errors: FieldError[] = [];
  if (!policyTypes.includes(type)) {
    errors.push(fieldErrors.notSupported(path.child("type"), type, policyTypes));
  }
  const why = "must be greater than zero";
  if (value <= 0) errors.push(fieldErrors.invalid(path.child("value"), value, why));
  const at = path.child("periodSeconds");
  if (periodSeconds <= 0) errors.push(fieldErrors.invalid(at, periodSeconds, why));
  return [...errors, ...atMost(periodSeconds, longestPeriodSeconds, at)];
}

function atMost(seconds: number, most: number, path: FieldPath): FieldError[] {
  return seconds > most ? [fieldErrors.invalid(path, seconds, `must be less than or equal to ${most}`)] : [];
}
