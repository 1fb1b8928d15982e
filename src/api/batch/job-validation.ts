import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Label } from "../../apimachinery/index.ts";
import { nonNegativeFields } from "../common/checks.ts";
import { validateDomainPrefixedPath } from "../common/domain-names.ts";
import { validateSelected } from "../common/selected.ts";
import { validateLabelSelector } from "../common/selectors.ts";
import { validatePodTemplate } from "../core/pod-spec/index.ts";
import type { Job, JobSpec } from "../types/batch-v1.ts";
import { validateGeneratedSelector } from "./job-labels.ts";
import { validateJobPolicies } from "./job-policies.ts";

const maximumIndexes = 100_000;
/** Jobs of more completions that count failures by index are held to less. */
const manyCompletions = 100_000;
const maximumOfMany = 10_000;
const longestManager = 63;
const completionModes = ["NonIndexed", "Indexed"];
const restartPolicies = ["OnFailure", "Never"];
const counts = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;

/** Checks a job. */
export function validateJob(
  job: Job,
  options: {
    readonly needsPrefixedLabels: boolean;
    /** Upstream looks at the spec of a changed job twice; so does whoever counts the causes. */
    readonly repeatsSpec?: true;
  },
): FieldError[] {
  const spec = validateSelectingSpec(job.spec, FieldPath.root("spec"));
  return [
    ...validateGeneratedSelector(job, options),
    ...spec,
    ...validateHostnames(job),
    ...(options.repeatsSpec ? spec : []),
  ];
}

/** Checks the spec of a job, which has a selector. */
function validateSelectingSpec(spec: JobSpec, path: FieldPath): FieldError[] {
  const { selector, template } = spec;
  const at = path.child("selector");
  const problems = selector ? validateLabelSelector(selector, at) : [fieldErrors.required(at)];
  const errors = [...validateJobSpec(spec, path), ...problems];
  return selector && problems.length > 0
    ? errors
    : [...errors, ...validateSelected(selector, template, path.child("template"))];
}

/** Checks the spec of a job, or of the jobs that a cron job makes. */
export function validateJobSpec(spec: JobSpec, path: FieldPath): FieldError[] {
  const { maxFailedIndexes, backoffLimitPerIndex } = spec;
  return [
    ...nonNegativeFields(path, spec, counts),
    ...(maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined
      ? [fieldErrors.required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified")]
      : []),
    ...validateManager(spec.managedBy, path.child("managedBy")),
    ...validateMode(spec, path),
    ...validateJobPolicies(spec, path),
    ...validatePodTemplate(spec.template, path.child("template")),
    ...validateRestarts(spec, path.child("template", "spec", "restartPolicy")),
  ];
}

function validateManager(manager: string | undefined, path: FieldPath): FieldError[] {
  if (manager === undefined) return [];
  return [
    ...validateDomainPrefixedPath(manager, path),
    ...(manager.length > longestManager ? [fieldErrors.tooLong(path, longestManager)] : []),
  ];
}

function validateMode(spec: JobSpec, path: FieldPath): FieldError[] {
  const { completionMode: mode = "NonIndexed" } = spec;
  if (mode === "Indexed") return validateIndexed(spec, path);
  if (!completionModes.includes(mode)) {
    return [fieldErrors.notSupported(path.child("completionMode"), mode, completionModes)];
  }
  return (["backoffLimitPerIndex", "maxFailedIndexes"] as const).flatMap((field) =>
    spec[field] === undefined
      ? []
      : [fieldErrors.invalid(path.child(field), spec[field], "requires indexed completion mode")],
  );
}

function validateIndexed(spec: JobSpec, path: FieldPath): FieldError[] {
  const { completions, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const errors: FieldError[] = [];
  const atMost = (field: "parallelism" | "maxFailedIndexes", most: number, condition = "") => {
    if ((spec[field] ?? 0) <= most) return;
    const why = `must be less than or equal to ${most}${condition}`;
    errors.push(fieldErrors.invalid(path.child(field), spec[field], why));
  };
  if (completions === undefined) {
    errors.push(fieldErrors.required(path.child("completions"), "when completion mode is Indexed"));
  }
  atMost("parallelism", maximumIndexes, " when completion mode is Indexed");
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    const why = "must be less than or equal to completions";
    errors.push(fieldErrors.invalid(path.child("maxFailedIndexes"), maxFailedIndexes, why));
  }
  atMost("maxFailedIndexes", maximumIndexes);
  if ((completions ?? 0) <= manyCompletions || backoffLimitPerIndex === undefined) return errors;
  if (maxFailedIndexes === undefined) {
    const why = `must be specified when completions is above ${manyCompletions}`;
    errors.push(fieldErrors.required(path.child("maxFailedIndexes"), why));
  }
  const condition = ` when completions are above ${manyCompletions} and used with backoff limit per index`;
  atMost("parallelism", maximumOfMany, condition);
  atMost("maxFailedIndexes", maximumOfMany, condition);
  return errors;
}

function validateRestarts(spec: JobSpec, path: FieldPath): FieldError[] {
  const policy = spec.template?.spec?.restartPolicy ?? "Always";
  if (policy === "Always") return [fieldErrors.required(path, 'valid values: "OnFailure", "Never"')];
  if (!restartPolicies.includes(policy)) return [fieldErrors.notSupported(path, policy, restartPolicies)];
  if (spec.podFailurePolicy === undefined || policy === "Never") return [];
  const why = 'only "Never" is supported when podFailurePolicy is specified';
  return [fieldErrors.invalid(path, policy, why)];
}

/** The pods of an indexed job are called by its name and their index. */
function validateHostnames({ metadata, spec }: Job): FieldError[] {
  const { completions = 0, completionMode } = spec;
  if (completionMode !== "Indexed" || completions <= 0) return [];
  const longest = `${metadata.name}-${completions - 1}`;
  if (isDNS1123Label(longest).length === 0) return [];
  const why = `will not able to create pod with invalid DNS label: ${longest}`;
  return [fieldErrors.invalid(FieldPath.root("metadata").child("name"), metadata.name, why)];
}
