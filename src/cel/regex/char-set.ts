/** A range of code points, both ends included. */
export type Range = readonly [first: number, last: number];

/** A set of characters: ranges, and classes of Unicode by JavaScript's names. */
export interface CharSet {
  readonly ranges: readonly Range[];
  readonly properties: readonly { readonly name: string; readonly negated: boolean }[];
  readonly negated: boolean;
}

const lastCodePoint = 0x10ffff;

export const setOf = (...ranges: readonly Range[]): CharSet => ({ ranges, properties: [], negated: false });

export const digits: readonly Range[] = [[0x30, 0x39]];
export const spaces: readonly Range[] = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
export const wordCharacters: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];

/** All that the ranges leave out. */
export function complement(ranges: readonly Range[]): readonly Range[] {
  const sorted = [...ranges].sort((one, other) => one[0] - other[0]);
  const result: Range[] = [];
  let next = 0;
  for (const [first, last] of sorted) {
    if (first > next) result.push([next, first - 1]);
    next = Math.max(next, last + 1);
  }
  if (next <= lastCodePoint) result.push([next, lastCodePoint]);
  return result;
}

/** Characters beyond this many in a range are not folded one by one. */
const mostFolded = 2_000;

/** The ranges with what their characters become in the other case. */
export function foldCase(ranges: readonly Range[]): readonly Range[] {
  const more: Range[] = [];
  for (const [first, last] of ranges) {
    for (let code = first; code <= Math.min(last, first + mostFolded); code++) {
      const character = String.fromCodePoint(code);
      for (const folded of [character.toLowerCase(), character.toUpperCase()]) {
        const other = folded.codePointAt(0) ?? code;
        if (other !== code && String.fromCodePoint(other) === folded) more.push([other, other]);
      }
      // The sign for kelvin and the long s fold to ASCII letters.
      if (code === 0x6b || code === 0x4b) more.push([0x212a, 0x212a]);
      if (code === 0x73 || code === 0x53) more.push([0x17f, 0x17f]);
    }
  }
  return [...ranges, ...more];
}

/** The set in JavaScript's syntax. */
export function sourceOf({ ranges, properties, negated }: CharSet): string {
  const hex = (code: number) => `\\u{${code.toString(16)}}`;
  const parts = [
    ...ranges.map(([first, last]) => (first === last ? hex(first) : `${hex(first)}-${hex(last)}`)),
    ...properties.map(({ name, negated: not }) => `\\${not ? "P" : "p"}{${name}}`),
  ];
  return `[${negated ? "^" : ""}${parts.join("")}]`;
}

/** A test of code points for the set. */
export function testOf(set: CharSet): (code: number) => boolean {
  const { ranges, properties, negated } = set;
  if (properties.length > 0) {
    const pattern = new RegExp(sourceOf(set), "u");
    return (code) => pattern.test(String.fromCodePoint(code));
  }
  return (code) => ranges.some(([first, last]) => code >= first && code <= last) !== negated;
}
