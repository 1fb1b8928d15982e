import type { Milliseconds } from "../../base/index.ts";
import { nextTime } from "../../api/cron/index.ts";
import type { Schedule, TimeZone } from "../../api/cron/index.ts";
import type { CronJob } from "../../api/types/batch-v1.ts";
import { timeOf } from "../framework/index.ts";

/** Starts missed beyond this number are worth a warning. */
const manyMissed = 100;
/** Woken a little after the time, so that it has surely come. */
const wakeDelay: Milliseconds = 100;

/** A schedule in its zone. */
export interface ZonedSchedule {
  readonly schedule: Schedule;
  readonly zone: TimeZone;
}

interface Due {
  readonly since: Milliseconds;
  /** The last time that has come; undefined if none has since. */
  readonly at: Milliseconds | undefined;
  readonly missed: "none" | "few" | "many";
  /** Why the schedule cannot be followed. */
  readonly problem?: string;
}

/** The last time of the schedule that has come since the job last started, or since its deadline. */
export function lastDue(
  cronJob: CronJob,
  zoned: ZonedSchedule,
  { now, withDeadline }: { readonly now: Milliseconds; readonly withDeadline: boolean },
): Due {
  const { startingDeadlineSeconds } = cronJob.spec;
  let since = timeOf(cronJob.status?.lastScheduleTime ?? cronJob.metadata.creationTimestamp);
  if (withDeadline && startingDeadlineSeconds !== undefined) {
    since = Math.max(since, now - startingDeadlineSeconds * 1000);
  }
  const next = (after: Milliseconds) => nextTime(zoned.schedule, { after, zone: zoned.zone });
  const first = next(since);
  const second = first === undefined ? undefined : next(first);
  if (first === undefined || second === undefined) {
    const problem = "time difference between two schedules is less than 1 second";
    return { since, at: undefined, missed: "none", problem };
  }
  if (now < first) return { since, at: undefined, missed: "none" };
  if (now < second) return { since, at: first, missed: "none" };
  const gap = second - first;
  const count = Math.floor((now - first) / gap) + 1;
  // One step back from the estimate: schedules need not be regular.
  let at: Milliseconds | undefined;
  for (let time = next(first + (count - 2) * gap); time !== undefined && time <= now; time = next(time)) {
    at = time;
  }
  return { since, at, missed: count > manyMissed ? "many" : "few" };
}

/** How long until the schedule's next time. */
export function untilNext(
  cronJob: CronJob,
  zoned: ZonedSchedule,
  now: Milliseconds,
): Milliseconds | undefined {
  const due = lastDue(cronJob, zoned, { now, withDeadline: false });
  const from = due.problem === undefined ? (due.at ?? (due.missed === "none" ? due.since : now)) : now;
  const next = nextTime(zoned.schedule, { after: from, zone: zoned.zone });
  return next === undefined ? undefined : next + wakeDelay - now;
}
