/** What is wrong with a value: messages in upstream's words; none when it is valid. */
export type Problems = readonly string[];

export const noProblems: Problems = Object.freeze([]);

export const tooLong = (length: number): string => `must be no more than ${length} bytes`;
export const notInRange = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`;
export const empty = "must be non-empty";

/** A message that says which expression a value must match. */
export function mismatch(message: string, pattern: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`;
  // Two spaces before each "or": that is how upstream joins them.
  const list = examples.map((example) => `'${example}', `).join(" or ");
  return `${message} (e.g. ${list}regex used for validation is '${pattern}')`;
}

/** Length in bytes of UTF-8, as upstream counts; equal to the length for ASCII. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    bytes += code < 0x800 ? 1 : 2;
    if (code >= 0xd800 && code <= 0xdbff && isLowSurrogate(text.charCodeAt(index + 1))) index++;
  }
  return bytes;
}

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;

/** A rule made of a longest length and an expression. */
export function rule(options: {
  readonly longest: number;
  readonly pattern: string;
  readonly message: string;
  readonly examples: readonly string[];
}): (value: string) => Problems {
  const expression = new RegExp(`^(?:${options.pattern})$`);
  const wrong = mismatch(options.message, options.pattern, ...options.examples);
  const long = tooLong(options.longest);
  return (value) => {
    const fits = value.length <= options.longest || byteLength(value) <= options.longest;
    if (expression.test(value)) return fits ? noProblems : [long];
    return fits ? [wrong] : [long, wrong];
  };
}
