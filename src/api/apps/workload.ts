import type { FieldError, FieldPath, LabelSelector } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import { validateRunning } from "../common/running.ts";
import { validateSelected } from "../common/selected.ts";
import { isEmptySelector, shownSelector, validateLabelSelector } from "../common/selectors.ts";
import { validatePodTemplate } from "../core/pod-spec/index.ts";
import type { PodTemplateSpec } from "../types/core-v1.ts";

interface WorkloadSpec {
  readonly selector: LabelSelector;
  readonly template: PodTemplateSpec;
}

interface SelectionWords {
  /** Whose selector may not be empty. */
  readonly selectorOwner: string;
  /** What is said at a selector that cannot be read, besides what is wrong in it. */
  readonly unreadable: string;
}

/** What the checks of a workload's selector and template need to know of its kind. */
export interface WorkloadWords extends SelectionWords {
  /** Whose pods may not have a deadline. */
  readonly templateOwner: string;
}

/** Checks the selector and the template of a workload whose pods run for ever. */
export function validateWorkload(spec: WorkloadSpec, path: FieldPath, words: WorkloadWords): FieldError[] {
  const { errors, isReadable } = validateSelection(spec, path, words);
  if (!isReadable) return errors;
  const at = path.child("template");
  return [
    ...errors,
    ...validatePodTemplate(spec.template, at),
    ...validateRunning(spec.template.spec, at.child("spec"), words),
  ];
}

/** Checks the selector of a workload, and that it chooses the pods of the template where it can be read. */
export function validateSelection(
  { selector, template }: WorkloadSpec,
  path: FieldPath,
  words: SelectionWords,
): { readonly errors: FieldError[]; readonly isReadable: boolean } {
  const at = path.child("selector");
  const problems = validateLabelSelector(selector, at);
  const errors = [...(selector ? [] : [fieldErrors.required(at)]), ...problems];
  if (selector && isEmptySelector(selector)) {
    errors.push(fieldErrors.invalid(at, selector, `empty selector is invalid for ${words.selectorOwner}`));
  }
  const isReadable = problems.length === 0;
  if (isReadable) errors.push(...validateSelected(selector, template, path.child("template")));
  else errors.push(fieldErrors.invalid(at, shownSelector(selector), words.unreadable));
  return { errors, isReadable };
}
