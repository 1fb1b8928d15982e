import { FieldPath } from "../../apimachinery/index.ts";
import { ageColumn, column, containerColumns, nameColumn, selectorColumn } from "../common/columns.ts";
import { ageSince } from "../common/duration.ts";
import { fill } from "../common/fill.ts";
import { updateChecks } from "../common/updates.ts";
import { isNewIntent, podNameWarnings } from "../common/warnings.ts";
import { defaultPodTemplate } from "../core/pod-spec/index.ts";
import { defineResource } from "../definition.ts";
import type { CronJobSpec, JobTemplateSpec } from "../types/batch-v1.ts";
import { CronJob } from "../types/batch-v1.ts";
import { namesZone, validateCronJob, validateCronJobSpec } from "./cron-job-validation.ts";
import { withPatternDefaults } from "./job-policies.ts";
import { jobSpecWarnings } from "./job-warnings.ts";

/** The rules of cron jobs. */
export const cronJobDefinition = defineResource<CronJob>({
  resource: CronJob,
  defaults: (cronJob) => {
    const spec = fill<CronJobSpec>(cronJob.spec, {
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
    return { ...cronJob, spec: { ...spec, jobTemplate: defaultJobTemplate(spec.jobTemplate) } };
  },
  validateCreate: validateCronJob,
  validateUpdate: updateChecks<CronJob>({
    other: ({ spec }, old) => validateCronJobSpec(spec, FieldPath.root("spec"), old.spec),
  }),
  prepareForStatusUpdate: (cronJob, old) => ({ ...cronJob, spec: old.spec }),
  warnings,
  columns: [
    nameColumn,
    column("Schedule", "When jobs start", { value: ({ spec }) => spec.schedule ?? "" }),
    column("Timezone", "Time zone of the schedule", { value: ({ spec }) => spec.timeZone ?? "<none>" }),
    column("Suspend", "Whether no more jobs start", {
      type: "boolean",
      value: ({ spec }) => (spec.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False"),
    }),
    column("Active", "Jobs that run", {
      type: "integer",
      value: ({ status }) => status?.active?.length ?? 0,
    }),
    column("Last Schedule", "Time since the last job started", {
      value: ({ status }, now) =>
        status?.lastScheduleTime ? ageSince(status.lastScheduleTime, now) : "<none>",
    }),
    ageColumn,
    ...containerColumns<CronJob>((cronJob) => cronJob.spec.jobTemplate?.spec?.template?.spec),
    selectorColumn<CronJob>((cronJob) => cronJob.spec.jobTemplate?.spec?.selector),
  ],
  tracksGeneration: true,
});

/** What a job template leaves open of its jobs is filled in when they are made. */
function defaultJobTemplate(template: JobTemplateSpec | undefined): JobTemplateSpec {
  const { spec } = template ?? {};
  return {
    ...template,
    metadata: template?.metadata ?? ({} as JobTemplateSpec["metadata"]),
    spec: withPatternDefaults({ ...spec, template: defaultPodTemplate(spec?.template) }),
  };
}

function warnings(cronJob: CronJob, old: CronJob | undefined): readonly string[] {
  if (!isNewIntent(cronJob, old)) return [];
  const path = FieldPath.root("spec").child("jobTemplate", "spec");
  return [
    ...(old === undefined ? podNameWarnings(cronJob.metadata.name) : []),
    ...jobSpecWarnings(cronJob.spec.jobTemplate?.spec, path),
    ...(old !== undefined && namesZone(cronJob.spec.schedule)
      ? [
          "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
        ]
      : []),
  ];
}
