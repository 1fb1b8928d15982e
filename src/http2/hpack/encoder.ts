import { Buffer } from "node:buffer";
import { defaultTableBytes, entryOverhead, staticTable } from "./static-table.ts";

/** A value of several texts is a header of its own for each. */
export type HeaderList = Readonly<Record<string, string | number | readonly string[]>>;

/** Headers whose values differ from answer to answer would only push others out of the table. */
const unlikeEachOther: ReadonlySet<string> = new Set([
  "audit-id",
  "content-length",
  "date",
  "etag",
  "last-modified",
  "location",
  "set-cookie",
]);

/** The key of a header in the tables: no name holds what separates them. */
const keyOf = (name: string, value: string) => `${name}\n${value}`;

const staticNames = new Map<string, number>();
const staticHeaders = new Map<string, number>();
for (const [index, [name, value]] of staticTable.entries()) {
  if (!staticNames.has(name)) staticNames.set(name, index + 1);
  if (value !== "") staticHeaders.set(keyOf(name, value), index + 1);
}

/** The lengths of both texts of a header. */
const longestIntegers = 12;
/** No code unit takes more bytes. */
const bytesPerUnit = 3;
const shortText = 32;

/** What a block of these headers takes at most. */
export function encodedBound(status: number, headers: HeaderList): number {
  let size = longestIntegers + String(status).length;
  for (const name in headers) {
    const value = headers[name]!;
    if (typeof value === "object")
      for (const one of value) size += name.length + one.length * bytesPerUnit + longestIntegers;
    else size += name.length + String(value).length * bytesPerUnit + longestIntegers;
  }
  return size;
}

/** A value as it is sent, a character for each byte: UTF-8, without what could end a header. */
function sendable(value: string): string {
  if (/^[\t\x20-\x7e]*$/.test(value)) return value;
  return Buffer.from(value.replaceAll(/[^\t\x20-\x7e\x80-\u{10ffff}]/gu, " ")).toString("latin1");
}

/** Writes header blocks of one connection (RFC 7541); each must be sent, in order. */
export class HeaderEncoder {
  /** The headers in the table, the oldest first, and which of all that ever were in it each is. */
  private readonly entries = new Map<string, { readonly place: number; readonly size: number }>();
  private added = 0;
  private tableBytes = 0;
  private limit = defaultTableBytes;
  private smallest = defaultTableBytes;
  private isResized = false;
  private target: Buffer | undefined;
  private at = 0;

  /** Keeps the table within what the peer holds, from the next block on. */
  resize(limit: number): void {
    const kept = Math.min(limit, defaultTableBytes);
    if (kept === this.limit && !this.isResized) return;
    this.smallest = Math.min(this.isResized ? this.smallest : kept, kept);
    this.limit = kept;
    this.isResized = true;
    this.evict();
  }

  /** Writes a block into `target` from `at` on, where `encodedBound` must be free, and answers where it ends. */
  encode(
    target: Buffer,
    at: number,
    block: { readonly status: number; readonly headers: HeaderList },
  ): number {
    this.target = target;
    this.at = at;
    if (this.isResized) {
      if (this.smallest < this.limit) this.integer(0x20, 5, this.smallest);
      this.integer(0x20, 5, this.limit);
      this.isResized = false;
    }
    this.header(":status", String(block.status));
    const { headers } = block;
    for (const name in headers) {
      const value = headers[name]!;
      if (typeof value === "string") this.header(name, value);
      else if (typeof value === "number") this.header(name, String(value));
      else for (const one of value) this.header(name, one);
    }
    this.target = undefined;
    return this.at;
  }

  private header(name: string, value: string): void {
    if (unlikeEachOther.has(name)) return this.literal(0x00, 4, name, sendable(value));
    const key = keyOf(name, value);
    const entry = this.entries.get(key);
    const index = entry ? staticTable.length + this.added - entry.place : staticHeaders.get(key);
    if (index !== undefined) return this.integer(0x80, 7, index);
    const text = sendable(value);
    const size = name.length + text.length + entryOverhead;
    // One header must not push out all others.
    if (size > this.limit / 2) return this.literal(0x00, 4, name, text);
    this.literal(0x40, 6, name, text);
    this.entries.set(key, { place: this.added, size });
    this.added += 1;
    this.tableBytes += size;
    this.evict();
  }

  private evict(): void {
    for (const [key, { size }] of this.entries) {
      if (this.tableBytes <= this.limit) return;
      this.entries.delete(key);
      this.tableBytes -= size;
    }
  }

  private literal(flags: number, prefix: number, name: string, value: string): void {
    const known = staticNames.get(name);
    this.integer(flags, prefix, known ?? 0);
    if (known === undefined) this.string(name);
    this.string(value);
  }

  private string(text: string): void {
    const target = this.target!;
    this.integer(0x00, 7, text.length);
    const { length } = text;
    if (length < shortText) {
      let { at } = this;
      for (let index = 0; index < length; index += 1) target[at++] = text.charCodeAt(index);
      this.at = at;
    } else {
      this.at += target.write(text, this.at, length, "latin1");
    }
  }

  private integer(flags: number, prefix: number, value: number): void {
    const target = this.target!;
    const most = (1 << prefix) - 1;
    if (value < most) {
      target[this.at++] = flags | value;
      return;
    }
    target[this.at++] = flags | most;
    let rest = value - most;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[this.at++] = (rest % 0x80) | 0x80;
    target[this.at++] = rest;
  }
}
