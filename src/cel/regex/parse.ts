import {
  complement,
  digits,
  foldCase,
  setOf,
  spaces,
  wordCharacters,
  type CharSet,
  type Range,
} from "./char-set.ts";

/** A place where a pattern may match without a character. */
export type Assertion = "textBegin" | "textEnd" | "lineBegin" | "lineEnd" | "wordBoundary" | "noWordBoundary";

/** A pattern as a tree. Groups are not kept: nobody asks what they matched. */
export type Pattern =
  | { readonly type: "empty" }
  | { readonly type: "set"; readonly set: CharSet }
  | { readonly type: "assert"; readonly assertion: Assertion }
  | { readonly type: "concat"; readonly items: readonly Pattern[] }
  | { readonly type: "alternate"; readonly items: readonly Pattern[] }
  | {
      readonly type: "repeat";
      readonly item: Pattern;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
    };

/** A pattern that is not in RE2's syntax, in the words of Go's package. */
export class PatternError extends Error {
  override readonly name = "PatternError";

  constructor(reason: string, fragment: string) {
    super(`error parsing regexp: ${reason}: \`${fragment}\``);
  }
}

interface Flags {
  readonly fold: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly swapGreed: boolean;
}

const mostRepeats = 1000;
const deepestNesting = 1000;
const anyButNewline = setOf([0, 0x09], [0x0b, 0x10ffff]);
const anything = setOf([0, 0x10ffff]);

const posixClasses: Readonly<Record<string, readonly Range[]>> = {
  alnum: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x61, 0x7a],
  ],
  alpha: [
    [0x41, 0x5a],
    [0x61, 0x7a],
  ],
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: digits,
  graph: [[0x21, 0x7e]],
  lower: [[0x61, 0x7a]],
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper: [[0x41, 0x5a]],
  word: wordCharacters,
  xdigit: [
    [0x30, 0x39],
    [0x41, 0x46],
    [0x61, 0x66],
  ],
};

const perlClasses: Readonly<Record<string, readonly Range[]>> = {
  d: digits,
  s: spaces,
  w: wordCharacters,
  D: complement(digits),
  S: complement(spaces),
  W: complement(wordCharacters),
};

const repetition = /[*+?]|\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/y;

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** Reads a pattern in RE2's syntax; throws `PatternError`. */
export function parsePattern(source: string): Pattern {
  return new PatternParser(source).parse();
}

class PatternParser {
  readonly #source: string;
  #index = 0;
  #depth = 0;
  #flags: Flags = { fold: false, multiline: false, dotAll: false, swapGreed: false };

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Pattern {
    const pattern = this.#alternation();
    if (this.#index < this.#source.length) throw new PatternError("unexpected )", this.#source);
    return pattern;
  }

  #peek(): string {
    return this.#source.charAt(this.#index);
  }

