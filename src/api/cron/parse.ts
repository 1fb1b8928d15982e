/** A schedule that cannot be read, in upstream's words. */
export class CronError extends Error {
  override readonly name = "CronError";
}

/** When something is to happen: at the minutes that all fields allow, or each time after a delay. */
export type Schedule =
  | {
      readonly type: "fields";
      readonly minutes: ReadonlySet<number>;
      readonly hours: ReadonlySet<number>;
      readonly days: ReadonlySet<number>;
      readonly months: ReadonlySet<number>;
      readonly weekdays: ReadonlySet<number>;
      /** The day of month or of week was left open: a day must then match both, otherwise one is enough. */
      readonly bothDays: boolean;
    }
  | { readonly type: "every"; readonly seconds: number };

interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const minute: Bounds = { least: 0, most: 59 };
const hour: Bounds = { least: 0, most: 23 };
const dayOfMonth: Bounds = { least: 1, most: 31 };
const month: Bounds = { least: 1, most: 12, names: monthNames };
const dayOfWeek: Bounds = { least: 0, most: 6, names: weekdayNames };
const fieldCount = 5;

const descriptors: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Reads the five fields of cron, or a descriptor such as `@daily` or `@every 90s`. */
export function parseSchedule(text: string): Schedule {
  if (text === "") throw new CronError("empty spec string");
  if (text.startsWith("@")) return parseDescriptor(text);
  const fields = text.split(/\s+/).filter((field) => field !== "");
  if (fields.length !== fieldCount) {
    throw new CronError(
      `expected exactly ${fieldCount} fields, found ${fields.length}: [${fields.join(" ")}]`,
    );
  }
  const [minutes = "", hours = "", days = "", months = "", weekdays = ""] = fields;
  const read = {
    minutes: parseField(minutes, minute),
    hours: parseField(hours, hour),
    days: parseField(days, dayOfMonth),
    months: parseField(months, month),
    weekdays: parseField(weekdays, dayOfWeek),
  };
  return {
    type: "fields",
    minutes: read.minutes.values,
    hours: read.hours.values,
    days: read.days.values,
    months: read.months.values,
    weekdays: read.weekdays.values,
    bothDays: read.days.open || read.weekdays.open,
  };
}

function parseDescriptor(text: string): Schedule {
  const fields = descriptors[text];
  if (fields !== undefined) return parseSchedule(fields);
  const every = "@every ";
  if (!text.startsWith(every)) throw new CronError(`unrecognized descriptor: ${text}`);
  const seconds = parseDuration(text.slice(every.length));
  if (seconds === undefined) {
    const duration = JSON.stringify(text.slice(every.length));
    throw new CronError(`failed to parse duration ${text}: time: invalid duration ${duration}`);
  }
  return { type: "every", seconds: Math.max(1, Math.floor(seconds)) };
}

const unitSeconds: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/** A duration in Go's form, e.g. `1h30m`. */
function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^[+-]?((\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)) {
    seconds += Number(amount) * (unitSeconds[unit] ?? 0);
  }
  return text.startsWith("-") ? -seconds : seconds;
}

interface Field {
  readonly values: ReadonlySet<number>;
  /** Written as `*` or `?`. */
  readonly open: boolean;
}

function parseField(text: string, bounds: Bounds): Field {
  const values = new Set<number>();
  let open = false;
  for (const part of text.split(",").filter((range) => range !== "")) {
    const range = parseRange(part, bounds);
    for (let value = range.start; value <= range.end; value += range.step) values.add(value);
    open ||= range.open;
  }
  return { values, open };
}

function parseRange(text: string, bounds: Bounds) {
  const [span = "", stepText, ...slashes] = text.split("/");
  const [low = "", high, ...hyphens] = span.split("-");
  const all = low === "*" || low === "?";
  if (!all && hyphens.length > 0) throw new CronError(`too many hyphens: ${text}`);
  const start = all ? bounds.least : parseValue(low, bounds);
  let end = all ? bounds.most : high === undefined ? start : parseValue(high, bounds);
  if (slashes.length > 0) throw new CronError(`too many slashes: ${text}`);
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  // `N/step` means from N to the end.
  if (stepText !== undefined && high === undefined) end = bounds.most;
  if (start < bounds.least) {
    throw new CronError(`beginning of range (${start}) below minimum (${bounds.least}): ${text}`);
  }
  if (end > bounds.most) throw new CronError(`end of range (${end}) above maximum (${bounds.most}): ${text}`);
  if (start > end) throw new CronError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new CronError(`step of range should be a positive number: ${text}`);
  return { start, end, step, open: all && step === 1 };
}

function parseValue(text: string, { least, names }: Bounds): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 ? named + least : parseNumber(text);
}

function parseNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new CronError(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  const value = Number(text);
  if (value < 0) throw new CronError(`negative number (${value}) not allowed: ${text}`);
  return value;
}
