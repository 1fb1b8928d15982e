/** Lines longer than this go on in the next one where a space allows it. */
const bestWidth = 80;

/** What is read as something else where it stands without quotes. */
const noText: readonly RegExp[] = [
  /^(?:~|null|Null|NULL|)$/,
  /^(?:y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|true|True|TRUE|false|False|FALSE)$/,
  /^[-+]?0[bB][01_]+$|^[-+]?0[oO]?[0-7_]*$|^[-+]?0[xX][\da-fA-F_]{1,16}$/,
  /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/,
  // Numbers to the base of sixty.
  /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/,
];
const decimal = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const time =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?(?:Z|[-+]\d\d:\d\d)| (\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?)?$/;

/** Whether a text without quotes would be read as a number, a time or the like. */
function isNoText(text: string): boolean {
  if (noText.some((pattern) => pattern.test(text))) return true;
  // Underlines are read over where a sign or a digit comes first.
  const plain = /^[-+\d]/.test(text) ? text.replaceAll("_", "") : text;
  if (decimal.test(plain) && Number.isFinite(Number(plain))) return true;
  const parts = time
    .exec(text)
    ?.slice(1)
    .map((part) => Number(part ?? 0));
  if (parts === undefined) return false;
  const [year = 0, month = 0, day = 0, ...clock] = parts;
  const isClock = clock.every((part, index) => part < (index % 3 === 0 ? 24 : 60));
  return (
    isClock && month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
  );
}

/** Characters that upstream's writer escapes: it knows none beyond the basic plane. */
const special = /[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;
const lineBreak = /[\n\r\x85\u2028\u2029]/;
/** What means something at the beginning, before a space, or after one. */
const indicators =
  /^(?:[#,[\]{}&*!|>'"%@`]|[?:-](?=[ \t]|$)|---|\.\.\.)|:(?=[ \t]|$)|[ \t\n\r\x85\u2028\u2029]#/;

interface Place {
  /** Column of the first character. */
  readonly column: number;
  /** Of further lines. */
  readonly indent: number;
  readonly isKey: boolean;
}

/** A text as upstream's writer of YAML puts it: plain, in quotes or as a block, whatever it may be. */
export function yamlText(text: string, place: Place): string {
  if (text === "") return '""';
  const isMultiline = lineBreak.test(text);
  const isSpecial = special.test(text) || / [\n\r\x85\u2028\u2029]/.test(text);
  if (text.includes("\n")) {
    const isBlock = !isSpecial && !text.endsWith(" ") && !place.isKey;
    return isBlock ? literal(text, place.indent) : doubleQuoted(text, place);
  }
  if (isSpecial || isNoText(text) || (isMultiline && place.isKey)) return doubleQuoted(text, place);
  const isPlain = !isMultiline && !/^ | $/.test(text) && !indicators.test(text);
  if (isPlain) return folded(text, place, { from: 0 });
  if (/[\x85\u2028\u2029] /.test(text)) return doubleQuoted(text, place);
  return `'${folded(text.replaceAll("'", "''"), { ...place, column: place.column + 1 }, { from: 1 })}'`;
}

/** Breaks lines that are too long at single spaces, none of which is lost: a line break is read as one. */
function folded(text: string, { column, indent, isKey }: Place, { from }: { readonly from: number }): string {
  if (isKey || (column + text.length <= bestWidth && !lineBreak.test(text))) return text;
  const characters = Array.from(text);
  let result = "";
  let spaces = false;
  let at = column;
  for (const [index, character] of characters.entries()) {
    if (lineBreak.test(character)) {
      result += character + " ".repeat(indent);
      at = indent;
      continue;
    }
    const isSpace = character === " ";
    const isWithin = index >= from && (from === 0 || index < characters.length - 1);
    if (isSpace && !spaces && at > bestWidth && isWithin && characters[index + 1] !== " ") {
      result += `\n${" ".repeat(indent)}`;
      at = indent;
    } else {
      result += character;
      at++;
    }
    spaces = isSpace;
  }
  return result;
}

const escapes: Readonly<Record<string, string>> = {
  "\0": "0",
  "\x07": "a",
  "\b": "b",
  "\t": "t",
  "\n": "n",
  "\v": "v",
  "\f": "f",
  "\r": "r",
  "\x1b": "e",
  '"': '"',
  "\\": "\\",
  "\x85": "N",
  "\xa0": "_",
  "\u2028": "L",
  "\u2029": "P",
};

const hexForms = [
  ["x", 2],
  ["u", 4],
  ["U", 8],
] as const;

function escaped(character: string): string {
  const known = escapes[character];
  if (known !== undefined) return `\\${known}`;
  const code = character.codePointAt(0) ?? 0;
  const [letter, digits] = code <= 0xff ? hexForms[0] : code <= 0xffff ? hexForms[1] : hexForms[2];
  return `\\${letter}${code.toString(16).toUpperCase().padStart(digits, "0")}`;
}

function doubleQuoted(text: string, { column, indent, isKey }: Place): string {
  const characters = Array.from(text);
  let result = '"';
  let spaces = false;
  let at = column + 1;
  for (const [index, character] of characters.entries()) {
    const isSpace = character === " ";
    const isWithin = index > 0 && index < characters.length - 1;
    if (isSpace && !isKey && !spaces && at > bestWidth && isWithin) {
      const next = characters[index + 1] === " " ? "\\" : "";
      result += `\n${" ".repeat(indent)}${next}`;
      at = indent + next.length;
    } else {
      const isEscaped =
        special.test(character) || character === '"' || character === "\\" || lineBreak.test(character);
      const written = isEscaped ? escaped(character) : character;
      result += written;
      at += isEscaped ? written.length : 1;
    }
    spaces = isSpace;
  }
  return `${result}"`;
}

/** A block without its last line break, which whatever follows begins with. */
function literal(text: string, indent: number): string {
  const hint = /^[ \n\r\x85\u2028\u2029]/.test(text) ? "2" : "";
  const chomp = !/[\n\r\x85\u2028\u2029]$/.test(text)
    ? "-"
    : /(?:^|[\n\r\x85\u2028\u2029]).$/su.test(text)
      ? "+"
      : "";
  const lines = text.replaceAll(
    /([\n\r\x85\u2028\u2029])(?=[^\n\r\x85\u2028\u2029])/g,
    `$1${" ".repeat(indent)}`,
  );
  const first = lineBreak.test(text[0] ?? "") ? "" : " ".repeat(indent);
  const block = `|${hint}${chomp}\n${first}${lines}`;
  return block.endsWith("\n") ? block.slice(0, -1) : block;
}
