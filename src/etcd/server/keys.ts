import type { Key, KeyRange } from "../../store/index.ts";

/**
 * Keys of clients are bytes, kept as text of units up to 255. From here on keys are the server's own, which no
 * client can name.
 */
export const endOfKeys: Key = "\u0100";

/** All keys that clients can have. */
export const allKeys: KeyRange = { start: "", end: endOfKeys };

/** As etcd reads a key and the end of a range: none is one key, a zero byte means all keys from there. */
export function rangeOf({ key, rangeEnd }: { readonly key: Key; readonly rangeEnd: Key }): KeyRange {
  if (rangeEnd === "") return { start: key, end: `${key}\0` };
  return { start: key, end: rangeEnd === "\0" ? endOfKeys : rangeEnd };
}
