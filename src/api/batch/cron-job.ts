import { CronError, parseSchedule } from "../cron/index.ts";
import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { nonNegative, oneOf } from "../common/checks.ts";
import { ageColumn, column, containerColumns, nameColumn, selectorColumn } from "../common/columns.ts";
import { ageSince } from "../common/duration.ts";
import { fill, mapField } from "../common/fill.ts";
import { defaultPodTemplate, podTemplateWarnings } from "../core/pod-spec/index.ts";
import { defineResource } from "../definition.ts";
import type { CronJobSpec } from "../types/batch-v1.ts";
import { CronJob } from "../types/batch-v1.ts";
import { validateJobSpec } from "./job-validation.ts";

/** Room for the suffix of the jobs' names. */
const longestName = 52;

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
    return {
      ...cronJob,
      spec: mapField(spec, "jobTemplate", (template) =>
        mapField(template, "spec", (job) => ({ ...job, template: defaultPodTemplate(job.template) })),
      ),
    };
  },
  validate,
  prepareForStatusUpdate: (cronJob, old) => ({ ...cronJob, spec: old.spec }),
  warnings: ({ spec }, old) =>
    old === undefined
      ? podTemplateWarnings(
          spec.jobTemplate.spec?.template,
          FieldPath.root("spec").child("jobTemplate").child("spec").child("template"),
        )
      : [],
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

function validate(cronJob: CronJob): readonly FieldError[] {
  const { spec } = cronJob;
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [];
  if (!spec.schedule) errors.push(fieldErrors.required(path.child("schedule")));
  else errors.push(...validateSchedule(spec, path));
  if (spec.timeZone !== undefined) errors.push(...validateTimeZone(spec.timeZone, path.child("timeZone")));
  errors.push(
    ...nonNegative(path.child("startingDeadlineSeconds"), spec.startingDeadlineSeconds),
    ...oneOf(path.child("concurrencyPolicy"), spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"]),
  );
  if (spec.jobTemplate?.spec?.manualSelector !== undefined) {
    const at = path.child("jobTemplate", "spec", "manualSelector");
    errors.push(
      fieldErrors.invalid(
        at,
        spec.jobTemplate.spec.manualSelector,
        "`manualSelector` will be auto-generated",
      ),
    );
  }
  if (spec.jobTemplate?.spec) {
    errors.push(...validateJobSpec(spec.jobTemplate.spec, path.child("jobTemplate", "spec")));
  }
  errors.push(
    ...nonNegative(path.child("successfulJobsHistoryLimit"), spec.successfulJobsHistoryLimit),
    ...nonNegative(path.child("failedJobsHistoryLimit"), spec.failedJobsHistoryLimit),
  );
  if (cronJob.metadata.name.length > longestName) {
    const why = `must be no more than ${longestName} characters`;
    errors.push(fieldErrors.invalid(FieldPath.root("metadata").child("name"), cronJob.metadata.name, why));
  }
  return errors;
}

function validateSchedule(spec: CronJobSpec, path: FieldPath): FieldError[] {
  const at = path.child("schedule");
  const { schedule } = spec;
  if (/(^|\s)(CRON_)?TZ=/.test(schedule)) {
    const why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    return [fieldErrors.invalid(at, schedule, why)];
  }
  try {
    parseSchedule(schedule);
    return [];
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    return [fieldErrors.invalid(at, schedule, error.message)];
  }
}

function validateTimeZone(zone: string, path: FieldPath): FieldError[] {
  if (zone === "") return [fieldErrors.invalid(path, zone, "timeZone must be nil or non-empty string")];
  if (zone.toLowerCase() === "local") {
    return [
      fieldErrors.invalid(
        path,
        zone,
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
      ),
    ];
  }
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone === ""
      ? [fieldErrors.invalid(path, zone, `unknown time zone ${zone}`)]
      : [];
  } catch {
    // An unknown zone is the client's mistake.
    return [fieldErrors.invalid(path, zone, `unknown time zone ${zone}`)];
  }
}
