const plain = /^[ !#-[\]-~]*$/;
const special = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** The text in quotes as Go's `%q` prints it: what cannot be printed is escaped. */
export function goQuote(text: string): string {
  return plain.test(text) ? `"${text}"` : `"${text.replaceAll(special, escaped)}"`;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hexadecimal = (digits: number) => code.toString(16).padStart(digits, "0");
  const known = escapes[character];
  if (known !== undefined) return known;
  if (code < 0x20 || code === 0x7f) return `\\x${hexadecimal(2)}`;
  return code < 0x10000 ? `\\u${hexadecimal(4)}` : `\\U${hexadecimal(8)}`;
}
