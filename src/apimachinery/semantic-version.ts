/** A semantic version: its three numbers, as they are written, and the parts of its pre-release, if it has one. */
export interface SemanticVersion {
  readonly numbers: readonly string[];
  readonly preRelease: readonly string[];
}

const number = "(0|[1-9][0-9]*)";
const identifiers = "[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*";
const expression = new RegExp(
  `^${number}\\.${number}\\.${number}(?:-(${identifiers}))?(?:\\+${identifiers})?$`,
);
const numeric = /^[0-9]+$/;

/** Reads `1.36.0-alpha.1+build`; undefined when it is no version of semver.org. */
export function parseSemanticVersion(text: string): SemanticVersion | undefined {
  const match = expression.exec(text);
  if (match === null) return undefined;
  const preRelease = match[4]?.split(".") ?? [];
  if (preRelease.some((part) => numeric.test(part) && part.length > 1 && part.startsWith("0"))) {
    return undefined;
  }
  return { numbers: [1, 2, 3].map((index) => match[index] ?? "0"), preRelease };
}

/** Whether one version comes before another, by the order of semver.org. */
export function isEarlier(one: SemanticVersion, other: SemanticVersion): boolean {
  for (const [index, value] of one.numbers.entries()) {
    const against = other.numbers[index] ?? "0";
    if (value !== against) return isLess(value, against);
  }
  if (one.preRelease.length === 0 || other.preRelease.length === 0) {
    return one.preRelease.length > other.preRelease.length;
  }
  for (const [index, part] of one.preRelease.entries()) {
    const against = other.preRelease[index];
    if (against === undefined) return false;
    if (part !== against) return comesBefore(part, against);
  }
  return one.preRelease.length < other.preRelease.length;
}

/** Numbers come before words; numbers are compared as such. */
function comesBefore(one: string, other: string): boolean {
  const [isNumber, otherIsNumber] = [numeric.test(one), numeric.test(other)];
  if (isNumber !== otherIsNumber) return isNumber;
  return isNumber ? isLess(one, other) : one < other;
}

/** Whether one number is less than another, neither of which has leading zeros. */
function isLess(one: string, other: string): boolean {
  return one.length === other.length ? one < other : one.length < other.length;
}
