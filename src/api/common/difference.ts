import { internalValue } from "./internal-value.ts";
import { unifiedDiff } from "./unified-diff.ts";

/** What HTML gives a meaning to, and line breaks of old, are escaped in Go's JSON. */
const escaped = /[<>&\u2028\u2029]/g;

/** What changes from one value to the next, as upstream's messages show it: line by line of their internal forms. */
export function describeDifference(change: {
  readonly from: unknown;
  readonly to: unknown;
  /** The type of both in the facts; absent for values that are shown as they are. */
  readonly type?: string;
}): string {
  const { type } = change;
  const shown = (value: unknown) =>
    JSON.stringify(type === undefined ? value : internalValue(value, type), undefined, 1).replaceAll(
      escaped,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  return unifiedDiff(shown(change.from), shown(change.to));
}
