import { DecodeError } from "./decode-error.ts";

const secondsUtc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/;

/** RFC 3339 text in UTC and whole seconds, as `metav1.Time` is written. */
export function normalizeTime(text: string): string {
  if (secondsUtc.test(text) && isCalendarTime(text)) return text;
  return `${toUtc(text).seconds}Z`;
}

/** RFC 3339 text in UTC with six fractional digits, as `metav1.MicroTime` is written. */
export function normalizeMicroTime(text: string): string {
  const { seconds, fraction } = toUtc(text);
  return `${seconds}.${fraction.slice(0, 6).padEnd(6, "0")}Z`;
}

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether the parts of `2006-01-02T15:04:05` are in range; cheaper than Date, which takes 30 February. */
function isCalendarTime(text: string): boolean {
  const two = (at: number) => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;
  const year = two(0) * 100 + two(2);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const month = two(5);
  const days = month === 2 && isLeap ? 29 : (daysOfMonth[month - 1] ?? 0);
  const day = two(8);
  return day >= 1 && day <= days && two(11) < 24 && two(14) < 60 && two(17) < 60;
}

function toUtc(text: string): { readonly seconds: string; readonly fraction: string } {
  const match = rfc3339.exec(text);
  if (match === null) throw new DecodeError(syntaxProblem(text));
  const [, local = "", fraction = "", zone = "Z"] = match;
  if (!isCalendarTime(`${local}Z`)) throw new DecodeError(rangeProblem(text));
  const milliseconds = Date.parse(`${local}${zone}`);
  if (Number.isNaN(milliseconds)) throw new DecodeError(rangeProblem(text));
  return { seconds: new Date(milliseconds).toISOString().slice(0, 19), fraction };
}

const layout = "2006-01-02T15:04:05Z07:00";
/** Elements of Go's layout and what each takes from the text. */
const elements: readonly (readonly [element: string, pattern: RegExp])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d\d/],
  ["-", /^-/],
  ["02", /^\d\d/],
  ["T", /^T/],
  ["15", /^\d\d/],
  [":", /^:/],
  ["04", /^\d\d/],
  [":", /^:/],
  ["05", /^\d\d(?:[.,]\d+)?/],
  ["Z07:00", /^(?:Z|[+-]\d\d:\d\d)/],
];

/** What Go's time.Parse says of text that does not follow the layout. */
function syntaxProblem(text: string): string {
  const parsing = `parsing time ${JSON.stringify(text)}`;
  let rest = text;
  for (const [element, pattern] of elements) {
    const match = pattern.exec(rest);
    if (match === null)
      return `${parsing} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${element}"`;
    rest = rest.slice(match[0].length);
  }
  return `${parsing}: extra text: ${JSON.stringify(rest)}`;
}

function rangeProblem(text: string): string {
  const part = (from: number) => Number(text.slice(from, from + 2));
  const month = part(5);
  const out =
    month < 1 || month > 12
      ? "month"
      : part(11) > 23
        ? "hour"
        : part(14) > 59
          ? "minute"
          : part(17) > 59
            ? "second"
            : "day";
  return `parsing time ${JSON.stringify(text)}: ${out} out of range`;
}

const unitNanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const durationPart = /(\d+)?(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;

/** Nanoseconds of Go's duration text. */
export function parseDuration(text: string): bigint {
  const invalid = () => new DecodeError(`time: invalid duration ${JSON.stringify(text)}`);
  const negative = text.startsWith("-");
  const digits = text.replace(/^[+-]/, "");
  if (digits === "0") return 0n;
  if (digits === "") throw invalid();
  let total = 0n;
  durationPart.lastIndex = 0;
  while (durationPart.lastIndex < digits.length) {
    const start = durationPart.lastIndex;
    const match = durationPart.exec(digits);
    if (match === null) throw unitProblem(text, digits.slice(start)) ?? invalid();
    const [, whole = "", fraction = "", unit = "s"] = match;
    if (whole === "" && fraction === "") throw invalid();
    const scale = unitNanoseconds[unit] ?? 1n;
    total += BigInt(whole === "" ? "0" : whole) * scale;
    // Nine digits more than the smallest unit resolves.
    const kept = fraction.slice(0, 18);
    if (kept !== "") total += (BigInt(kept) * scale) / 10n ** BigInt(kept.length);
  }
  if (total > 9_223_372_036_854_775_807n) throw invalid();
  return negative ? -total : total;
}

/** What is wrong with a part that begins as a number should. */
function unitProblem(text: string, part: string): DecodeError | undefined {
  const [, number = "", unit = ""] = /^(\d*\.?\d*)([^\d.]*)/.exec(part) ?? [];
  if (!/\d/.test(number)) return undefined;
  const inDuration = `in duration ${JSON.stringify(text)}`;
  return unit === ""
    ? new DecodeError(`time: missing unit ${inDuration}`)
    : new DecodeError(`time: unknown unit ${JSON.stringify(unit)} ${inDuration}`);
}

/** Go's text of a duration: `1h0m0s`, `1.5s`, `10ms`, `0s`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  const sign = nanoseconds < 0n ? "-" : "";
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 1_000n)}µs`;
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 1_000_000n)}ms`;
  const hours = size / 3_600_000_000_000n;
  const minutes = (size / 60_000_000_000n) % 60n;
  const seconds = `${decimal(size % 60_000_000_000n, 1_000_000_000n)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

function decimal(value: bigint, scale: bigint): string {
  const fraction = (value % scale)
    .toString()
    .padStart(scale.toString().length - 1, "0")
    .replace(/0+$/, "");
  return fraction === "" ? String(value / scale) : `${value / scale}.${fraction}`;
}
