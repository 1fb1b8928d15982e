import type { FieldError, FieldPath, LabelSelector } from "../../apimachinery/index.ts";
import {
  labelSelectorOf,
  nilList,
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
  // Where upstream always writes the field, one that is absent is null.
  return [...selectorErrors(selector ?? undefined, { path, ...options })];
}

/** Whether a selector asks for nothing, and so selects everything. */
export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  return (
    Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0
  );
}

/** Labels as messages show them: in the order of their keys, as Go's JSON has maps. */
export function shownLabels(labels: Labels | undefined): unknown {
  return labels ? inOrder(labels) : nilList;
}

/** A selector as messages show it. */
export function shownSelector(selector: LabelSelector | undefined): LabelSelector | undefined {
  return selector?.matchLabels ? { ...selector, matchLabels: inOrder(selector.matchLabels) } : selector;
}

function inOrder(labels: Labels): Labels {
  const entries = Object.entries(labels);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Whether a valid selector chooses an object of these labels. */
export function selectorMatches(selector: LabelSelector, labels: Labels | undefined): boolean {
  return matches(labelSelectorOf(selector), labels);
}
