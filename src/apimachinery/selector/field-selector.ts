import { SelectorError } from "./requirement.ts";

/** One condition on a field. */
export interface FieldTerm {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/** Chooses objects by fields; all terms must hold, none means everything. */
export type FieldSelector = readonly FieldTerm[];

/** Reads `a=b,c!=d` with `\` before literal `\`, `,` and `=` of values; throws `SelectorError`. */
export function parseFieldSelector(text: string): FieldSelector {
  if (text === "") return [];
  const terms: FieldTerm[] = [];
  for (const part of splitTerms(text).sort()) {
    if (part === "") continue;
    const term = /^(.*?)(!=|==|=)/s.exec(part);
    const operator = term?.[2];
    if (operator === undefined) {
      throw new SelectorError(`invalid selector: '${text}'; can't understand '${part}'`);
    }
    const at = term?.[1]?.length ?? 0;
    terms.push({
      field: part.slice(0, at),
      operator: operator === "!=" ? "!=" : "=",
      value: unescapeValue(part.slice(at + operator.length)),
    });
  }
  return terms;
}

/** Splits at commas that no backslash precedes. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === "\\") index++;
    else if (text[index] === ",") {
      terms.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...terms, text.slice(start)];
}

function unescapeValue(text: string): string {
  let value = "";
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (character === "\\") {
      const next = text.charAt(++index);
      if (next !== "\\" && next !== "," && next !== "=") {
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next}`);
      }
      value += next;
    } else if (character === "=" || character === ",") {
      // Upstream prints the character's number.
      const code = character.charCodeAt(0);
      throw new SelectorError(`invalid field selector: unescaped character in value: ${code}`);
    } else value += character;
  }
  return value;
}

/** Whether the fields' values meet every term. */
export function fieldSelectorMatches(selector: FieldSelector, valueOf: (field: string) => string): boolean {
  return selector.every(({ field, operator, value }) => (valueOf(field) === value) === (operator === "="));
}

/** The text form, as in a query. */
export function formatFieldSelector(selector: FieldSelector): string {
  return selector
    .map(({ field, operator, value }) => `${field}${operator}${value.replaceAll(/[\\,=]/g, "\\$&")}`)
    .join(",");
}

/** The value that the selector asks of a field, if it does: for look-ups by index. */
export function exactFieldMatch(selector: FieldSelector, field: string): string | undefined {
  return selector.find((term) => term.field === field && term.operator === "=")?.value;
}
