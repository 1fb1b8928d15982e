import type { Key } from "../../store/index.ts";

/** A range on the wire: text with one unit a byte. Without `rangeEnd` it is one key; `"\0"` ends after the last one. */
export interface WireRange {
  readonly key: string;
  readonly rangeEnd: string;
}

/** Every key there is. */
export const everything: WireRange = { key: "\0", rangeEnd: "\0" };

/** Where a store's keys lie in etcd: the start `ours` of its keys is `theirs` there. */
export interface KeyPlace {
  readonly ours: string;
  readonly theirs: string;
}

/** Keys to and from etcd's bytes, which are UTF-8. */
export class KeyMap {
  private readonly ours: string;
  private readonly theirs: string;

  constructor(place: KeyPlace) {
    this.ours = place.ours;
    this.theirs = utf8(place.theirs);
  }

  toWire(key: Key): string {
    // A prefix may be shorter than the part that is exchanged: then all there is starts with it.
    if (this.ours.startsWith(key)) return this.theirs;
    return this.theirs + utf8(key.slice(this.ours.length));
  }

  /** The key, or undefined for what is not the store's. */
  fromWire(wire: string): Key | undefined {
    return wire.startsWith(this.theirs) ? this.ours + text(wire.slice(this.theirs.length)) : undefined;
  }

  /** The keys that start with `prefix`, after the key `after`. */
  range(prefix: Key, after?: Key): WireRange {
    const start = this.toWire(prefix);
    const behind = after === undefined ? "" : `${this.toWire(after)}\0`;
    return { key: (behind > start ? behind : start) || "\0", rangeEnd: endOf(start) };
  }
}

/** The first key behind all that start with the prefix. */
function endOf(prefix: string): string {
  let length = prefix.length;
  while (length > 0 && prefix.charCodeAt(length - 1) === 255) length--;
  if (length === 0) return "\0";
  return prefix.slice(0, length - 1) + String.fromCharCode(prefix.charCodeAt(length - 1) + 1);
}

// eslint-disable-next-line no-control-regex
const ascii = /^[\0-\x7f]*$/;
const utf8 = (key: string) => (ascii.test(key) ? key : Buffer.from(key, "utf8").toString("latin1"));
const text = (wire: string) => (ascii.test(wire) ? wire : Buffer.from(wire, "latin1").toString("utf8"));
