/** How often something may be repeated, all repetitions within it counted. */
const mostRepeats = 1000;
/** Counts of so many digits are too many whatever they are. */
const mostDigits = 8;
const posixClass =
  /^\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]$/;
const anyRepeat = /^\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/;

/** Why text is no regular expression of Go's kind, which differs from the platform's. */
export function goPatternProblem(pattern: string): string | undefined {
  try {
    new PatternReader(pattern).read();
    return undefined;
  } catch (error) {
    if (error instanceof PatternError) return `error parsing regexp: ${error.message}`;
    throw error;
  }
}

class PatternError extends Error {
  constructor(problem: string, text: string) {
    super(`${problem}: \`${text}\``);
  }
}

interface Group {
  /** The highest count of repetitions in what has been read of it. */
  most: number;
  /** Whether there is something that could be repeated. */
  hasAtom: boolean;
  /** Of the last thing read. */
  repeats: number;
}

const newGroup = (): Group => ({ most: 1, hasAtom: false, repeats: 1 });

/** Reads an expression from its start, as Go's parser does; throws what is wrong first. */
class PatternReader {
  readonly #text: string;
  readonly #outer: Group[] = [];
  #at = 0;
  #group = newGroup();

  constructor(text: string) {
    this.#text = text;
  }

  read(): void {
    // Where the repetition began that stands right before.
    let lastRepeat: number | undefined;
    while (this.#at < this.#text.length) lastRepeat = this.#step(lastRepeat);
    if (this.#outer.length > 0) throw new PatternError("missing closing )", this.#text);
  }

  #step(lastRepeat: number | undefined): number | undefined {
    const start = this.#at;
    switch (this.#text[start]) {
      case "(":
        this.#open();
        return undefined;
      case ")":
        this.#close();
        return undefined;
      case "|":
        this.#at++;
        this.#group.hasAtom = false;
        return undefined;
      case "[":
        this.#class();
        break;
      case "\\":
        this.#escaped();
        break;
      case "*":
      case "+":
      case "?":
        this.#at++;
        this.#repeat(start, lastRepeat, undefined);
        return start;
      case "{": {
        const found = anyRepeat.exec(this.#text.slice(start));
        if (found === null) {
          this.#at++;
          break;
        }
        this.#at += found[0].length;
        const count = this.#count(start, found);
        this.#repeat(start, lastRepeat, count);
        return start;
      }
      default:
        this.#rune();
    }
    this.#atom(1);
    return undefined;
  }

  #atom(repeats: number): void {
    this.#group.hasAtom = true;
    this.#group.repeats = repeats;
    this.#group.most = Math.max(this.#group.most, repeats);
  }

  /** How often `{n,m}` repeats at most; at least where there is no most. */
  #count(start: number, [, least = "", comma, most]: RegExpExecArray): number {
    const numberOf = (digits: string) => (digits.length > mostDigits ? Infinity : Number(digits));
    const low = numberOf(least);
    const high = comma === undefined ? low : most === undefined ? undefined : numberOf(most);
    if (low > mostRepeats || (high !== undefined && (high > mostRepeats || low > high))) {
      throw this.#error("invalid repeat count", start);
    }
    return high ?? low;
  }

