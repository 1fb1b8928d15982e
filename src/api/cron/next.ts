import type { Schedule } from "./parse.ts";
import type { TimeZone } from "./zone.ts";

type Fields = Extract<Schedule, { readonly type: "fields" }>;

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** A schedule that names no day within this many years names none at all. */
const searchedYears = 5;

/** The first time of the schedule after an instant; undefined when there is none within five years. */
export function nextTime(
  schedule: Schedule,
  { after, zone }: { readonly after: number; readonly zone: TimeZone },
): number | undefined {
  if (schedule.type === "every") return after + schedule.seconds * second - (after % second);
  const first = (Math.floor(after / minute) + 1) * minute;
  const lastYear = zone.localTime(first).year + searchedYears;
  let instant = first;
  while (zone.localTime(instant).year <= lastYear) {
    const step = stepFrom(schedule, { instant, zone });
    if (step === instant) return instant;
    instant = step;
  }
  return undefined;
}

/** The instant itself if the schedule names it, else the start of the next month, day, hour or minute to look at. */
function stepFrom(schedule: Fields, at: { readonly instant: number; readonly zone: TimeZone }): number {
  const { instant, zone } = at;
  const local = zone.localTime(instant);
  const { year, month, day } = local;
  // Where clocks leap, the start of a day may not exist: never step back.
  const later = (time: number) => Math.max(time, instant + minute);
  if (!schedule.months.has(month)) return later(zone.startOf({ year, month: month + 1, day: 1 }));
  if (!namesDay(schedule, local)) return later(zone.startOf({ year, month, day: day + 1 }));
  const intoHour = local.minute * minute + local.second * second;
  if (!schedule.hours.has(local.hour)) return instant - intoHour + hour;
  if (!schedule.minutes.has(local.minute) || local.second !== 0) {
    return instant - local.second * second + minute;
  }
  return instant;
}

function namesDay(schedule: Fields, { day, weekday }: { day: number; weekday: number }): boolean {
  const inMonth = schedule.days.has(day);
  const inWeek = schedule.weekdays.has(weekday);
  return schedule.bothDays ? inMonth && inWeek : inMonth || inWeek;
}
