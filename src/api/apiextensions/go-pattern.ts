/** What begins a group that upstream's expressions know. */
const knownGroup = /^\(\?(?:[imsU]*(?:-[imsU]+)?[:)]|P?<[A-Za-z_][A-Za-z0-9_]*>)/;
const knownEscape =
  /^\\(?:[aftnrvdDsSwWbBAzQE]|0[0-7]{0,2}|[1-7][0-7]{1,2}|x[0-9A-Fa-f]{2}|x\{[0-9A-Fa-f]+\}|[pP][A-Z]|[pP]\{\^?\w+\}|[^A-Za-z0-9])/;
const repetition = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/;

/**
 * Why text is no regular expression of upstream's kind, which differs from the platform's; undefined when it may be
 * one. What is not sure to be wrong is let through.
 */
export function goPatternProblem(pattern: string): string | undefined {
  const problem = findProblem(pattern);
  return problem === undefined ? undefined : `error parsing regexp: ${problem}`;
}

function findProblem(pattern: string): string | undefined {
  let depth = 0;
  let repeatable = false;
  for (let rest = pattern; rest !== "";) {
    const [first = ""] = rest;
    let length = first.length;
    if (first === "\\") {
      const escape = knownEscape.exec(rest);
      if (escape === null) {
        if (rest.length === 1) return "trailing backslash at end of expression: ``";
        return `invalid escape sequence: \`${rest.slice(0, 2)}\``;
      }
      length = escape[0].length;
      repeatable = true;
    } else if (first === "[") {
      const end = classEnd(rest);
      if (end === undefined) return `missing closing ]: \`${rest}\``;
      length = end;
      repeatable = true;
    } else if (first === "(") {
      const group = rest.startsWith("(?") ? knownGroup.exec(rest) : undefined;
      if (group === null) return `invalid or unsupported Perl syntax: \`${rest.slice(0, 3)}\``;
      length = group?.[0].length ?? 1;
      if (!group?.[0].endsWith(")")) depth++;
      repeatable = false;
    } else if (first === ")") {
      if (depth-- === 0) return `unexpected ): \`${pattern}\``;
      repeatable = true;
    } else {
      const repeat = repetition.exec(rest);
      if (repeat !== null) {
        if (!repeatable) return `missing argument to repetition operator: \`${repeat[0]}\``;
        length = repeat[0].length;
      } else repeatable = first !== "|" && first !== "^";
    }
    rest = rest.slice(length);
  }
  return depth > 0 ? `missing closing ): \`${pattern}\`` : undefined;
}

/** How long a class of characters is, from its bracket to the closing one. */
function classEnd(text: string): number | undefined {
  const match = /^\[\^?\]?(?:\[:\^?\w+:\]|\\[\s\S]|[^\]\\])*\]/.exec(text);
  return match?.[0].length;
}
