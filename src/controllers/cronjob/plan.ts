import type { Milliseconds } from "../../base/index.ts";
import { CronError, isTimeZone, parseSchedule, TimeZone } from "../../api/cron/index.ts";
import type { New } from "../../apimachinery/index.ts";
import { CronJob } from "../../api/types/batch-v1.ts";
import type { CronJobStatus, Job } from "../../api/types/batch-v1.ts";
import { controllerReference, timeOf } from "../framework/index.ts";
import { lastDue, untilNext } from "./times.ts";
import type { ZonedSchedule } from "./times.ts";

const scheduledTimeAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
const minute: Milliseconds = 60_000;

export interface CronEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** What to do about a schedule now. */
export interface CronPlan {
  /** The time to start a job for, after those of `replace` have been deleted. */
  readonly start: Milliseconds | undefined;
  readonly replace: CronJobStatus["active"];
  readonly events: readonly CronEvent[];
  readonly wakeIn: Milliseconds | undefined;
}

/** The status after a look at the jobs there are, and what there is to tell of it. */
export function planTracking(
  cronJob: CronJob,
  jobs: readonly Job[],
): { readonly status: CronJobStatus; readonly events: readonly CronEvent[] } {
  const events: CronEvent[] = [];
  let { active = [], lastSuccessfulTime } = cronJob.status ?? {};
  for (const job of jobs) {
    const listed = active.some(({ uid }) => uid === job.metadata.uid);
    const end = endOf(job);
    if (!listed && end === undefined) {
      const message = `Saw a job that the controller did not create or forgot: ${job.metadata.name}`;
      events.push({ type: "Warning", reason: "UnexpectedJob", message });
    } else if (listed && end !== undefined) {
      active = active.filter(({ uid }) => uid !== job.metadata.uid);
      const message = `Saw completed job: ${job.metadata.name}, condition: ${end}`;
      events.push({ type: "Normal", reason: "SawCompletedJob", message });
    }
    const completed = end === "Complete" ? job.status?.completionTime : undefined;
    if (completed !== undefined && timeOf(completed) > timeOf(lastSuccessfulTime)) {
      lastSuccessfulTime = completed;
    }
  }
  const { lastScheduleTime } = cronJob.status ?? {};
  return { status: statusOf({ active, lastScheduleTime, lastSuccessfulTime }), events };
}

/** A status without what is empty. */
export function statusOf(parts: {
  readonly active: CronJobStatus["active"];
  readonly lastScheduleTime: string | undefined;
  readonly lastSuccessfulTime: string | undefined;
}): CronJobStatus {
  const { active = [], lastScheduleTime, lastSuccessfulTime } = parts;
  return {
    ...(active.length > 0 ? { active } : {}),
    ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
    ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
  };
}

/** Whether a job is to start now, and when to look again. */
export function planCronJob(cronJob: CronJob, now: Milliseconds): CronPlan {
  const events: CronEvent[] = [];
  const nothing = { start: undefined, replace: [], events, wakeIn: undefined };
  if (cronJob.metadata.deletionTimestamp !== undefined) return nothing;
  const { timeZone = "", suspend, startingDeadlineSeconds, concurrencyPolicy, schedule } = cronJob.spec;
  if (!isTimeZone(timeZone)) {
    const message = `invalid timeZone: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone}`;
    return { ...nothing, events: [{ type: "Warning", reason: "UnknownTimeZone", message }] };
  }
  if (suspend === true) return nothing;
  const read = readSchedule(cronJob);
  if (read.type === "unreadable") {
    const message = `unparseable schedule: ${JSON.stringify(schedule)} : ${read.why}`;
    return { ...nothing, events: [{ type: "Warning", reason: "UnparseableSchedule", message }] };
  }
  const due = lastDue(cronJob, read.zoned, { now, withDeadline: true });
  if (due.missed === "many") {
    const message =
      "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
    events.push({ type: "Warning", reason: "TooManyMissedTimes", message });
  }
  if (due.problem !== undefined) {
    const message = `invalid schedule: ${schedule} : ${due.problem}`;
    return { ...nothing, events: [{ type: "Warning", reason: "InvalidSchedule", message }] };
  }
  const wait: CronPlan = { ...nothing, wakeIn: untilNext(cronJob, read.zoned, now) };
  if (due.at === undefined) return wait;
  if (startingDeadlineSeconds !== undefined && due.at + startingDeadlineSeconds * 1000 < now) {
    const message = `Missed scheduled time to start a job: ${rfc1123(due.at)}`;
    events.push({ type: "Warning", reason: "MissSchedule", message });
    return wait;
  }
  const { active = [], lastScheduleTime } = cronJob.status ?? {};
  const name = jobName(cronJob, due.at);
  if (active.some((job) => job.name === name) || timeOf(lastScheduleTime) === due.at) return wait;
  if (concurrencyPolicy === "Forbid" && active.length > 0) {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    events.push({ type: "Normal", reason: "JobAlreadyActive", message });
    return wait;
  }
  const replace = concurrencyPolicy === "Replace" ? active : [];
  return { ...wait, start: due.at, replace };
}

