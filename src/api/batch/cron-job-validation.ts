import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { nonNegative, oneOf } from "../common/checks.ts";
import { CronError, isTimeZone, parseSchedule } from "../cron/index.ts";
import type { CronJob, CronJobSpec, JobTemplateSpec } from "../types/batch-v1.ts";
import { validateJobSpec } from "./job-validation.ts";

/** Room for the suffix of the jobs' names. */
const longestName = 52;
const concurrencyPolicies = ["Allow", "Forbid", "Replace"];
/** As files of the IANA database are named. */
const zonePart = /^(?!-|\.{1,2}$)[A-Za-z.\-_0-9+]{1,14}$/;
const zonePrefix = /^(?:CRON_)?TZ=(\S*) +/;

/** Checks a new cron job. */
export function validateCronJob({ metadata, spec }: CronJob): readonly FieldError[] {
  const errors = validateCronJobSpec(spec, FieldPath.root("spec"));
  if (metadata.name.length <= longestName) return errors;
  const why = `must be no more than ${longestName} characters`;
  return [...errors, fieldErrors.invalid(FieldPath.root("metadata").child("name"), metadata.name, why)];
}

/** Checks the spec of a cron job; what an old one was allowed stays allowed. */
export function validateCronJobSpec(spec: CronJobSpec, path: FieldPath, old?: CronJobSpec): FieldError[] {
  const { timeZone } = spec;
  return [
    ...validateSchedule(spec, path.child("schedule"), { allowsZone: namesZone(old?.schedule) }),
    ...nonNegative(path.child("startingDeadlineSeconds"), spec.startingDeadlineSeconds),
    ...(timeZone === undefined || timeZone === old?.timeZone
      ? []
      : validateTimeZone(timeZone, path.child("timeZone"))),
    ...oneOf(path.child("concurrencyPolicy"), spec.concurrencyPolicy, concurrencyPolicies),
    ...validateJobTemplate(spec.jobTemplate, path.child("jobTemplate", "spec")),
    ...nonNegative(path.child("successfulJobsHistoryLimit"), spec.successfulJobsHistoryLimit),
    ...nonNegative(path.child("failedJobsHistoryLimit"), spec.failedJobsHistoryLimit),
  ];
}

/** Whether a schedule has a time zone in it, or looks like it. */
export function namesZone(schedule: string | undefined): boolean {
  return schedule?.includes("TZ") === true;
}

function validateSchedule(
  { schedule, timeZone }: CronJobSpec,
  path: FieldPath,
  { allowsZone }: { readonly allowsZone: boolean },
): FieldError[] {
  if (!schedule) return [fieldErrors.required(path)];
  const problem = scheduleProblem(schedule);
  const errors = problem === undefined ? [] : [fieldErrors.invalid(path, schedule, problem)];
  if (!namesZone(schedule)) return errors;
  if (!allowsZone) {
    const why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    errors.push(fieldErrors.invalid(path, schedule, why));
  } else if (timeZone !== undefined) {
    const why = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
    errors.push(fieldErrors.invalid(path, schedule, why));
  }
  return errors;
}

function scheduleProblem(schedule: string): string | undefined {
  const [prefix = "", zone = ""] = zonePrefix.exec(schedule) ?? [];
  if (!isZone(zone)) return `provided bad location ${zone}: unknown time zone ${zone}`;
  try {
    parseSchedule(schedule.slice(prefix.length));
    return undefined;
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    return error.message;
  }
}

function validateTimeZone(zone: string, path: FieldPath): FieldError[] {
  if (zone === "") return [fieldErrors.invalid(path, zone, "timeZone must be nil or non-empty string")];
  const unknown = fieldErrors.invalid(path, zone, `unknown time zone ${zone}`);
  if (!zone.split("/").every((part) => zonePart.test(part))) return [unknown];
  const errors: FieldError[] = [];
  if (zone.toLowerCase() === "local") {
    const why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
    errors.push(fieldErrors.invalid(path, zone, why));
  }
  return isZone(zone) ? errors : [...errors, unknown];
}

/** Whether upstream's host knows a zone: it reads names as they are written, and `Local` as its own. */
function isZone(zone: string): boolean {
  if (zone === "Local") return true;
  if (!isTimeZone(zone) || /^[^A-Za-z]/.test(zone)) return false;
  if (zone === "") return true;
  const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions();
  return timeZone === zone || timeZone.toLowerCase() !== zone.toLowerCase();
}

function validateJobTemplate(template: JobTemplateSpec, path: FieldPath): FieldError[] {
  const { selector, manualSelector } = template.spec;
  const errors = validateJobSpec(template.spec, path);
  if (selector !== undefined) {
    const why = "`selector` will be auto-generated";
    errors.push(fieldErrors.invalid(path.child("selector"), selector, why));
  }
  if (manualSelector === true) {
    errors.push(fieldErrors.notSupported(path.child("manualSelector"), manualSelector, ["nil", "false"]));
  }
  return errors;
}
