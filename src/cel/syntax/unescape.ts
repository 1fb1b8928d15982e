/** What is wrong with the text of a literal, in cel-go's words. */
export class UnescapeError extends Error {
  override readonly name = "UnescapeError";
}

const singleEscapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "`": "`",
  "?": "?",
};

interface Body {
  readonly raw: boolean;
  readonly text: string;
}

/** The text between the quotes, with line ends as `\n`. */
function bodyOf(literal: string): Body {
  const raw = /^[rR]/.test(literal);
  const quoted = (raw ? literal.slice(1) : literal).replaceAll(/\r\n?/g, "\n");
  const width = /^("""|''')/.test(quoted) && quoted.length >= 6 ? 3 : 1;
  return { raw, text: quoted.slice(width, -width) };
}

/** An escape sequence: its length and what it stands for. */
function escapeAt(text: string, index: number): { length: number; code: number; byte: boolean } {
  const kind = text.charAt(index + 1);
  const single = singleEscapes[kind];
  if (single !== undefined) return { length: 2, code: single.charCodeAt(0), byte: false };
  const hex = (digits: number) => Number.parseInt(text.slice(index + 2, index + 2 + digits), 16);
  switch (kind) {
    case "x":
    case "X":
      return { length: 4, code: hex(2), byte: true };
    case "u":
      return { length: 6, code: hex(4), byte: false };
    case "U":
      return { length: 10, code: hex(8), byte: false };
    default:
      return { length: 4, code: Number.parseInt(text.slice(index + 1, index + 4), 8), byte: true };
  }
}

const isScalar = (code: number) => code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);

/** The value of a string literal, quotes and prefix included. */
export function unescapeString(literal: string): string {
  const { raw, text } = bodyOf(literal);
  if (raw || !text.includes("\\")) return text;
  let result = "";
  for (let index = 0; index < text.length;) {
    if (text.charAt(index) !== "\\") {
      result += text.charAt(index++);
      continue;
    }
    const { length, code } = escapeAt(text, index);
    if (!isScalar(code)) throw new UnescapeError("invalid unicode code point");
    result += String.fromCodePoint(code);
    index += length;
  }
  return result;
}

/** The value of a bytes literal without its `b`; escapes of two digits stand for bytes, others for characters. */
export function unescapeBytes(literal: string): Uint8Array {
  const encoder = new TextEncoder();
  const { raw, text } = bodyOf(literal);
  if (raw || !text.includes("\\")) return encoder.encode(text);
  const bytes: number[] = [];
  for (let index = 0; index < text.length;) {
    if (text.charAt(index) !== "\\") {
      const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
      bytes.push(...encoder.encode(character));
      index += character.length;
      continue;
    }
    const { length, code, byte } = escapeAt(text, index);
    const kind = text.charAt(index + 1);
    if (kind === "u" || kind === "U") throw new UnescapeError("unable to unescape string");
    if (byte) bytes.push(code);
    else bytes.push(...encoder.encode(String.fromCodePoint(code)));
    index += length;
  }
  return Uint8Array.from(bytes);
}
