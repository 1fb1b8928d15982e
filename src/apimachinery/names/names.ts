import { byteLength, empty, mismatch, noProblems, notInRange, rule, tooLong, type Problems } from "./text.ts";

const labelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomainPattern = `${labelPattern}(\\.${labelPattern})*`;
const labelMaximum = 63;
const subdomainMaximum = 253;

/** A lower-case DNS name, as most objects are named. */
export const isDNS1123Subdomain = rule({
  longest: subdomainMaximum,
  pattern: subdomainPattern,
  message:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  examples: ["example.com"],
});

const label = rule({
  longest: labelMaximum,
  pattern: labelPattern,
  message:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  examples: ["my-name", "123-abc"],
});
const subdomain = new RegExp(`^${subdomainPattern}$`);

/** One part of a DNS name, as namespaces and containers are named. */
export function isDNS1123Label(value: string): Problems {
  const problems = label(value);
  if (problems.length === 0 || !value.includes(".") || !subdomain.test(value)) return problems;
  return [...problems.slice(0, -1), "must not contain dots"];
}

const underscorePattern = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";

/** A DNS name as resolvers search for it: underscores are in use there. */
export const isDNS1123SubdomainWithUnderscore = rule({
  longest: subdomainMaximum,
  pattern: `${underscorePattern}(\\.${underscorePattern})*`,
  message:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  examples: ["example.com"],
});

/** A DNS label that starts with a letter. */
export const isDNS1035Label = rule({
  longest: labelMaximum,
  pattern: "[a-z]([-a-z0-9]*[a-z0-9])?",
  message:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  examples: ["my-name", "abc-123"],
});

/** `*.` and a DNS name. */
export const isWildcardDNS1123Subdomain = rule({
  longest: subdomainMaximum,
  pattern: `\\*\\.${subdomainPattern}`,
  message:
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  examples: ["*.example.com"],
});

const namePattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const nameExpression = new RegExp(`^${namePattern}$`);
const nameMessage =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const nameMismatch = mismatch(nameMessage, namePattern, "MyName", "my.name", "123-abc");

/** A label's or annotation's key, a finalizer, a resource's name: `[prefix/]name`. */
export function isQualifiedName(value: string): Problems {
  const parts = value.split("/");
  if (parts.length > 2) {
    return [
      `a valid label key ${nameMismatch} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts[parts.length - 1] ?? "";
  const prefix = parts.length === 2 ? prefixProblems(parts[0] ?? "") : noProblems;
  if (prefix.length === 0 && name.length <= labelMaximum && nameExpression.test(name)) return noProblems;
  const problems = [...prefix];
  if (name === "") problems.push(`name part ${empty}`);
  else if (byteLength(name) > labelMaximum) problems.push(`name part ${tooLong(labelMaximum)}`);
  if (!nameExpression.test(name)) problems.push(`name part ${nameMismatch}`);
  return problems;
}

const prefixProblems = (prefix: string): Problems =>
  prefix === ""
    ? [`prefix part ${empty}`]
    : isDNS1123Subdomain(prefix).map((problem) => `prefix part ${problem}`);

/** A label's value; empty is valid. */
export const isValidLabelValue = rule({
  longest: labelMaximum,
  pattern: `(${namePattern})?`,
  message:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ["MyValue", "my_value", "12345"],
});

const configMapKey = rule({
  longest: subdomainMaximum,
  pattern: "[-._a-zA-Z0-9]+",
  message: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  examples: ["key.name", "KEY_NAME", "key-name"],
});

/** A key of a ConfigMap or a Secret. */
export function isConfigMapKey(value: string): Problems {
  const [problems, dots] = [configMapKey(value), directoryPrefix(value)];
  return dots.length === 0 ? problems : [...problems, ...dots];
}

function directoryPrefix(value: string): Problems {
  if (value === ".") return ["must not be '.'"];
  if (value === "..") return ["must not be '..'"];
  return value.startsWith("..") ? ["must not start with '..'"] : noProblems;
}

/** An environment variable's name: any printable ASCII characters but `=`. */
export function isEnvVarName(value: string): Problems {
  if (value === "") return [`environment variable name ${empty}`];
  if (/^[ -<>-~]+$/.test(value)) return noProblems;
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** A port's name: an IANA service name. */
export function isValidPortName(port: string): Problems {
  const problems: string[] = [];
  if (byteLength(port) > 15) problems.push(tooLong(15));
  if (!/^[-a-z0-9]+$/.test(port)) {
    problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(port)) problems.push("must contain at least one letter (a-z)");
  if (port.includes("--")) problems.push("must not contain consecutive hyphens");
  if (port.startsWith("-") || port.endsWith("-")) problems.push("must not begin or end with a hyphen");
  return problems;
}

/** Whether a number lies in an inclusive range. */
export function isInRange(value: number, range: { readonly low: number; readonly high: number }): Problems {
  return value >= range.low && value <= range.high ? noProblems : [notInRange(range.low, range.high)];
}

/** A port's number: 1 to 65535. */
export const isValidPortNum = (port: number): Problems => isInRange(port, { low: 1, high: 65535 });

/** `25%`. */
export function isValidPercent(percent: string): Problems {
  if (/^[0-9]+%$/.test(percent)) return noProblems;
  const message = "a valid percent string must be a numeric string followed by an ending '%'";
  return [mismatch(message, "[0-9]+%", "1%", "93%")];
}

/** The name of an HTTP header. */
export function isHTTPHeaderName(value: string): Problems {
  if (/^[-A-Za-z0-9]+$/.test(value)) return noProblems;
  const message = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return [mismatch(message, "[-A-Za-z0-9]+", "X-Header-Name")];
}

/** A name that can be a segment of a URL's path, as roles are named. */
export function isPathSegmentName(name: string): Problems {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  const problems: string[] = [];
  for (const character of ["/", "%"]) {
    if (name.includes(character)) problems.push(`may not contain '${character}'`);
  }
  return problems;
}
