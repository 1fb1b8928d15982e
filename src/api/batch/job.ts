import { FieldPath } from "../../apimachinery/index.ts";
import { ageColumn, column, containerColumns, nameColumn, selectorColumn } from "../common/columns.ts";
import { humanDuration } from "../common/duration.ts";
import { fillMissing } from "../common/fill.ts";
import { updateChecks } from "../common/updates.ts";
import { isNewIntent, podNameWarnings } from "../common/warnings.ts";
import { defaultPodTemplate } from "../core/pod-spec/index.ts";
import { defineResource } from "../definition.ts";
import type { JobSpec } from "../types/batch-v1.ts";
import { Job } from "../types/batch-v1.ts";
import { withPatternDefaults } from "./job-policies.ts";
import { hasCondition } from "./conditions.ts";
import { withGeneratedSelector } from "./job-labels.ts";
import { validateJobStatus } from "./job-status.ts";
import { validateJobUpdate } from "./job-update.ts";
import { validateJob } from "./job-validation.ts";
import { jobSpecWarnings } from "./job-warnings.ts";

const largestInt32 = 2147483647;

/** The rules of jobs. Labels and selector of a new job come from its name and UID. */
export const jobDefinition = defineResource<Job>({
  resource: Job,
  orphansByDefault: true,
  deletionWarning:
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove " +
    "them or set propagationPolicy=Orphan to suppress this warning",
  defaults,
  validateCreate: (job) => validateJob(job, { needsPrefixedLabels: true }),
  validateUpdate: updateChecks<Job>({ other: validateJobUpdate, status: validateJobStatus }),
  prepareForCreate: (job) => (job.spec.manualSelector === true ? job : withGeneratedSelector(job)),
  prepareForStatusUpdate: (job, old) => ({ ...job, spec: old.spec }),
  warnings: (job, old) => [
    ...(old === undefined ? podNameWarnings(job.metadata.name) : []),
    ...(isNewIntent(job, old) ? jobSpecWarnings(job.spec, FieldPath.root("spec")) : []),
  ],
  columns: [
    nameColumn,
    column("Status", "Where the job is in its life", { value: statusText }),
    column("Completions", "Pods that succeeded, of those wanted", { value: completionsText }),
    column("Duration", "How long the job took or has taken so far", { value: durationText }),
    ageColumn,
    ...containerColumns<Job>((job) => job.spec.template?.spec),
    selectorColumn<Job>((job) => job.spec.selector),
  ],
  unknownField: (field) => `field label ${JSON.stringify(field)} not supported for batchv1.Job`,
  selectableFields: { "status.successful": (job) => String(job.status?.succeeded ?? 0) },
  tracksGeneration: true,
});

function defaults(job: Job): Job {
  const { parallelism, completions, backoffLimitPerIndex, podFailurePolicy } = job.spec ?? {};
  const alone = parallelism === undefined && completions === undefined;
  const spec = fillMissing<JobSpec>(job.spec, {
    parallelism: 1,
    ...(alone ? { completions: 1 } : {}),
    backoffLimit: backoffLimitPerIndex === undefined ? 6 : largestInt32,
    completionMode: "NonIndexed",
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed",
  });
  const labels = job.metadata.labels ?? {};
  const templateLabels = spec.template?.metadata?.labels;
  const inherits = Object.keys(labels).length === 0 && Object.keys(templateLabels ?? {}).length > 0;
  return {
    ...job,
    metadata: inherits && templateLabels ? { ...job.metadata, labels: templateLabels } : job.metadata,
    spec: { ...withPatternDefaults(spec), template: defaultPodTemplate(spec.template) },
  };
}

function statusText(job: Job): string {
  const holds = (type: string) => hasCondition(job, type);
  if (holds("Complete")) return "Complete";
  if (holds("Failed")) return "Failed";
  if (job.metadata.deletionTimestamp !== undefined) return "Terminating";
  return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find(holds) ?? "Running";
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, now: number): string {
  if (!status?.startTime) return "";
  const end = status.completionTime ? Date.parse(status.completionTime) : now;
  return humanDuration(end - Date.parse(status.startTime));
}
