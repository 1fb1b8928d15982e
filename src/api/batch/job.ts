import { ageColumn, column, containerColumns, nameColumn, selectorColumn } from "../common/columns.ts";
import { humanDuration } from "../common/duration.ts";
import { fill, mapField, mapList } from "../common/fill.ts";
import { defaultPodTemplate, podTemplateWarnings } from "../core/pod-spec/index.ts";
import { defineResource } from "../definition.ts";
import type { JobSpec } from "../types/batch-v1.ts";
import { Job } from "../types/batch-v1.ts";
import { validateJob, validateJobUpdate } from "./job-validation.ts";

const largestInt32 = 2147483647;
const controllerLabel = "batch.kubernetes.io/controller-uid";
const jobNameLabel = "batch.kubernetes.io/job-name";
const legacyControllerLabel = "controller-uid";
const legacyJobNameLabel = "job-name";

/** The rules of jobs. Labels and selector of a new job come from its name and UID. */
export const jobDefinition = defineResource<Job>({
  resource: Job,
  orphansByDefault: true,
  defaults,
  validate: (job) => validateJob(job),
  validateUpdate: validateJobUpdate,
  prepareForCreate: (job) => (job.spec.manualSelector === true ? job : withGeneratedSelector(job)),
  prepareForStatusUpdate: (job, old) => ({ ...job, spec: old.spec }),
  warnings: ({ spec }, old) => (old === undefined ? podTemplateWarnings(spec.template) : []),
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
  let spec = fill<JobSpec>(job.spec, {
    parallelism: 1,
    ...(alone ? { completions: 1 } : {}),
    backoffLimit: backoffLimitPerIndex === undefined ? 6 : largestInt32,
    completionMode: "NonIndexed",
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed",
  });
  spec = mapField(spec, "podFailurePolicy", (policy) =>
    mapField(policy, "rules", (rules) =>
      mapList(rules, (rule) =>
        mapField(rule, "onPodConditions", (patterns) =>
          mapList(patterns, (pattern) => fill(pattern, { status: "True" })),
        ),
      ),
    ),
  );
  const labels = job.metadata.labels ?? {};
  const templateLabels = spec.template?.metadata?.labels;
  const inherits = Object.keys(labels).length === 0 && Object.keys(templateLabels ?? {}).length > 0;
  return {
    ...job,
    metadata: inherits && templateLabels ? { ...job.metadata, labels: templateLabels } : job.metadata,
    spec: { ...spec, template: defaultPodTemplate(spec.template) },
  };
}

function withGeneratedSelector(job: Job): Job {
  const { name, uid } = job.metadata;
  const { template } = job.spec;
  const labels = {
    ...template.metadata.labels,
    [legacyControllerLabel]: uid,
    [controllerLabel]: uid,
    [legacyJobNameLabel]: name,
    [jobNameLabel]: name,
  };
  return {
    ...job,
    spec: {
      ...job.spec,
      selector: {
        ...job.spec.selector,
        matchLabels: { ...job.spec.selector?.matchLabels, [controllerLabel]: uid },
      },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

function statusText(job: Job): string {
  const holds = (type: string) =>
    (job.status?.conditions ?? []).some(
      (condition) => condition.type === type && condition.status === "True",
    );
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
