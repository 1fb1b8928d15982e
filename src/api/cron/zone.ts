/** What clocks on the wall show at an instant. */
export interface LocalTime {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Sunday is 0. */
  readonly weekday: number;
}

const utcNames = new Set(["", "UTC", "Etc/UTC"]);
const minuteLength = 60_000;

/** Whether the name is of a time zone that is known. */
export function isTimeZone(name: string): boolean {
  if (utcNames.has(name)) return true;
  try {
    formatFor(name);
    return true;
  } catch {
    return false;
  }
}

/** A time zone of the IANA database; "" is UTC. */
export class TimeZone {
  private readonly format: Intl.DateTimeFormat | undefined;

  constructor(name: string) {
    this.format = utcNames.has(name) ? undefined : formatFor(name);
  }

  /** Local time at an instant. */
  localTime(instant: number): LocalTime {
    const shifted = new Date(instant + this.offsetAt(instant));
    return {
      year: shifted.getUTCFullYear(),
      month: shifted.getUTCMonth() + 1,
      day: shifted.getUTCDate(),
      hour: shifted.getUTCHours(),
      minute: shifted.getUTCMinutes(),
      second: shifted.getUTCSeconds(),
      weekday: shifted.getUTCDay(),
    };
  }

  /** The instant at which a day starts; days and months beyond their range carry over. */
  startOf({ year, month, day }: Pick<LocalTime, "year" | "month" | "day">): number {
    const wall = Date.UTC(year, month - 1, day);
    return wall - this.offsetAt(wall - this.offsetAt(wall));
  }

  /** RFC 3339 in whole seconds with the zone's offset, `Z` for UTC. */
  rfc3339(instant: number): string {
    const offset = this.offsetAt(instant);
    const wall = new Date(instant + offset).toISOString().slice(0, 19);
    if (offset === 0) return `${wall}Z`;
    const minutes = Math.round(Math.abs(offset) / minuteLength);
    const two = (value: number) => String(value).padStart(2, "0");
    return `${wall}${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  }

  /** How far the zone's clocks are ahead of UTC, in milliseconds. */
  private offsetAt(instant: number): number {
    if (this.format === undefined) return 0;
    const whole = Math.floor(instant / 1000) * 1000;
    const parts: Record<string, number> = {};
    for (const { type, value } of this.format.formatToParts(whole)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
  }
}

function formatFor(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
}
