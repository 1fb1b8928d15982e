import type { Answer } from "./exchange.ts";

/** What is compared of an answer. */
export interface Comparable {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, the list of a watch's events, or text. */
  readonly body: unknown;
}

const comparedHeaders = [
  "content-type",
  "cache-control",
  "warning",
  "location",
  "retry-after",
  "allow",
  "vary",
  "x-content-type-options",
  "content-encoding",
];

/** Takes out of an answer what differs from one cluster to the next. */
export function normalize({ status, headers, text }: Answer): Comparable {
  const compared = comparedHeaders
    .filter((name) => headers[name] !== undefined)
    .map((name) => [name, String(headers[name])] as const);
  return { status, headers: Object.fromEntries(compared), body: normalizeValue(bodyOf(text)) };
}

function bodyOf(text: string): unknown {
  const parse = (line: string): unknown => JSON.parse(line);
  for (const read of [parse, (lines: string) => lines.trimEnd().split("\n").map(parse)]) {
    try {
      return read(text);
    } catch {
      continue;
    }
  }
  return text;
}

/** Values that no two clusters share, by the field that holds them. */
const ownFields: Readonly<Record<string, string>> = {
  uid: "<uid>",
  resourceVersion: "<version>",
  continue: "<continue>",
  token: "<token>",
  nodePort: "<port>",
  healthCheckNodePort: "<port>",
  clusterIP: "<address>",
};

function normalizeValue(value: unknown, field = ""): unknown {
  if (Array.isArray(value)) {
    if (field === "clusterIPs") return value.map(() => "<address>");
    return value.map((item) => normalizeValue(item));
  }
  if (typeof value === "object" && value !== null) return normalizeObject(value as Record<string, unknown>);
  const own = ownFields[field];
  if (own !== undefined && value !== "" && value !== "None" && value !== "0") return own;
  return typeof value === "string" ? normalizeText(value) : value;
}

function normalizeObject(object: Record<string, unknown>): unknown {
  const entries = Object.entries(object).map(([name, value]) => [name, normalizeValue(value, name)] as const);
  const normal: Record<string, unknown> = Object.fromEntries(entries);
  const { generateName, name } = object;
  if (typeof generateName === "string" && typeof name === "string" && name.startsWith(generateName))
    normal["name"] = `${generateName}<random>`;
  return normal;
}

const patterns: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| [+-]\d{4} \w+)?/g, "<time>"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uid>"],
  [/\b10\.96\.\d+\.\d+\b/g, "<address>"],
  [/\b127\.0\.0\.1:\d+\b/g, "<server>"],
  [/^\d+(?:ms|s)$/, "<age>"],
  // A wrong prefix of a generated name, in messages.
  [/\bWrong\/[a-z0-9]{5}\b/g, "Wrong/<random>"],
  // In YAML.
  [/\bresourceVersion: "\d+"/g, "resourceVersion: <version>"],
  [/\bin record \(\d+\)/g, "in record (<version>)"],
  [/\bResourceVersion in object meta: \d+/g, "ResourceVersion in object meta: <version>"],
  [/, current: \d+$/, ", current: <version>"],
];

function normalizeText(text: string): string {
  return patterns.reduce((rest, [pattern, name]) => rest.replace(pattern, name), text);
}
