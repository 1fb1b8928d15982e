import type { FieldError, FieldPath, LabelSelector } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import { isEmptySelector, selectorMatches, validateLabelSelector } from "../common/selectors.ts";
import { validatePodTemplate } from "../core/pod-spec/index.ts";
import type { PodTemplateSpec } from "../types/core-v1.ts";

/** Checks a workload's selector. */
export function validateWorkloadSelector(
  selector: LabelSelector | undefined,
  path: FieldPath,
  options: { owner: string },
): FieldError[] {
  if (!selector) return [fieldErrors.required(path)];
  const errors = validateLabelSelector(selector, path);
  if (isEmptySelector(selector)) {
    errors.push(fieldErrors.invalid(path, selector, `empty selector is invalid for ${options.owner}`));
  }
  return errors;
}

/** Checks the template of a workload whose pods run for ever and are chosen by a selector. */
export function validateWorkloadTemplate(
  template: PodTemplateSpec,
  path: FieldPath,
  options: { selector: LabelSelector | undefined; owner: string },
): FieldError[] {
  const errors: FieldError[] = [];
  const labels = template.metadata?.labels;
  const { selector } = options;
  if (
    selector !== undefined &&
    !isEmptySelector(selector) &&
    validateLabelSelector(selector, path).length === 0
  ) {
    if (!selectorMatches(selector, labels)) {
      const why = "`selector` does not match template `labels`";
      errors.push(fieldErrors.invalid(path.child("metadata", "labels"), labels ?? {}, why));
    }
  }
  errors.push(...validatePodTemplate(template, path));
  const restartPolicy = template.spec?.restartPolicy;
  if (restartPolicy !== undefined && restartPolicy !== "Always") {
    errors.push(fieldErrors.notSupported(path.child("spec", "restartPolicy"), restartPolicy, ["Always"]));
  }
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${options.owner} is not Supported`;
    errors.push(fieldErrors.forbidden(path.child("spec", "activeDeadlineSeconds"), why));
  }
  return errors;
}
