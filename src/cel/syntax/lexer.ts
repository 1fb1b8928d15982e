/** Kinds of tokens in the order of the grammar, which is that of messages which list them. */
export const tokenTypes = [
  "<EOF>",
  "'=='",
  "'!='",
  "'in'",
  "'<'",
  "'<='",
  "'>='",
  "'>'",
  "'&&'",
  "'||'",
  "'['",
  "']'",
  "'{'",
  "'}'",
  "'('",
  "')'",
  "'.'",
  "','",
  "'-'",
  "'!'",
  "'?'",
  "':'",
  "'+'",
  "'*'",
  "'/'",
  "'%'",
  "'true'",
  "'false'",
  "'null'",
  "NUM_FLOAT",
  "NUM_INT",
  "NUM_UINT",
  "STRING",
  "BYTES",
  "IDENTIFIER",
  "ESC_IDENTIFIER",
] as const;

/** A kind of token, written as messages show it. */
export type TokenType = (typeof tokenTypes)[number];

/** A piece of the source; offsets are in UTF-16 units. */
export interface Token {
  readonly type: TokenType;
  readonly text: string;
  readonly start: number;
}

const whitespace = /(?:[\t \r\n\f]+|\/\/[^\n]*)+/y;
const identifier = /[A-Za-z_][A-Za-z0-9_]*/y;
const escapedIdentifier = /`[A-Za-z0-9_.\-/ ]+`/y;
const float = /[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?/y;
const integer = /(?:0x[0-9a-fA-F]+|[0-9]+)([uU]?)/y;
const symbol = /==|!=|<=|>=|&&|\|\||[[\]{}().,\-!?:+*/%<>]/y;
const escape = String.raw`\\(?:[abfnrtv"'\\?${"`"}]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7][0-7])`;
const quoted = (quote: string) => String.raw`${quote}(?:${escape}|[^\\${quote}\n\r])*${quote}`;
const tripled = (quote: string) => String.raw`${quote}{3}(?:${escape}|[^\\])*?${quote}{3}`;
const raw = (quote: string) =>
  String.raw`[rR]${quote}{3}[^]*?${quote}{3}|[rR]${quote}[^${quote}\n\r]*${quote}`;
const text = new RegExp(
  String.raw`([bB]?)(?:${["'", '"'].map((quote) => `${tripled(quote)}|${raw(quote)}|${quoted(quote)}`).join("|")})`,
  "y",
);
/** How far the lexer gets into a piece of text before it finds that this is none. */
const brokenText = new RegExp(
  String.raw`[bB]?(?:"(?:${escape}|[^\\"\n\r])*(?:\\[xX]?[0-9a-fA-F]?)?|'(?:${escape}|[^\\'\n\r])*(?:\\[xX]?[0-9a-fA-F]?)?)`,
  "y",
);
const brokenIdentifier = /`[A-Za-z0-9_.\-/ ]*/y;

const keywords: ReadonlySet<string> = new Set(["in", "true", "false", "null"]);

function matchAt(pattern: RegExp, source: string, index: number): RegExpExecArray | null {
  pattern.lastIndex = index;
  return pattern.exec(source);
}

/** Cuts a source into tokens; what is none is told and skipped. The last token is the end. */
export function tokenize(source: string, report: (offset: number, message: string) => void): Token[] {
  const tokens: Token[] = [];
  let index = 0;
  for (;;) {
    index += matchAt(whitespace, source, index)?.[0].length ?? 0;
    if (index >= source.length) break;
    const token = tokenAt(source, index);
    if (token) {
      tokens.push(token);
      index += token.text.length;
      continue;
    }
    const broken = brokenAt(source, index);
    report(index, `Syntax error: token recognition error at: '${escapeControls(broken)}'`);
    index += broken.length;
  }
  tokens.push({ type: "<EOF>", text: "<EOF>", start: source.length });
  return tokens;
}

function tokenAt(source: string, start: number): Token | undefined {
  const of = (type: TokenType, match: RegExpExecArray): Token => ({ type, text: match[0], start });
  const string = matchAt(text, source, start);
  if (string) return of(string[1] ? "BYTES" : "STRING", string);
  const name = matchAt(identifier, source, start);
  if (name) return of(keywords.has(name[0]) ? (`'${name[0]}'` as TokenType) : "IDENTIFIER", name);
  const number = matchAt(float, source, start);
  if (number) return of("NUM_FLOAT", number);
  const whole = matchAt(integer, source, start);
  if (whole) return of(whole[1] ? "NUM_UINT" : "NUM_INT", whole);
  const escaped = matchAt(escapedIdentifier, source, start);
  if (escaped) return of("ESC_IDENTIFIER", escaped);
  const operator = matchAt(symbol, source, start);
  return operator ? of(`'${operator[0]}'` as TokenType, operator) : undefined;
}

/** The text up to and with the character that cannot go on. */
function brokenAt(source: string, start: number): string {
  const first = source.charAt(start);
  let end = start;
  if (first === "&" || first === "|" || first === "=") end = start + 1;
  else if (first === "`") end = start + (matchAt(brokenIdentifier, source, start)?.[0].length ?? 0);
  else end = start + (matchAt(brokenText, source, start)?.[0].length ?? 0);
  return source.slice(start, end) + String.fromCodePoint(...codePointAt(source, end));
}

const codePointAt = (source: string, index: number): number[] => {
  const code = source.codePointAt(index);
  return code === undefined ? [] : [code];
};

/** Text inside a message of the lexer. */
export const escapeControls = (value: string): string =>
  value.replaceAll("\t", "\\t").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
