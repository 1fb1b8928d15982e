import type { FunctionDeclaration } from "../check/declarations.ts";
import { durationType, intType, stringType, timestampType } from "../check/types.ts";
import { noSuchOverload } from "../values/errors.ts";
import { inZone } from "../values/time.ts";
import { Duration, Timestamp, intOf, type Value } from "../values/value.ts";
import { dispatched, method } from "./library.ts";

const millisecondsPerDay = 86_400_000;

function dayOfYear(date: Date): number {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  const midnight = new Date(date);
  midnight.setUTCHours(0, 0, 0, 0);
  return Math.round((midnight.getTime() - start.getTime()) / millisecondsPerDay);
}

interface Part {
  readonly name: string;
  readonly overload: string;
  readonly ofDate: (date: Date) => number;
  /** Nanoseconds of the unit, where durations have it too. */
  readonly unit?: bigint;
}

const parts: readonly Part[] = [
  { name: "getFullYear", overload: "year", ofDate: (date) => date.getUTCFullYear() },
  { name: "getMonth", overload: "month", ofDate: (date) => date.getUTCMonth() },
  { name: "getDayOfYear", overload: "day_of_year", ofDate: dayOfYear },
  { name: "getDate", overload: "day_of_month_1_based", ofDate: (date) => date.getUTCDate() },
  { name: "getDayOfMonth", overload: "day_of_month", ofDate: (date) => date.getUTCDate() - 1 },
  { name: "getDayOfWeek", overload: "day_of_week", ofDate: (date) => date.getUTCDay() },
  { name: "getHours", overload: "hours", ofDate: (date) => date.getUTCHours(), unit: 3_600_000_000_000n },
  { name: "getMinutes", overload: "minutes", ofDate: (date) => date.getUTCMinutes(), unit: 60_000_000_000n },
  { name: "getSeconds", overload: "seconds", ofDate: (date) => date.getUTCSeconds(), unit: 1_000_000_000n },
  {
    name: "getMilliseconds",
    overload: "milliseconds",
    ofDate: (date) => date.getUTCMilliseconds(),
    unit: 1_000_000n,
  },
];

function getter({ name, overload, ofDate, unit }: Part): FunctionDeclaration {
  const ofTimestamp = (timestamp: Timestamp, zone: string): Value =>
    name === "getMilliseconds" ? Math.trunc(timestamp.nanos / 1_000_000) : ofDate(inZone(timestamp, zone));
  const evaluate = (value: Value, zone: Value | undefined): Value => {
    if (value instanceof Timestamp) return ofTimestamp(value, typeof zone === "string" ? zone : "");
    if (value instanceof Duration && unit !== undefined) return intOf(value.nanos / unit);
    throw noSuchOverload(name);
  };
  return dispatched(
    name,
    evaluate,
    method(`timestamp_to_${overload}`, [timestampType, intType]),
    method(`timestamp_to_${overload}_with_tz`, [timestampType, stringType, intType]),
    ...(unit === undefined ? [] : [method(`duration_to_${overload}`, [durationType, intType])]),
  );
}

/** The parts of timestamps and durations. */
export const timeFunctions: readonly FunctionDeclaration[] = parts.map(getter);
