import type { FieldError, FieldPath, LabelSelector } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import type { PodTemplateSpec } from "../types/core-v1.ts";
import { selectorMatches, shownLabels } from "./selectors.ts";

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
