import { goQuote } from "../go-quote.ts";
import { DecodeError } from "./decode-error.ts";
import { maximumDepth } from "./convert.ts";

/** Deeper than typed values may be, since raw JSON is scanned too. */
const maximumScanDepth = maximumDepth * 4;

export type Path = readonly (string | number)[];

interface ScanOptions {
  readonly onKey?: (path: Path) => void;
  readonly onNumber?: (path: Path, source: string) => void;
}

/**
 * Goes over JSON text as Go's scanner does: throws DecodeError in Go's words when it is malformed, and answers the
 * paths of keys that an object has more than once. Slower than JSON.parse: for strict decoding, odd numbers and errors.
 * `onKey` sees the path of each key as it comes, `onNumber` that of each number with its text.
 */
export function scanJson(text: string, options: ScanOptions = {}): readonly Path[] {
  const scanner = new Scanner(text, options);
  scanner.value("looking for beginning of value");
  scanner.space();
  if (scanner.position < text.length) throw scanner.unexpected("after top-level value");
  return scanner.duplicates;
}

/** Whether valid JSON text holds more keys than the value parsed from it: the cheap test before `scanJson`. */
export function hasDuplicateKeys(text: string, value: unknown): boolean {
  return keysOfText(text) !== keysOfValue(value);
}

function keysOfText(text: string): number {
  let keys = 0;
  for (let start = text.indexOf('"'); start >= 0;) {
    let end = text.indexOf('"', start + 1);
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    let next = end + 1;
    let code = text.charCodeAt(next);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++next);
    if (code === 0x3a) keys++;
    start = text.indexOf('"', next);
  }
  return keys;
}

/** Whether a quote is part of its string: after an odd number of backslashes. */
function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}

function keysOfValue(root: unknown): number {
  let keys = 0;
  // Not by recursion: nothing has checked yet how deep the value is.
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    const isList = Array.isArray(value);
    for (const child of isList ? (value as readonly unknown[]) : Object.values(value)) {
      if (!isList) keys++;
      if (typeof child === "object") open.push(child);
    }
  }
  return keys;
}

/** What is read when no space can follow. */
const withinToken = /^in (?!string literal)|^after decimal point/;
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

class Scanner {
  readonly duplicates: Path[] = [];
  position = 0;
  readonly #text: string;
  readonly #path: (string | number)[] = [];
  readonly #options: ScanOptions;

  constructor(text: string, options: ScanOptions) {
    this.#text = text;
    this.#options = options;
  }

  value(context: string): void {
    this.space();
    if (this.#path.length > maximumScanDepth) throw new DecodeError("exceeded max depth");
    const character = this.#text[this.position];
    if (character === "{") this.#object();
    else if (character === "[") this.#array();
    else if (character === '"') this.#string();
    else if (character === "t") this.#literal("true");
    else if (character === "f") this.#literal("false");
    else if (character === "n") this.#literal("null");
    else if (character !== undefined && /[-\d]/.test(character)) this.#number();
    else throw this.unexpected(context);
  }

  space(): void {
    while (this.position < this.#text.length) {
      const code = this.#text.charCodeAt(this.position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.position++;
    }
  }

  unexpected(context: string): DecodeError {
    const character = this.#text.codePointAt(this.position);
    // Where Go's scanner needs more it is given a space at the end.
    if (character === undefined && withinToken.test(context))
      return new DecodeError(`invalid character ' ' ${context}`);
    if (character === undefined) return new DecodeError("unexpected end of JSON input");
    return new DecodeError(`invalid character ${quoteCharacter(character)} ${context}`);
  }

  #object(): void {
    const keys = new Set<string>();
    this.position++;
    this.space();
    if (this.#text[this.position] === "}") {
      this.position++;
      return;
    }
    for (;;) {
      this.space();
      if (this.#text[this.position] !== '"')
        throw this.unexpected("looking for beginning of object key string");
      const key = this.#string();
      this.#options.onKey?.([...this.#path, key]);
      if (keys.has(key)) this.duplicates.push([...this.#path, key]);
      keys.add(key);
      this.space();
      if (this.#text[this.position] !== ":") throw this.unexpected("after object key");
      this.position++;
      this.#path.push(key);
      this.value("looking for beginning of value");
      this.#path.pop();
      this.space();
      const next = this.#text[this.position];
      if (next !== "," && next !== "}") throw this.unexpected("after object key:value pair");
      this.position++;
      if (next === "}") return;
    }
  }

  #array(): void {
    this.position++;
    this.space();
    if (this.#text[this.position] === "]") {
      this.position++;
      return;
    }
    for (let index = 0; ; index++) {
      this.#path.push(index);
      this.value("looking for beginning of value");
      this.#path.pop();
      this.space();
      const next = this.#text[this.position];
      if (next !== "," && next !== "]") throw this.unexpected("after array element");
      this.position++;
      if (next === "]") return;
    }
  }

  #string(): string {
    const start = this.position++;
    let escaped = false;
    for (;;) {
      const code = this.#text.charCodeAt(this.position);
      if (Number.isNaN(code)) throw this.unexpected("in string literal");
      if (code === 0x22) break;
      if (code < 0x20) throw this.unexpected("in string literal");
      if (code === 0x5c) {
        escaped = true;
        this.#escape();
      } else this.position++;
    }
    this.position++;
    const raw = this.#text.slice(start, this.position);
    return escaped ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  }

  #escape(): void {
    this.position++;
    const character = this.#text[this.position];
    if (character === undefined || !'"\\/bfnrtu'.includes(character))
      throw this.unexpected("in string escape code");
    this.position++;
    if (character !== "u") return;
    for (let digit = 0; digit < 4; digit++, this.position++) {
      if (!/[\da-fA-F]/.test(this.#text[this.position] ?? ""))
        throw this.unexpected("in \\u hexadecimal character escape");
    }
  }

  #literal(word: string): void {
    for (let index = 0; index < word.length; index++, this.position++) {
      if (this.#text[this.position] !== word[index])
        throw this.unexpected(`in literal ${word} (expecting ${quoteCharacter(word.charCodeAt(index))})`);
    }
  }

  #number(): void {
    numberPattern.lastIndex = this.position;
    const match = numberPattern.exec(this.#text);
    if (match === null) {
      this.position++;
      throw this.unexpected("in numeric literal");
    }
    this.#options.onNumber?.(this.#path, match[0]);
    this.position += match[0].length;
    const next = this.#text[this.position];
    if (next === ".") {
      this.position++;
      throw this.unexpected("after decimal point in numeric literal");
    }
    if ((next === "e" || next === "E") && !/[eE]/.test(match[0])) {
      this.position++;
      throw this.unexpected("in exponent of numeric literal");
    }
  }
}

/** As Go's scanner quotes a character. */
function quoteCharacter(code: number): string {
  if (code === 0x27) return String.raw`'\''`;
  if (code === 0x22) return `'"'`;
  return `'${goQuote(String.fromCodePoint(code)).slice(1, -1)}'`;
}
