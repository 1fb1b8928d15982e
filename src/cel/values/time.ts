import { goQuote } from "../../apimachinery/index.ts";
import { EvaluationError } from "./errors.ts";
import { Duration, Timestamp, fitsInt } from "./value.ts";

const nanosPerSecond = 1_000_000_000n;
const firstSecond = -62_135_596_800;
const lastSecond = 253_402_300_799;

/** A timestamp, refused outside of the years 1 to 9999. */
export function timestampOf(seconds: number, nanos: number): Timestamp {
  if (!(seconds >= firstSecond && seconds <= lastSecond)) throw new EvaluationError("timestamp overflow");
  return new Timestamp(seconds, nanos);
}

/** A duration, refused where 64 bits of nanoseconds cannot hold it. */
export function durationOf(nanos: bigint): Duration {
  if (!fitsInt(nanos)) throw new EvaluationError("duration overflow");
  return new Duration(nanos);
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))$/;

/** Reads RFC 3339, as Go's `time.Parse` does. */
export function parseTimestamp(text: string): Timestamp {
  const match = rfc3339.exec(text);
  const wrong = () =>
    new EvaluationError(
      `parsing time ${goQuote(text)} as "2006-01-02T15:04:05Z07:00": cannot parse ${goQuote(text)} as "2006"`,
    );
  if (!match) throw wrong();
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const lastDay = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > lastDay || hour > 23 || minute > 59 || second > 59)
    throw wrong();
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const offset = (Number(match[10] ?? 0) * 60 + Number(match[11] ?? 0)) * 60 * (match[9] === "-" ? -1 : 1);
  const nanos = Number((match[7] ?? "").slice(0, 9).padEnd(9, "0"));
  return timestampOf(date.getTime() / 1000 - offset, nanos);
}

/** RFC 3339 in UTC with as many digits of the second as needed. */
export function formatTimestamp({ seconds, nanos }: Timestamp): string {
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  const fraction = nanos === 0 ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
  return `${whole}${fraction}Z`;
}

const unitNanos: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: nanosPerSecond,
  m: 60n * nanosPerSecond,
  h: 3600n * nanosPerSecond,
};

/** Reads `1h30m`, `1.5s`, as Go's `time.ParseDuration` does. */
export function parseDuration(text: string): Duration {
  const wrong = (reason = "invalid duration") => new EvaluationError(`time: ${reason} ${goQuote(text)}`);
  const [, sign = "", body = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (body === "0") return new Duration(0n);
  if (body === "") throw wrong();
  let total = 0n;
  let rest = body;
  while (rest !== "") {
    const match = /^(\d*)(?:\.(\d*))?/.exec(rest);
    const [number = "", whole = "", fraction = ""] = match ?? [];
    if (whole === "" && fraction === "") throw wrong();
    rest = rest.slice(number.length);
    const unit = /^[^.\d]+/.exec(rest)?.[0];
    if (unit === undefined) throw wrong("missing unit in duration");
    const scale = Object.hasOwn(unitNanos, unit) ? unitNanos[unit] : undefined;
    if (scale === undefined) throw wrong(`unknown unit ${goQuote(unit)} in duration`);
    rest = rest.slice(unit.length);
    const digits = fraction.slice(0, 18);
    total += BigInt(whole === "" ? 0 : whole) * scale;
    if (digits !== "") total += (BigInt(digits) * scale) / 10n ** BigInt(digits.length);
  }
  const nanos = sign === "-" ? -total : total;
  if (!fitsInt(nanos)) throw wrong();
  return new Duration(nanos);
}

/** A duration in seconds: `1.5s`. */
export function formatDuration({ nanos }: Duration): string {
  const magnitude = nanos < 0n ? -nanos : nanos;
  const fraction = String(magnitude % nanosPerSecond)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const seconds = `${magnitude / nanosPerSecond}${fraction === "" ? "" : `.${fraction}`}`;
  return `${nanos < 0n ? "-" : ""}${seconds}s`;
}

/** A point in time `nanos` later. */
export function addNanos({ seconds, nanos }: Timestamp, more: bigint): Timestamp {
  const total = BigInt(nanos) + more;
  let whole = total / nanosPerSecond;
  let rest = total % nanosPerSecond;
  if (rest < 0n) {
    rest += nanosPerSecond;
    whole -= 1n;
  }
  return timestampOf(seconds + Number(whole), Number(rest));
}

/** Time from the second point to the first. */
export function timeBetween(one: Timestamp, other: Timestamp): Duration {
  return durationOf(BigInt(one.seconds - other.seconds) * nanosPerSecond + BigInt(one.nanos - other.nanos));
}

/** Order of two points in time. */
export function compareTimestamps(one: Timestamp, other: Timestamp): number {
  return Math.sign(one.seconds - other.seconds || one.nanos - other.nanos);
}

/** Formats are slow to make; their number is bounded by the number of zones that exist. */
const zoneFormats = new Map<string, Intl.DateTimeFormat>();

function zoneFormat(zone: string): Intl.DateTimeFormat {
  const known = zoneFormats.get(zone);
  if (known) return known;
  // Intl takes offsets such as +01 for zones, Go does not.
  if (!/^[A-Za-z]/.test(zone)) throw new EvaluationError(`unknown time zone ${zone}`);
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "gregory",
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    zoneFormats.set(zone, format);
    return format;
  } catch {
    throw new EvaluationError(`unknown time zone ${zone}`);
  }
}

/** The date whose UTC fields are those of the timestamp in a zone: a name, or an offset such as `-08:30`. */
export function inZone({ seconds }: Timestamp, zone: string): Date {
  const moment = new Date(seconds * 1000);
  if (zone === "" || zone === "UTC") return moment;
  if (zone.includes(":")) return new Date(moment.getTime() + offsetMinutes(zone) * 60_000);
  const parts = zoneFormat(zone).formatToParts(moment);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((each) => each.type === type)?.value);
  const local = new Date(0);
  local.setUTCFullYear(part("year"), part("month") - 1, part("day"));
  local.setUTCHours(part("hour"), part("minute"), part("second"));
  return local;
}

function offsetMinutes(zone: string): number {
  const [hours = "", minutes = ""] = zone.split(":", 2);
  if (!/^[+-]?\d+$/.test(hours) || !/^\d+$/.test(minutes)) {
    const wrong = /^[+-]?\d+$/.test(hours) ? minutes : hours;
    throw new EvaluationError(`strconv.Atoi: parsing ${goQuote(wrong)}: invalid syntax`);
  }
  const whole = Number(hours) * 60;
  return hours.startsWith("-") ? whole - Number(minutes) : whole + Number(minutes);
}
