import type { Milliseconds } from "../../../base/index.ts";

/** A line of a container's log in the format of the Container Runtime Interface: `TIME STREAM P|F TEXT`. */
export interface LogLine {
  /** As the runtime wrote it. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  /** Whether the output's line goes on in the next of its stream. */
  readonly partial: boolean;
  /** With the newline, unless partial. */
  readonly text: Uint8Array;
}

const space = 32;
const newline = 10;

/** Reads a line that ends with its newline; undefined for one in another format. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(space);
  const second = line.indexOf(space, first + 1);
  let third = line.indexOf(space, second + 1);
  // An empty text may come without its space.
  if (third < 0 && line[line.length - 1] === newline) third = line.length - 1;
  if (first < 0 || second < 0 || third < 0) return undefined;
  const stream = line.toString("latin1", first + 1, second);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  const tags = line.toString("latin1", second + 1, third);
  const partial = tags.split(":")[0] === "P";
  const start = line[third] === space ? third + 1 : third;
  const end = partial && line[line.length - 1] === newline ? line.length - 1 : line.length;
  return { time: line.toString("latin1", 0, first), stream, partial, text: line.subarray(start, end) };
}

const timePattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** The time with nine digits of fraction, as `kubectl logs --timestamps` shows it. */
export function fullTime(time: string): string {
  const [, whole, fraction = "", zone] = timePattern.exec(time) ?? [];
  if (whole === undefined) return time;
  return `${whole}.${fraction.padEnd(9, "0")}${zone === "+00:00" ? "Z" : zone}`;
}

/** The time as a number with fractions of milliseconds; undefined when it is none. */
export function instantOf(time: string): Milliseconds | undefined {
  const [, whole, fraction = "", zone = ""] = timePattern.exec(time) ?? [];
  if (whole === undefined) return undefined;
  return Date.parse(`${whole}${zone}`) + Number(`0.${fraction === "" ? "0" : fraction}`) * 1000;
}
