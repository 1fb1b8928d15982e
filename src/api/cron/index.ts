export { CronError, parseSchedule, type Schedule } from "./parse.ts";
export { nextTime } from "./next.ts";
export { isTimeZone, TimeZone } from "./zone.ts";
