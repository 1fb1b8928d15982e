import { goQuote, isEarlier, parseSemanticVersion, type SemanticVersion } from "../../apimachinery/index.ts";
import { boolType, intType, objectType, stringType } from "../check/types.ts";
import { bool, text } from "../values/arguments.ts";
import { EvaluationError, noSuchOverload } from "../values/errors.ts";
import { OpaqueValue, intOf, type Value } from "../values/value.ts";
import { fn, method, signature, type Library } from "./library.ts";

const semverType = objectType("kubernetes.Semver");

class Semver extends OpaqueValue {
  readonly typeName = semverType.name;
  readonly version: SemanticVersion;

  constructor(version: SemanticVersion) {
    super();
    this.version = version;
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof Semver && compareVersions(this.version, other.version) === 0;
  }
}

function compareVersions(one: SemanticVersion, other: SemanticVersion): number {
  if (isEarlier(one, other)) return -1;
  return isEarlier(other, one) ? 1 : 0;
}

/** The version without a `v`, without leading zeros, with all three numbers; or what is wrong with it. */
function normalized(source: string): string {
  const withoutPrefix = source.replace(/^v/, "");
  const [major = "", minor, ...rest] = withoutPrefix.split(".");
  const parts = [
    major,
    ...(minor === undefined ? [] : [minor]),
    ...(rest.length > 0 ? [rest.join(".")] : []),
  ];
  const short = parts.map((part) =>
    part.length > 1 ? part.replace(/^0+(?=\d)/, "").replace(/^0+(?=\D)/, "0") : part,
  );
  if (short.length < 3 && /[+-]/.test(short[short.length - 1] ?? "")) {
    throw new EvaluationError("short version cannot contain PreRelease/Build meta data");
  }
  while (short.length < 3) short.push("0");
  return short.join(".");
}

function toSemver(value: Value, normalize: Value | undefined): Semver {
  const raw = text(value);
  const source = normalize !== undefined && bool(normalize) ? normalized(raw) : raw;
  const version = parseSemanticVersion(source);
  if (!version) throw new EvaluationError(problemOf(source));
  return new Semver(version);
}

function problemOf(source: string): string {
  if (source === "") return "Version string empty";
  const parts = source.split(".", 3);
  if (parts.length !== 3) return "No Major.Minor.Patch elements found";
  const names = ["Major", "Minor", "Patch"];
  for (const [index, part] of parts.entries()) {
    const number = index === 2 ? (/^[^+-]*/.exec(part)?.[0] ?? "") : part;
    if (!/^\d+$/.test(number))
      return `Invalid character(s) found in ${names[index]?.toLowerCase()} number ${goQuote(number)}`;
    if (number.length > 1 && number.startsWith("0")) {
      return `${names[index]} number must not contain leading zeroes ${goQuote(number)}`;
    }
  }
  return "Invalid Semantic Version";
}

function isSemver(value: Value, normalize: Value | undefined): boolean {
  try {
    toSemver(value, normalize);
    return true;
  } catch (error) {
    if (error instanceof EvaluationError && typeof value === "string") return false;
    throw error;
  }
}

function semver(value: Value): SemanticVersion {
  if (!(value instanceof Semver)) throw noSuchOverload();
  return value.version;
}

const compared = (one: Value, other: Value): number => compareVersions(semver(one), semver(other));
const number = (index: number) => (value: Value) => intOf(BigInt(semver(value).numbers[index] ?? 0));
const v = semverType;

/** `semver`, `isSemver` and what versions can do. */
export const semverLibrary: Library = {
  name: "kubernetes.Semver",
  types: [semverType],
  functions: [
    fn(
      "semver",
      signature("string_to_semver", [stringType, v], (value) => toSemver(value, undefined)),
      signature("string_bool_to_semver", [stringType, boolType, v], toSemver),
    ),
    fn(
      "isSemver",
      signature("is_semver_string", [stringType, boolType], (value) => isSemver(value, undefined)),
      signature("is_semver_string_bool", [stringType, boolType, boolType], isSemver),
    ),
    fn(
      "isGreaterThan",
      method("semver_is_greater_than", [v, v, boolType], (one, other) => compared(one, other) > 0),
    ),
    fn(
      "isLessThan",
      method("semver_is_less_than", [v, v, boolType], (one, other) => compared(one, other) < 0),
    ),
    fn("compareTo", method("semver_compare_to", [v, v, intType], compared)),
    fn("major", method("semver_major", [v, intType], number(0))),
    fn("minor", method("semver_minor", [v, intType], number(1))),
    fn("patch", method("semver_patch", [v, intType], number(2))),
  ],
};