  #character(): number {
    const code = this.#source.codePointAt(this.#index) ?? 0;
    this.#index += code > 0xffff ? 2 : 1;
    return code;
  }

  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#index)) return false;
    this.#index += text.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#index;
    const match = pattern.exec(this.#source);
    if (match) this.#index += match[0].length;
    return match;
  }

  #alternation(): Pattern {
    if (++this.#depth > deepestNesting) throw new PatternError("expression nests too deeply", this.#source);
    const items = [this.#concatenation()];
    while (this.#take("|")) items.push(this.#concatenation());
    this.#depth--;
    return items.length === 1 ? (items[0] as Pattern) : { type: "alternate", items };
  }

  #concatenation(): Pattern {
    const items: Pattern[] = [];
    while (this.#index < this.#source.length && this.#peek() !== "|" && this.#peek() !== ")") {
      if (this.#take("\\Q")) items.push(...this.#quotation());
      else items.push(this.#repeated());
    }
    if (items.length === 0) return { type: "empty" };
    return items.length === 1 ? (items[0] as Pattern) : { type: "concat", items };
  }

  #quotation(): Pattern[] {
    const end = this.#source.indexOf("\\E", this.#index);
    const text = this.#source.slice(this.#index, end < 0 ? undefined : end);
    this.#index += text.length + (end < 0 ? 0 : 2);
    return Array.from(text, (character) => this.#literal(character.codePointAt(0) ?? 0));
  }

  #literal(code: number): Pattern {
    return { type: "set", set: this.#folded([[code, code]]) };
  }

  #folded(ranges: readonly Range[]): CharSet {
    return setOf(...(this.#flags.fold ? foldCase(ranges) : ranges));
  }

  #repeated(): Pattern {
    const start = this.#index;
    const missing = this.#match(repetition);
    if (missing) throw this.#missingArgument(missing[0]);
    const isFlag = /\(\?[a-zA-Z-]*\)/y;
    isFlag.lastIndex = start;
    const onlyFlags = isFlag.test(this.#source);
    let item = this.#atom();
    let previous = this.#index;
    for (let count = 0; ; count++) {
      const from = this.#index;
      const operator = this.#match(repetition);
      if (!operator) return item;
      if (onlyFlags) throw this.#missingArgument(operator[0]);
      const lazy = this.#take("?");
      if (count > 0)
        throw new PatternError(
          "invalid nested repetition operator",
          this.#source.slice(previous, this.#index),
        );
      previous = from;
      item = this.#repeat(item, operator, lazy !== this.#flags.swapGreed);
    }
  }

  #missingArgument(operator: string): PatternError {
    return new PatternError(
      "missing argument to repetition operator",
      operator + (this.#take("?") ? "?" : ""),
    );
  }

  #repeat(item: Pattern, operator: RegExpExecArray, lazy: boolean): Pattern {
    const [text, low, comma, high] = operator;
    const bounds: Readonly<Record<string, readonly [number, number]>> = {
      "*": [0, Infinity],
      "+": [1, Infinity],
      "?": [0, 1],
    };
    const least = Number(low);
    const [min, max] = bounds[text] ?? [least, comma ? Number(high ?? Infinity) : least];
    const tooMany = min > mostRepeats || (max !== Infinity && max > mostRepeats) || max < min;
    const finite = max === Infinity ? Math.max(min, 1) : max;
    if (tooMany || finite * repeatsIn(item) > mostRepeats)
      throw new PatternError("invalid repeat count", text);
    return { type: "repeat", item, min, max, greedy: !lazy };
  }

  #atom(): Pattern {
    const assert = (assertion: Assertion): Pattern => ({ type: "assert", assertion });
    switch (this.#peek()) {
      case "(":
        return this.#group();
      case "[":
        return { type: "set", set: this.#class() };
      case "\\":
        return this.#escape();
      case ".":
        this.#index++;
        return { type: "set", set: this.#flags.dotAll ? anything : anyButNewline };
      case "^":
        this.#index++;
        return assert(this.#flags.multiline ? "lineBegin" : "textBegin");
      case "$":
        this.#index++;
        return assert(this.#flags.multiline ? "lineEnd" : "textEnd");
      default:
        return this.#literal(this.#character());
    }
  }

  #group(): Pattern {
    const outer = this.#flags;
    if (!this.#source.startsWith("(?", this.#index)) this.#index++;
    else if (!this.#perlGroup()) return { type: "empty" };
    const pattern = this.#alternation();
    if (!this.#take(")")) throw new PatternError("missing closing )", this.#source);
    this.#flags = outer;
    return pattern;
  }

  /** Reads what begins with `(?`; tells whether it is a group, and not flags for what follows. */
  #perlGroup(): boolean {
    const rest = this.#source.slice(this.#index);
    if (/^\(\?P?<./s.test(rest)) {
      const end = rest.indexOf(">");
      const capture = end < 0 ? rest : rest.slice(0, end + 1);
      if (!/^\(\?P?<\w+>$/.test(capture)) throw new PatternError("invalid named capture", capture);
      this.#index += capture.length;
      return true;
    }
    const [flags = "", on = "", off] = /^\(\?([imsU]*)(?:-([imsU]*))?/.exec(rest) ?? [];
    const end = Array.from(rest.slice(flags.length, flags.length + 2))[0] ?? "";
    if ((end !== ":" && end !== ")") || off === "") {
      throw new PatternError("invalid or unsupported Perl syntax", flags + end);
    }
    this.#index += flags.length + 1;
    this.#setFlags(on, off ?? "");
    return end === ":";
  }

  #setFlags(on: string, off: string): void {
    const flag = (letter: string, current: boolean) =>
      (current || on.includes(letter)) && !off.includes(letter);
    this.#flags = {
      fold: flag("i", this.#flags.fold),
      multiline: flag("m", this.#flags.multiline),
      dotAll: flag("s", this.#flags.dotAll),
      swapGreed: flag("U", this.#flags.swapGreed),
    };
  }

  #escape(): Pattern {
    const assertions: Readonly<Record<string, Assertion>> = {
      A: "textBegin",
      z: "textEnd",
      b: "wordBoundary",
      B: "noWordBoundary",
    };
    const letter = this.#source.charAt(this.#index + 1);
    const assertion = assertions[letter];
    if (assertion) {
      this.#index += 2;
      return { type: "assert", assertion };
    }
    return { type: "set", set: this.#escapedClass() ?? this.#folded(single(this.#escapedCharacter())) };
  }

  /** `\d`, `\pL` and their like. */
  #escapedClass(): CharSet | undefined {
    const letter = this.#source.charAt(this.#index + 1);
    const ranges = perlClasses[letter];
    if (ranges) {
      this.#index += 2;
      return setOf(...ranges);
    }
    const start = this.#index;
    const match = this.#match(/\\([pP])(?:\{(\^?)([^}]*)\}|([^{]))/uy);
    if (!match && this.#source.slice(start + 1).match(/^[pP]\{/)) {
      throw new PatternError("invalid character class range", this.#source.slice(start));
    }
    if (!match) return undefined;
    const [text, kind, caret = "", long, short] = match;
    const name = propertyName(long ?? short ?? "");
    if (name === undefined) throw new PatternError("invalid character class range", text);
    const negated = (kind === "P") !== (caret === "^");
    return { ranges: [], properties: [{ name, negated }], negated: false };
  }

  #escapedCharacter(): number {
    const start = this.#index;
    this.#index++;
    if (this.#index >= this.#source.length)
      throw new PatternError("trailing backslash at end of expression", "");
    const octal = this.#match(/[1-7][0-7]{1,2}|0[0-7]{0,2}/y);
    if (octal) return Number.parseInt(octal[0], 8);
    const code = this.#take("x") ? this.#hexadecimal() : this.#plainEscape();
    if (code === undefined) {
      throw new PatternError("invalid escape sequence", this.#source.slice(start, this.#index));
    }
    return code;
  }

  /** What follows `\x`; nothing if that is wrong, and then no more is read of it than Go reads. */
  #hexadecimal(): number | undefined {
    if (!this.#take("{")) {
      const digits = Array.from(this.#source.slice(this.#index, this.#index + 4))
        .slice(0, 2)
        .join("");
      this.#index += digits.length;
      return /^[0-9a-fA-F]{2}$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
    }
    let code: number | undefined;
    while (this.#index < this.#source.length) {
      const digit = String.fromCodePoint(this.#character());
      if (digit === "}") return code;
      if (!/^[0-9a-fA-F]$/.test(digit)) return undefined;
      code = (code ?? 0) * 16 + Number.parseInt(digit, 16);
      if (code > 0x10ffff) return undefined;
    }
    return undefined;
  }

  #plainEscape(): number | undefined {
    const code = this.#character();
    const control = controls[String.fromCodePoint(code)];
    if (control !== undefined) return control;
    const isPunctuation = code < 0x80 && !/\w/.test(String.fromCodePoint(code));
    return isPunctuation || code === 0x5f ? code : undefined;
  }

  #class(): CharSet {
    const start = this.#index++;
    const negated = this.#take("^");
    const ranges: Range[] = [];
    const properties: CharSet["properties"][number][] = [];
    const rest = () => this.#source.slice(start);
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      if (this.#index >= this.#source.length) throw new PatternError("missing closing ]", rest());
      const posix = this.#match(/\[:(\^?)(\w+):\]/y);
      if (posix) {
        const known = Object.hasOwn(posixClasses, posix[2] ?? "") ? posixClasses[posix[2] ?? ""] : undefined;
        if (!known) throw new PatternError("invalid character class range", posix[0]);
        ranges.push(...(posix[1] ? complement(known) : known));
        continue;
      }
      const escaped = this.#peek() === "\\" ? this.#escapedClass() : undefined;
      if (escaped) {
        ranges.push(...escaped.ranges);
        properties.push(...escaped.properties);
      } else ranges.push(this.#range());
    }
    this.#index++;
    return { ranges: this.#flags.fold ? foldCase(ranges) : ranges, properties, negated };
  }

  #range(): Range {
    const start = this.#index;
    const first = this.#classCharacter();
    const isRange = this.#peek() === "-" && !["]", ""].includes(this.#source.charAt(this.#index + 1));
    if (!isRange) return [first, first];
    this.#index++;
    const last = this.#classCharacter();
    if (last < first) {
      throw new PatternError("invalid character class range", this.#source.slice(start, this.#index));
    }
    return [first, last];
  }

  #classCharacter(): number {
    return this.#peek() === "\\" ? this.#escapedCharacter() : this.#character();
  }
}

const single = (code: number): readonly Range[] => [[code, code]];

/** How often a pattern repeats what is innermost in it. */
function repeatsIn(pattern: Pattern): number {
  switch (pattern.type) {
    case "concat":
    case "alternate":
      return Math.max(1, ...pattern.items.map(repeatsIn));
    case "repeat":
      return (
        repeatsIn(pattern.item) *
        (pattern.max === Infinity ? Math.max(1, pattern.min) : Math.max(1, pattern.max))
      );
    default:
      return 1;
  }
}

/** JavaScript's name of a class of Unicode, if there is such. */
function propertyName(name: string): string | undefined {
  if (["Any", "ASCII", "Assigned"].includes(name)) return name;
  if (!/^\w+$/.test(name)) return undefined;
  for (const candidate of [`General_Category=${name}`, `Script=${name}`]) {
    try {
      RegExp(`\\p{${candidate}}`, "u");
      return candidate;
    } catch {
      continue;
    }
  }
  return undefined;
}