/** The job of a scheduled time: its name is the same however often it is tried. */
export function draftJob(cronJob: CronJob, time: Milliseconds): New<Job> {
  const { metadata = {}, spec } = cronJob.spec.jobTemplate as Partial<Job>;
  const { labels, annotations } = metadata as Job["metadata"];
  const scheduled = new TimeZone(cronJob.spec.timeZone ?? "").rfc3339(time);
  const { namespace } = cronJob.metadata;
  return {
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      name: jobName(cronJob, time),
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, [scheduledTimeAnnotation]: scheduled },
      ownerReferences: [controllerReference(CronJob, cronJob)],
    },
    spec,
  };
}

/** Finished jobs beyond those that are to be kept, the oldest first. */
export function planCleanup(cronJob: CronJob, jobs: readonly Job[]): readonly Job[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec;
  const surplus = (end: "Complete" | "Failed", limit: number | undefined): readonly Job[] => {
    if (limit === undefined) return [];
    const ended = jobs.filter((job) => endOf(job) === end).sort(byStart);
    return ended.slice(0, Math.max(0, ended.length - limit));
  };
  return [...surplus("Complete", successfulJobsHistoryLimit), ...surplus("Failed", failedJobsHistoryLimit)];
}

function byStart(one: Job, other: Job): number {
  const start = ({ status }: Job) => (status?.startTime === undefined ? Infinity : timeOf(status.startTime));
  const [first, second] = [start(one), start(other)];
  if (first !== second) return first < second ? -1 : 1;
  return one.metadata.name < other.metadata.name ? -1 : 1;
}

/** How a job has ended. */
export function endOf(job: Job): "Complete" | "Failed" | undefined {
  const end = job.status?.conditions?.find(
    ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
  );
  return end?.type as "Complete" | "Failed" | undefined;
}

const jobName = (cronJob: CronJob, time: Milliseconds) =>
  `${cronJob.metadata.name}-${Math.floor(time / minute)}`;

type ReadSchedule =
  | { readonly type: "read"; readonly zoned: ZonedSchedule }
  | { readonly type: "unreadable"; readonly why: string };

/** The schedule in the zone that the spec, or for old objects the schedule itself, names; UTC if none does. */
function readSchedule({ spec }: CronJob): ReadSchedule {
  const [, inner, rest] = /^(?:CRON_)?TZ=(\S*)\s+(.*)$/.exec(spec.schedule) ?? [];
  const zone = inner ?? spec.timeZone ?? "";
  if (!isTimeZone(zone)) {
    return { type: "unreadable", why: `provided bad location ${zone}: unknown time zone ${zone}` };
  }
  try {
    const schedule = parseSchedule(rest ?? spec.schedule);
    return { type: "read", zoned: { schedule, zone: new TimeZone(zone) } };
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    return { type: "unreadable", why: error.message };
  }
}

/** E.g. `Mon, 02 Jan 2006 15:04:05 +0000`. */
const rfc1123 = (time: Milliseconds) => new Date(time).toUTCString().replace("GMT", "+0000");
