import {
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
  nameProblems,
  type NameRule,
} from "../../apimachinery/index.ts";
import { listType, objectType, optionalType, stringType } from "../check/types.ts";
import { text } from "../values/arguments.ts";
import { noSuchOverload } from "../values/errors.ts";
import { parseTimestamp } from "../values/time.ts";
import { OpaqueValue, Optional } from "../values/value.ts";
import { fn, method, signature, type Library } from "./library.ts";
import { uriProblem } from "./urls.ts";

const formatType = objectType("kubernetes.NamedFormat");

/** A format that texts may have. */
export class NamedFormat extends OpaqueValue {
  readonly typeName = formatType.name;
  readonly problemsOf: (value: string) => readonly string[];
  /** Length of the regular expression that a check is taken to cost. */
  readonly patternSize: number;

  constructor(patternSize: number, problemsOf: (value: string) => readonly string[]) {
    super();
    this.problemsOf = problemsOf;
    this.patternSize = patternSize;
  }

  equals(other: OpaqueValue): boolean {
    return other === this;
  }
}

const prefixOf =
  (rule: NameRule) =>
  (value: string): readonly string[] =>
    nameProblems(value, { rule, prefix: true });

const matching =
  (pattern: RegExp, problem: string) =>
  (value: string): readonly string[] =>
    pattern.test(value) ? [] : [problem];

const uuid = /^(?:urn:uuid:)?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;

function isMoment(value: string): boolean {
  try {
    parseTimestamp(value);
    return true;
  } catch {
    return false;
  }
}

const formats: Readonly<Record<string, NamedFormat>> = {
  dns1123Label: new NamedFormat(30, isDNS1123Label),
  dns1123Subdomain: new NamedFormat(60, isDNS1123Subdomain),
  dns1035Label: new NamedFormat(30, isDNS1035Label),
  qualifiedName: new NamedFormat(60, isQualifiedName),
  dns1123LabelPrefix: new NamedFormat(30, prefixOf("label")),
  dns1123SubdomainPrefix: new NamedFormat(60, prefixOf("subdomain")),
  dns1035LabelPrefix: new NamedFormat(30, prefixOf("rfc1035label")),
  labelValue: new NamedFormat(40, isValidLabelValue),
  uri: new NamedFormat(1_027, (value) => [uriProblem(value) ?? []].flat()),
  uuid: new NamedFormat(82, matching(uuid, "does not match the UUID format")),
  byte: new NamedFormat(93, matching(base64, "invalid base64")),
  date: new NamedFormat(121, (value) =>
    /^\d{4}-\d\d-\d\d$/.test(value) && isMoment(`${value}T00:00:00Z`) ? [] : ["invalid date"],
  ),
  datetime: new NamedFormat(121, (value) => (isMoment(value) ? [] : ["invalid datetime"])),
};

/** `format.dns1123Label()` and its like, `format.named`, `validate`. */
export const formatsLibrary: Library = {
  name: "format",
  types: [formatType],
  functions: [
    ...Object.entries(formats).map(([name, format]) =>
      fn(
        `format.${name}`,
        signature(`format.${name}`, [formatType], () => format),
      ),
    ),
    fn(
      "format.named",
      signature("format-named", [stringType, optionalType(formatType)], (name) => {
        const key = text(name);
        const format = Object.hasOwn(formats, key) ? formats[key] : undefined;
        return format ? new Optional(format) : Optional.none;
      }),
    ),
    fn(
      "validate",
      method(
        "format-validate",
        [formatType, stringType, optionalType(listType(stringType))],
        (format, value) => {
          if (!(format instanceof NamedFormat)) throw noSuchOverload();
          const problems = format.problemsOf(text(value));
          return problems.length === 0 ? Optional.none : new Optional(problems);
        },
      ),
    ),
  ],
};
