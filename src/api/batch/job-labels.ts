import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { selectorMatches, shownLabels, shownSelector, validateLabelSelector } from "../common/selectors.ts";
import type { Job } from "../types/batch-v1.ts";

const controllerLabel = "batch.kubernetes.io/controller-uid";
const jobNameLabel = "batch.kubernetes.io/job-name";
const prefixedLabels = [controllerLabel, jobNameLabel];

/** The labels of a job's pods, in the order in which they are checked: those without a prefix came first. */
function expectedLabels({ metadata }: Job): readonly (readonly [label: string, value: string])[] {
  const { uid, name } = metadata;
  return [
    ["controller-uid", uid],
    ["job-name", name],
    [controllerLabel, uid],
    [jobNameLabel, name],
  ];
}

/** A new job with a selector of its own, and the labels for it; what is given stays, and is checked. */
export function withGeneratedSelector(job: Job): Job {
  const { selector, template } = job.spec;
  const labels = { ...Object.fromEntries(expectedLabels(job)), ...template.metadata?.labels };
  const matchLabels = { [controllerLabel]: job.metadata.uid, ...selector?.matchLabels };
  return {
    ...job,
    spec: {
      ...job.spec,
      selector: { ...selector, matchLabels },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** Whether the pods of a job have the labels with a prefix: those of jobs from long ago may have none. */
export function hasPrefixedLabels({ spec }: Job): boolean {
  return prefixedLabels.every((label) => spec.template.metadata?.labels?.[label] !== undefined);
}

/** Checks that selector and labels are those that were generated. */
export function validateGeneratedSelector(
  job: Job,
  options: { readonly needsPrefixedLabels: boolean },
): FieldError[] {
  const { selector, manualSelector, template } = job.spec;
  if (manualSelector === true || selector === undefined) return [];
  const path = FieldPath.root("spec");
  const labels = template.metadata?.labels;
  const expected = expectedLabels(job).filter(
    ([label]) => options.needsPrefixedLabels || !prefixedLabels.includes(label),
  );
  const errors = expected.flatMap(([label, value]) => {
    if (labels?.[label] === value) return [];
    const at = path.child("template", "metadata", "labels");
    return labels?.[label] === undefined
      ? [fieldErrors.required(at.key(label), `must be '${value}'`)]
      : [fieldErrors.invalid(at.key(label), shownLabels(labels), `must be '${value}'`)];
  });
  const isReadable = validateLabelSelector(selector, path.child("selector")).length === 0;
  if (isReadable && !selectorMatches(selector, Object.fromEntries(expected))) {
    errors.push(
      fieldErrors.invalid(path.child("selector"), shownSelector(selector), "`selector` not auto-generated"),
    );
  }
  return errors;
}