  #repeat(start: number, lastRepeat: number | undefined, count: number | undefined): void {
    if (this.#text[this.#at] === "?") this.#at++;
    if (lastRepeat !== undefined) throw this.#error("invalid nested repetition operator", lastRepeat);
    if (!this.#group.hasAtom) throw this.#error("missing argument to repetition operator", start);
    const repeats = this.#group.repeats * (count ?? 1);
    if (count !== undefined && count > 1 && repeats > mostRepeats) {
      throw this.#error("invalid repeat count", start);
    }
    this.#atom(repeats);
  }

  #open(): void {
    if (this.#text[this.#at + 1] !== "?") this.#at++;
    else if (!this.#perlGroup()) return;
    this.#outer.push(this.#group);
    this.#group = newGroup();
  }

  /** Reads what begins with `(?`; whether it is a group, and not mere flags. */
  #perlGroup(): boolean {
    const rest = this.#text.slice(this.#at);
    if (/^\(\?(?:P<.|<.)/s.test(rest)) {
      const end = rest.indexOf(">");
      const capture = end < 0 ? rest : rest.slice(0, end + 1);
      if (!/^\(\?P?<\w+>$/.test(capture)) throw new PatternError("invalid named capture", capture);
      this.#at += capture.length;
      return true;
    }
    const [flags = ""] = /^\(\?[imsU]*(?:-[imsU]*)?/.exec(rest) ?? [];
    const end = rest[flags.length] ?? "";
    if ((end !== ":" && end !== ")") || flags.endsWith("-")) {
      const wrong = String.fromCodePoint(...(end === "" ? [] : [rest.codePointAt(flags.length) ?? 0]));
      throw new PatternError("invalid or unsupported Perl syntax", flags + wrong);
    }
    this.#at += flags.length + 1;
    return end === ":";
  }

  #close(): void {
    const outer = this.#outer.pop();
    if (outer === undefined) throw new PatternError("unexpected )", this.#text);
    const { most } = this.#group;
    this.#group = outer;
    this.#at++;
    this.#atom(most);
  }

  #escaped(): void {
    const next = this.#text[this.#at + 1] ?? "";
    if (next !== "" && "AbBz".includes(next)) this.#at += 2;
    else if (next === "Q") {
      const end = this.#text.indexOf("\\E", this.#at);
      this.#at = end < 0 ? this.#text.length : end + 2;
    } else if (!this.#setEscape()) this.#escape();
  }

  /** Reads `\d` and `\p{…}`, if they are next. */
  #setEscape(): boolean {
    const start = this.#at;
    const [first, second = ""] = this.#text.slice(start, start + 2);
    if (first !== "\\" || second === "") return false;
    if ("dDsSwW".includes(second)) this.#at += 2;
    else if (second === "p" || second === "P") this.#unicodeSet(start);
    else return false;
    return true;
  }

  #unicodeSet(start: number): void {
    this.#at += 2;
    const end = this.#text[this.#at] === "{" ? this.#text.indexOf("}", this.#at) : undefined;
    if (end === -1) throw new PatternError("invalid character class range", this.#text.slice(start));
    if (end === undefined) this.#rune();
    else this.#at = end + 1;
    const name = this.#text.slice(start + 2, this.#at).replace(/^\{\^?(.*)\}$/s, "$1");
    if (!isUnicodeSet(name)) throw this.#error("invalid character class range", start);
  }

  #class(): void {
    const start = this.#at;
    this.#at += this.#text[start + 1] === "^" ? 2 : 1;
    for (let first = true; first || this.#text[this.#at] !== "]"; first = false) {
      if (this.#posixSet() || this.#setEscape()) continue;
      const from = this.#at;
      const low = this.#member(start);
      const [dash, after = "]"] = this.#text.slice(this.#at, this.#at + 2);
      if (dash !== "-" || after === "]") continue;
      this.#at++;
      if (this.#member(start) < low) throw this.#error("invalid character class range", from);
    }
    this.#at++;
  }

  #posixSet(): boolean {
    const start = this.#at;
    const end = this.#text.startsWith("[:", start) ? this.#text.indexOf(":]", start + 2) : -1;
    if (end < 0) return false;
    this.#at = end + 2;
    if (posixClass.test(this.#text.slice(start, this.#at))) return true;
    throw this.#error("invalid character class range", start);
  }

  /** Reads one character of a class. */
  #member(start: number): number {
    if (this.#at >= this.#text.length) throw new PatternError("missing closing ]", this.#text.slice(start));
    return this.#text[this.#at] === "\\" ? this.#escape() : this.#rune();
  }

  #rune(): number {
    const rune = this.#text.codePointAt(this.#at) ?? -1;
    this.#at += rune > 0xffff ? 2 : rune < 0 ? 0 : 1;
    return rune;
  }

  /** Reads a backslash and what it makes a character. */
  #escape(): number {
    const start = this.#at++;
    if (this.#at >= this.#text.length) throw new PatternError("trailing backslash at end of expression", "");
    const rune = this.#rune();
    const character = String.fromCodePoint(rune);
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(this.#text.slice(this.#at - 1));
    if (octal) {
      this.#at += octal[0].length - 1;
      return Number.parseInt(octal[0], 8);
    }
    if (character === "x") return this.#hexadecimal(start);
    const control = "afnrtv".indexOf(character);
    if (control >= 0) return [7, 12, 10, 13, 9, 11][control] ?? 0;
    if (rune < 0x80 && !/[A-Za-z0-9]/.test(character)) return rune;
    throw this.#error("invalid escape sequence", start);
  }

  #hexadecimal(start: number): number {
    const digit = () => {
      const character = this.#text[this.#at] ?? "";
      this.#rune();
      return /^[0-9A-Fa-f]$/.test(character) ? Number.parseInt(character, 16) : -1;
    };
    const wrong = () => this.#error("invalid escape sequence", start);
    if (this.#text[this.#at] !== "{") {
      const high = digit();
      // Go reads two characters before it looks at either.
      const low = this.#at < this.#text.length ? digit() : -1;
      if (high < 0 || low < 0) throw wrong();
      return high * 16 + low;
    }
    const first = ++this.#at;
    let value = 0;
    while (this.#at < this.#text.length && this.#text[this.#at] !== "}") {
      const next = digit();
      value = value * 16 + next;
      if (next < 0 || value > 0x10ffff) throw wrong();
    }
    const isEmpty = this.#at === first;
    const isOpen = this.#at >= this.#text.length;
    this.#at++;
    if (isEmpty || isOpen) throw wrong();
    return value;
  }

  /** What is wrong with the text from `start` to what has been read. */
  #error(problem: string, start: number): PatternError {
    return new PatternError(problem, this.#text.slice(start, this.#at));
  }
}

/** Whether Unicode has a category or script of a name. */
function isUnicodeSet(name: string): boolean {
  if (["Any", "ASCII", "Assigned"].includes(name)) return true;
  return ["General_Category", "Script"].some((property) => {
    try {
      return new RegExp(`\\p{${property}=${name}}`, "u") instanceof RegExp;
    } catch {
      return false;
    }
  });
}
