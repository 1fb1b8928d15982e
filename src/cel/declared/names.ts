import { reserved } from "../syntax/grammar.ts";

const expressible = /^[a-zA-Z_./-][a-zA-Z0-9_./-]*$/;
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const words = new Set(["true", "false", "null", "in", ...reserved]);
const escapes: Readonly<Record<string, string>> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};

/** How expressions write the name of a property; nothing if they cannot. */
export function escapedName(property: string): string | undefined {
  if (!expressible.test(property)) return undefined;
  if (words.has(property)) return `__${property}__`;
  return property.replaceAll(/__|[./-]/g, (part) => escapes[part] ?? part);
}

/** Whether expressions can name a variable so. */
export const isExpressionName = (name: string): boolean => identifier.test(name) && !words.has(name);
