import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, omittedValue } from "../../apimachinery/index.ts";
import { nonNegativeFields } from "../common/checks.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { internalForm } from "../common/internal-form.ts";
import type { Job, JobStatus } from "../types/batch-v1.ts";
import { hasCondition, isFinished } from "./conditions.ts";
import { countIndexes, firstShared } from "./indexes.ts";

const path = FieldPath.root("status");
const conditionsPath = path.child("conditions");
const counters = ["active", "succeeded", "failed", "ready", "terminating"] as const;

/** What of a job's status an update changes: only what changes is checked, so that nothing else can hold it up. */
interface Changes {
  readonly job: Job;
  readonly old: Job;
  readonly status: Partial<JobStatus>;
  readonly holds: (type: string) => boolean;
  readonly isFinished: boolean;
  /** Whether any of these fields changes. */
  readonly fields: (...names: readonly (keyof JobStatus)[]) => boolean;
  /** Whether any of these conditions changes between holding and not holding. */
  readonly conditions: (...types: readonly string[]) => boolean;
  readonly finishing: boolean;
}

/** Checks that an update of a job's status leads from what was to what can be. */
export function validateJobStatus(job: Job, old: Job): readonly FieldError[] {
  const status: Partial<JobStatus> = job.status ?? {};
  const changes: Changes = {
    job,
    old,
    status,
    holds: (type) => hasCondition(job, type),
    isFinished: isFinished(job),
    fields: (...names) => names.some((name) => !sameField(status[name], old.status?.[name])),
    conditions: (...types) => types.some((type) => hasCondition(job, type) !== hasCondition(old, type)),
    finishing: isFinished(job) !== isFinished(old),
  };
  return [
    ...nonNegativeFields(path, status, counters),
    ...validateUncounted(status),
    ...validateCompletion(changes),
    ...validateFinished(changes),
    ...validateIndexes(changes),
    ...validatePods(changes),
    ...validateCriteria(changes),
    ...validateTransitions(changes),
  ];
}

/** Counters that are absent are zero. */
function sameField(next: unknown, before: unknown): boolean {
  return semanticallyEqual(next === 0 ? undefined : next, before === 0 ? undefined : before);
}

const wrongConditions = (why: string) => fieldErrors.invalid(conditionsPath, omittedValue, why);

function validateUncounted({ uncountedTerminatedPods: uncounted }: Partial<JobStatus>): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const field of ["succeeded", "failed"] as const) {
    for (const [index, uid] of (uncounted?.[field] ?? []).entries()) {
      const at = path.child("uncountedTerminatedPods", field).index(index);
      if (uid === "") errors.push(fieldErrors.invalid(at, uid, "must not be empty"));
      else if (seen.has(uid)) errors.push(fieldErrors.duplicate(at, uid));
      seen.add(uid);
    }
  }
  return errors;
}

function validateCompletion({ status, holds, fields, conditions }: Changes): FieldError[] {
  const errors: FieldError[] = [];
  const { startTime, completionTime } = status;
  const at = path.child("completionTime");
  const isComplete = holds("Complete");
  if (conditions("Complete", "Failed") && isComplete && holds("Failed")) {
    errors.push(wrongConditions("cannot set Complete=True and Failed=true conditions"));
  }
  if (conditions("Complete", "FailureTarget") && isComplete && holds("FailureTarget")) {
    errors.push(wrongConditions("cannot set Complete=True and FailureTarget=true conditions"));
  }
  if (conditions("Complete") || fields("completionTime")) {
    if (completionTime !== undefined && !isComplete) {
      const why = "cannot set completionTime when there is no Complete=True condition";
      errors.push(fieldErrors.invalid(at, completionTime, why));
    }
    if (completionTime === undefined && isComplete) {
      errors.push(fieldErrors.required(at, "completionTime is required for Complete jobs"));
    }
  }
  if (fields("startTime", "completionTime") && startTime && completionTime) {
    if (Date.parse(completionTime) < Date.parse(startTime)) {
      errors.push(fieldErrors.invalid(at, completionTime, "must be equal to or after `startTime`"));
    }
  }
  if ((conditions("Failed") || fields("failedIndexes")) && holds("Failed") && !holds("FailureTarget")) {
    errors.push(wrongConditions("cannot set Failed=True condition without the FailureTarget=true condition"));
  }
  if (conditions("Complete", "SuccessCriteriaMet") && isComplete && !holds("SuccessCriteriaMet")) {
    errors.push(
      wrongConditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition"),
    );
  }
  return errors;
}

function validateFinished(changes: Changes): FieldError[] {
  const { job, status, fields, finishing } = changes;
  if (!changes.isFinished) return [];
  const errors: FieldError[] = [];
  const { active = 0, startTime, uncountedTerminatedPods: uncounted } = status;
  if ((finishing || fields("active")) && active > 0) {
    errors.push(fieldErrors.invalid(path.child("active"), active, "active>0 is invalid for finished job"));
  }
  const neverStarts = job.spec.suspend === true && job.spec.completions === 0;
  if ((finishing || fields("startTime")) && startTime === undefined && !neverStarts) {
    errors.push(fieldErrors.required(path.child("startTime"), "startTime is required for finished job"));
  }
  const some = (uncounted?.succeeded?.length ?? 0) + (uncounted?.failed?.length ?? 0) > 0;
  if ((finishing || fields("uncountedTerminatedPods")) && uncounted && some) {
    const shown = internalForm(uncounted, ["succeeded", "failed"]);
    const at = path.child("uncountedTerminatedPods");
    errors.push(fieldErrors.invalid(at, shown, "must be empty for finished job"));
  }
  return errors;
}

