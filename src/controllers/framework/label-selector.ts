import { labelSelectorOf, selectorMatches } from "../../apimachinery/index.ts";
import type { Labels, LabelSelector } from "../../apimachinery/index.ts";

/** Whether labels match; an absent selector matches nothing, an empty one everything. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  return selectorMatches(labelSelectorOf(selector), labels);
}

/** Whether all of `wanted` are among the labels. */
export function matchesLabels(wanted: Labels, labels: Labels = {}): boolean {
  for (const name in wanted) if (labels[name] !== wanted[name]) return false;
  return true;
}

/** Whether the selector matches everything. */
export function selectsAll(selector: LabelSelector | undefined): boolean {
  if (selector === undefined) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}
