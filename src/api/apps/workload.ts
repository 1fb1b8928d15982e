import type { FieldError, FieldPath, LabelSelector } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import {
  isEmptySelector,
  selectorMatches,
  shownLabels,
  shownSelector,
  validateLabelSelector,
} from "../common/selectors.ts";
import { validateRunning } from "../common/running.ts";
import { validatePodTemplate } from "../core/pod-spec/index.ts";
import type { PodTemplateSpec } from "../types/core-v1.ts";

/** What the checks of a workload's selector and template need to know of its kind. */
export interface WorkloadWords {
  /** Whose selector may not be empty. */
  readonly selectorOwner: string;
  /** Whose pods may not have a deadline. */
  readonly templateOwner: string;
  /** What is said at a selector that cannot be read, besides what is wrong in it. */
  readonly unreadable: string;
}

/** Checks the selector and the template of a workload whose pods run for ever. */
export function validateWorkload(
  spec: { readonly selector: LabelSelector; readonly template: PodTemplateSpec },
  path: FieldPath,
  words: WorkloadWords,
): FieldError[] {
  const at = path.child("selector");
  const { selector, template } = spec;
  const problems = validateLabelSelector(selector, at);
  const errors = [...(selector ? [] : [fieldErrors.required(at)]), ...problems];
  if (selector && isEmptySelector(selector)) {
    errors.push(fieldErrors.invalid(at, selector, `empty selector is invalid for ${words.selectorOwner}`));
  }
  if (problems.length > 0)
    return [...errors, fieldErrors.invalid(at, shownSelector(selector), words.unreadable)];
  return [
    ...errors,
    ...validateSelected(selector, template, path.child("template")),
    ...validatePodTemplate(template, path.child("template")),
    ...validateRunning(template.spec, path.child("template", "spec"), words),
  ];
}

/** Checks that a selector chooses the pods of a template; one that is absent chooses none. */
export function validateSelected(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec,
  path: FieldPath,
): FieldError[] {
  const labels = template.metadata?.labels;
  if (selector && selectorMatches(selector, labels)) return [];
  const why = "`selector` does not match template `labels`";
  return [fieldErrors.invalid(path.child("metadata", "labels"), shownLabels(labels), why)];
}
