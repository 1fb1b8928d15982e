/** Lines of a difference shown at most: enough to see what changed. */
const maximumLines = 60;

/** What differs between two JSON values, as indented lines that start with `-` (first) and `+` (second). */
export function describeDifference(first: unknown, second: unknown): string {
  const lines: string[] = [];
  compare([], [first, second], lines);
  const shown = lines.length > maximumLines ? [...lines.slice(0, maximumLines), "  ..."] : lines;
  return shown.join("\n");
}

function compare(path: readonly string[], values: readonly [unknown, unknown], lines: string[]): void {
  const [first, second] = values;
  if (JSON.stringify(first) === JSON.stringify(second)) return;
  if (isContainer(first) && isContainer(second)) {
    for (const key of new Set([...Object.keys(first), ...Object.keys(second)])) {
      compare([...path, key], [first[key], second[key]], lines);
    }
    return;
  }
  const name = path.join(".");
  if (first !== undefined) lines.push(`- \t${name}: ${JSON.stringify(first)}`);
  if (second !== undefined) lines.push(`+ \t${name}: ${JSON.stringify(second)}`);
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
