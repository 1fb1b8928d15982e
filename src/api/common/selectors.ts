import type { FieldError, FieldPath, LabelSelector } from "../../apimachinery/index.ts";
import {
  labelSelectorOf,
  selectorMatches as matches,
  validateLabels as labelErrors,
  validateLabelSelector as selectorErrors,
} from "../../apimachinery/index.ts";

type Labels = Readonly<Record<string, string>>;

/** Checks the keys and values of labels, if there are any. */
export function validateLabels(labels: Labels | undefined, path: FieldPath): FieldError[] {
  return labels === undefined ? [] : [...labelErrors(labels, path)];
}

/** Checks a label selector, if there is one; `checkValues: false` leaves the values of its expressions aside. */
export function validateLabelSelector(
  selector: LabelSelector | undefined,
  path: FieldPath,
  options: { readonly checkValues?: boolean } = {},
): FieldError[] {
  return [...selectorErrors(selector, { path, ...options })];
}

/** Whether a selector asks for nothing, and so selects everything. */
export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  return (
    Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0
  );
}

/** Whether a valid selector chooses an object of these labels. */
export function selectorMatches(selector: LabelSelector, labels: Labels | undefined): boolean {
  return matches(labelSelectorOf(selector), labels);
}
