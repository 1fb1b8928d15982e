import { sourceOf } from "./char-set.ts";
import { Machine, type Match } from "./machine.ts";
import { PatternError, parsePattern, type Assertion, type Pattern } from "./parse.ts";

/** What JavaScript's matcher, which backtracks, may need at worst to be used instead of the machine. */
const mostBacktracking = 1_000_000;

interface Complexity {
  /** Repetitions that may end in many places: the exponent of the time. */
  readonly repeats: number;
  /** Choices between two ways. */
  readonly choices: number;
  /** Repetitions of what may itself match in many ways: exponential. */
  readonly nested: boolean;
}

const simple: Complexity = { repeats: 0, choices: 0, nested: false };

function complexityOf(pattern: Pattern): Complexity {
  switch (pattern.type) {
    case "concat":
    case "alternate": {
      const parts = pattern.items.map(complexityOf);
      const sum = (of: (part: Complexity) => number) => parts.reduce((total, part) => total + of(part), 0);
      return {
        repeats: sum(({ repeats }) => repeats),
        choices:
          sum(({ choices }) => choices) + (pattern.type === "alternate" ? pattern.items.length - 1 : 0),
        nested: parts.some(({ nested }) => nested),
      };
    }
    case "repeat":
      return complexityOfRepeat(pattern);
    default:
      return simple;
  }
}

function complexityOfRepeat({ item, min, max }: Extract<Pattern, { type: "repeat" }>): Complexity {
  const inner = complexityOf(item);
  if (max === 1 && min === 0) return { ...inner, choices: inner.choices + 1 };
  if (min === max) return { ...inner, repeats: inner.repeats * max, choices: inner.choices * max };
  const isSimple = inner.repeats === 0 && inner.choices === 0 && !inner.nested && item.type !== "empty";
  return { repeats: 1, choices: 0, nested: !isSimple };
}

const assertions: Readonly<Record<Assertion, string>> = {
  textBegin: "^",
  textEnd: "$",
  lineBegin: "(?<![^\\n])",
  lineEnd: "(?![^\\n])",
  wordBoundary: "\\b",
  noWordBoundary: "\\B",
};

/** The pattern in JavaScript's syntax. */
function translate(pattern: Pattern): string {
  switch (pattern.type) {
    case "empty":
      return "(?:)";
    case "set":
      return sourceOf(pattern.set);
    case "assert":
      return assertions[pattern.assertion];
    case "concat":
      return pattern.items.map(translate).join("");
    case "alternate":
      return `(?:${pattern.items.map(translate).join("|")})`;
    case "repeat": {
      const max = pattern.max === Infinity ? "" : String(pattern.max);
      return `(?:${translate(pattern.item)}){${pattern.min},${max}}${pattern.greedy ? "" : "?"}`;
    }
  }
}

function beginsWithText(pattern: Pattern): boolean {
  if (pattern.type === "concat") return beginsWithText(pattern.items[0] as Pattern);
  return pattern.type === "assert" && pattern.assertion === "textBegin";
}

/** Hears of the work that matching takes where it is not known to be quick. */
type NoteSteps = (steps: number) => void;

interface FindOptions {
  readonly from?: number;
  readonly note?: NoteSteps;
}

const ignore: NoteSteps = () => undefined;

/**
 * A pattern in RE2's syntax, which matches in linear time: JavaScript's own matcher is used where it is known to be
 * quick, a machine of our own elsewhere.
 */
export class Regex {
  readonly #exponent: number;
  readonly #factor: number;
  readonly #pattern: Pattern;
  readonly #source: string;
  #native: RegExp | undefined;
  #machine: Machine | undefined;

  /** Throws `PatternError`. */
  constructor(source: string) {
    this.#source = source;
    this.#pattern = parsePattern(source);
    const { repeats, choices, nested } = complexityOf(this.#pattern);
    this.#exponent = nested ? Infinity : repeats + (beginsWithText(this.#pattern) ? 0 : 1);
    this.#factor = 2 ** choices;
  }

  /** Whether the pattern matches anywhere. */
  test(text: string, note: NoteSteps = ignore): boolean {
    const native = this.#nativeFor(text);
    if (!native) return this.#ownMachine().test(text, note);
    native.lastIndex = 0;
    return native.test(text);
  }

  /** The first match from an index on. */
  find(text: string, { from = 0, note = ignore }: FindOptions = {}): Match | undefined {
    const native = this.#nativeFor(text);
    if (!native) return this.#ownMachine().find(text, from, { onlyWhether: false, note });
    native.lastIndex = from;
    const match = native.exec(text);
    return match ? { start: match.index, end: match.index + match[0].length } : undefined;
  }

  /** All matches that do not overlap, up to a number of them. */
  findAll(text: string, most = Infinity, note: NoteSteps = ignore): string[] {
    const found: string[] = [];
    let previousEnd = -1;
    for (let from = 0; from <= text.length && found.length < most;) {
      const match = this.find(text, { from, note });
      if (!match) break;
      const { start, end } = match;
      // An empty match right after another is none.
      if (end > start || start !== previousEnd) found.push(text.slice(start, end));
      previousEnd = end;
      from = end > from ? end : from + ((text.codePointAt(from) ?? 0) > 0xffff ? 2 : 1);
    }
    return found;
  }

  #nativeFor(text: string): RegExp | undefined {
    if (!(text.length ** this.#exponent * this.#factor <= mostBacktracking)) return undefined;
    this.#native ??= new RegExp(translate(this.#pattern), "gu");
    return this.#native;
  }

  #ownMachine(): Machine {
    return (this.#machine ??= new Machine(this.#pattern, this.#source));
  }
}

/** Why a text is no pattern of Go's kind, which differs from the platform's. */
export function patternProblem(source: string): string | undefined {
  try {
    parsePattern(source);
    return undefined;
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
}