function validateIndexes({ job, status, fields }: Changes): FieldError[] {
  const errors: FieldError[] = [];
  const { completions, backoffLimitPerIndex, completionMode } = job.spec;
  const { completedIndexes = "", failedIndexes } = status;
  const [completedPath, failedPath] = [path.child("completedIndexes"), path.child("failedIndexes")];
  const [completedChanges, failedChanges] = [fields("completedIndexes"), fields("failedIndexes")];
  if (completedChanges && completions !== undefined) {
    const { problem } = countIndexes(completedIndexes, completions);
    if (problem !== undefined) {
      const why = `error parsing completedIndexes: ${problem}`;
      errors.push(fieldErrors.invalid(completedPath, completedIndexes, why));
    }
  }
  if (failedChanges && completions !== undefined && backoffLimitPerIndex !== undefined) {
    const { problem } = countIndexes(failedIndexes ?? "", completions);
    if (problem !== undefined) {
      const why = `error parsing failedIndexes: ${problem}`;
      errors.push(fieldErrors.invalid(failedPath, failedIndexes, why));
    }
  }
  if (completedChanges && completedIndexes !== "" && completionMode !== "Indexed") {
    const why = "cannot set non-empty completedIndexes when non-indexed completion mode";
    errors.push(fieldErrors.invalid(completedPath, completedIndexes, why));
  }
  if (failedChanges && failedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    const why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
    errors.push(fieldErrors.invalid(failedPath, failedIndexes, why));
  }
  if ((failedChanges || completedChanges) && completions !== undefined && failedIndexes !== undefined) {
    const shared = firstShared(completedIndexes, failedIndexes, completions);
    if (shared !== undefined) {
      const why = `failedIndexes and completedIndexes overlap at index: ${shared}`;
      errors.push(fieldErrors.invalid(failedPath, failedIndexes, why));
    }
  }
  return errors;
}

function validatePods(changes: Changes): FieldError[] {
  const { status, fields, finishing } = changes;
  const { terminating = 0, ready, active = 0 } = status;
  const errors: FieldError[] = [];
  if ((finishing || fields("terminating")) && changes.isFinished && terminating > 0) {
    const why = "terminating>0 is invalid for finished job";
    errors.push(fieldErrors.invalid(path.child("terminating"), terminating, why));
  }
  if (fields("ready", "active") && ready !== undefined && ready > active) {
    errors.push(fieldErrors.invalid(path.child("ready"), ready, "cannot set more ready pods than active"));
  }
  return errors;
}

function validateCriteria({ job, holds }: Changes): FieldError[] {
  const errors: FieldError[] = [];
  const isMet = holds("SuccessCriteriaMet");
  if (isMet && holds("Failed")) {
    errors.push(wrongConditions("cannot set SuccessCriteriaMet=True and Failed=true conditions"));
  }
  if (isMet && holds("FailureTarget")) {
    errors.push(wrongConditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"));
  }
  if (job.spec.successPolicy !== undefined && !isMet && holds("Complete")) {
    errors.push(
      wrongConditions("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"),
    );
  }
  return errors;
}

function validateTransitions({ job, old, status, holds, fields }: Changes): FieldError[] {
  const errors: FieldError[] = [];
  const before: Partial<JobStatus> = old.status ?? {};
  const held = (type: string) => hasCondition(old, type);
  for (const type of ["Failed", "Complete", "FailureTarget"]) {
    if (held(type) && !holds(type)) {
      errors.push(wrongConditions(`cannot disable the terminal ${type}=True condition`));
    }
  }
  const { spec } = job;
  // Indexed jobs whose completions and parallelism go together may be made smaller.
  const maySucceedLess = spec.completionMode === "Indexed" && spec.completions === spec.parallelism;
  for (const field of ["failed", "succeeded"] as const) {
    const count = status[field] ?? 0;
    if (count >= (before[field] ?? 0) || (field === "succeeded" && maySucceedLess)) continue;
    errors.push(fieldErrors.invalid(path.child(field), count, `cannot decrease the ${field} counter`));
  }
  const { completionTime } = status;
  if (completionTime && before.completionTime && fields("completionTime")) {
    errors.push(fieldErrors.invalid(path.child("completionTime"), completionTime, "field is immutable"));
  }
  const resumes = held("Suspended") && hasCondition(job, "Suspended", "False");
  if (fields("startTime") && before.startTime && spec.suspend !== true && !resumes) {
    const why = "startTime cannot be removed for unsuspended job";
    errors.push(fieldErrors.required(path.child("startTime"), why));
  }
  if (held("SuccessCriteriaMet") && !holds("SuccessCriteriaMet")) {
    errors.push(wrongConditions("cannot disable the SuccessCriteriaMet=True condition"));
  }
  if (held("Complete") && !held("SuccessCriteriaMet") && holds("SuccessCriteriaMet")) {
    errors.push(
      wrongConditions("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"),
    );
  }
  return errors;
}
