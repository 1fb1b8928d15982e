/** Levels of objects and lists that Go's decoder follows. */
const deepestLevel = 10_000;

/** What Go's decoder says of JSON that is nested too deeply; undefined where it is not. */
export function nestingProblem(text: string): string | undefined {
  // Each level takes two characters.
  if (text.length < 2 * deepestLevel) return undefined;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (char === '"') {
      index = endOfString(text, index);
      continue;
    }
    if (char === "{" || char === "[") {
      if (++depth > deepestLevel) return `invalid character '${char}' exceeded max depth`;
    } else if (char === "}" || char === "]") depth--;
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
  } while (isEscaped(text, end));
  return end;
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text[index - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}
