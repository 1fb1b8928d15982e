import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { immutable, nonNegative, optionalOneOf } from "../common/checks.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { selectorMatches, validateLabelSelector } from "../common/selectors.ts";
import { validatePodTemplate } from "../core/pod-spec/index.ts";
import type { Job, JobSpec } from "../types/batch-v1.ts";

const maximumIndexes = 100_000;
const completionModes = ["Indexed", "NonIndexed"];

/** Checks a job. */
export function validateJob(job: Job): readonly FieldError[] {
  const { spec } = job;
  const path = FieldPath.root("spec");
  const errors = validateJobSpec(spec, path);
  if (spec.selector === undefined) errors.push(fieldErrors.required(path.child("selector")));
  else {
    const problems = validateLabelSelector(spec.selector, path.child("selector"));
    errors.push(...problems);
    if (problems.length === 0 && !selectorMatches(spec.selector, spec.template.metadata?.labels)) {
      const at = path.child("template", "metadata", "labels");
      errors.push(
        fieldErrors.invalid(
          at,
          spec.template.metadata?.labels ?? {},
          "`selector` does not match template `labels`",
        ),
      );
    }
  }
  return errors;
}

/** Checks the spec of a job, or of the jobs that a cron job makes. */
export function validateJobSpec(spec: JobSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [
    ...nonNegative(path.child("parallelism"), spec.parallelism),
    ...nonNegative(path.child("completions"), spec.completions),
    ...nonNegative(path.child("activeDeadlineSeconds"), spec.activeDeadlineSeconds),
    ...nonNegative(path.child("backoffLimit"), spec.backoffLimit),
    ...nonNegative(path.child("ttlSecondsAfterFinished"), spec.ttlSecondsAfterFinished),
    ...nonNegative(path.child("backoffLimitPerIndex"), spec.backoffLimitPerIndex),
    ...nonNegative(path.child("maxFailedIndexes"), spec.maxFailedIndexes),
    ...optionalOneOf(path.child("completionMode"), spec.completionMode, completionModes),
  ];
  if (spec.completionMode === "Indexed") {
    if (spec.completions === undefined) {
      errors.push(fieldErrors.required(path.child("completions"), "when completion mode is Indexed"));
    }
    if ((spec.parallelism ?? 0) > maximumIndexes) {
      const why = `must be less than or equal to ${maximumIndexes} when completion mode is Indexed`;
      errors.push(fieldErrors.invalid(path.child("parallelism"), spec.parallelism, why));
    }
  } else {
    if (spec.backoffLimitPerIndex !== undefined) {
      const why = "requires indexed completion mode";
      errors.push(fieldErrors.invalid(path.child("backoffLimitPerIndex"), spec.backoffLimitPerIndex, why));
    }
    if (spec.maxFailedIndexes !== undefined) {
      const why = "requires indexed completion mode";
      errors.push(fieldErrors.invalid(path.child("maxFailedIndexes"), spec.maxFailedIndexes, why));
    }
  }
  errors.push(...validatePodTemplate(spec.template, path.child("template")));
  const restartPolicy = spec.template?.spec?.restartPolicy ?? "Always";
  const at = path.child("template", "spec", "restartPolicy");
  if (restartPolicy === "Always") {
    errors.push(fieldErrors.required(at, 'valid values: "OnFailure", "Never"'));
  } else if (restartPolicy !== "OnFailure" && restartPolicy !== "Never") {
    errors.push(fieldErrors.notSupported(at, restartPolicy, ["OnFailure", "Never"]));
  } else if (spec.podFailurePolicy !== undefined && restartPolicy !== "Never") {
    const why = 'only "Never" is supported when podFailurePolicy is specified';
    errors.push(fieldErrors.invalid(at, restartPolicy, why));
  }
  return errors;
}

/** Checks that an update changes no more of a job than it may. */
export function validateJobUpdate(job: Job, old: Job): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [...validateCompletions(job.spec, old.spec, path)];
  errors.push(...immutable(path.child("selector"), job.spec.selector, old.spec.selector));
  const suspended = old.spec.suspend === true && old.status?.startTime === undefined;
  const template = suspended ? withSchedulingOf(job.spec, old.spec) : job.spec.template;
  if (!semanticallyEqual(template, old.spec.template)) {
    errors.push(fieldErrors.invalid(path.child("template"), job.spec.template, "field is immutable"));
  }
  errors.push(
    ...immutable(path.child("completionMode"), job.spec.completionMode, old.spec.completionMode),
    ...immutable(path.child("podFailurePolicy"), job.spec.podFailurePolicy, old.spec.podFailurePolicy),
    ...immutable(
      path.child("backoffLimitPerIndex"),
      job.spec.backoffLimitPerIndex,
      old.spec.backoffLimitPerIndex,
    ),
    ...immutable(path.child("managedBy"), job.spec.managedBy, old.spec.managedBy),
    ...immutable(path.child("successPolicy"), job.spec.successPolicy, old.spec.successPolicy),
  );
  return errors;
}

/** An indexed job may be resized when completions and parallelism stay equal. */
function validateCompletions(spec: JobSpec, old: JobSpec, path: FieldPath): FieldError[] {
  if (spec.completions === old.completions) return [];
  const at = path.child("completions");
  const elastic =
    spec.completionMode === "Indexed" && spec.completions !== undefined && old.completions !== undefined;
  if (!elastic) return [fieldErrors.invalid(at, spec.completions ?? null, "field is immutable")];
  if (spec.completions === spec.parallelism) return [];
  const why = `can only be modified in tandem with spec.parallelism`;
  return [fieldErrors.invalid(at, spec.completions, why)];
}

/** The scheduling directives of a job that never ran may change. */
function withSchedulingOf(spec: JobSpec, old: JobSpec): JobSpec["template"] {
  const before = old.template;
  const kept: Record<string, unknown> = { ...spec.template.spec };
  for (const field of ["nodeSelector", "affinity", "tolerations", "schedulingGates"] as const) {
    kept[field] = before.spec[field];
  }
  return {
    metadata: {
      ...spec.template.metadata,
      labels: before.metadata.labels ?? {},
      annotations: before.metadata.annotations ?? {},
    },
    spec: kept as unknown as JobSpec["template"]["spec"],
  };
}
