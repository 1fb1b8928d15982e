import type { Milliseconds } from "../../base/index.ts";
import { type Change, type Key, type LeaseId, type Revision, type Versioned } from "../store.ts";

/** What the log and its snapshots consist of. */
export type LogRecord =
  | {
      readonly type: "put";
      readonly revision: Revision;
      readonly key: Key;
      readonly value: Uint8Array;
      readonly lease?: LeaseId;
    }
  | { readonly type: "delete"; readonly revision: Revision; readonly key: Key }
  | { readonly type: "compact"; readonly through: Revision }
  | { readonly type: "grant"; readonly lease: LeaseId; readonly timeToLive: Milliseconds }
  | { readonly type: "revoke"; readonly lease: LeaseId }
  /** What was left of a lease's time; undefined: all of it again. */
  | {
      readonly type: "remaining";
      readonly lease: LeaseId;
      readonly remaining: Milliseconds | undefined;
    }
  /** The first record of a snapshot. */
  | { readonly type: "snapshot"; readonly revision: Revision; readonly lastLease: number }
  | { readonly type: "entry"; readonly versioned: Versioned }
  /** The last record of a snapshot. */
  | { readonly type: "end"; readonly entries: number };

const codes = {
  put: 1,
  delete: 2,
  compact: 3,
  grant: 4,
  revoke: 5,
  snapshot: 6,
  entry: 7,
  end: 8,
  remaining: 9,
  /** An entry with its place among the changes of its revision. */
  placedEntry: 10,
} as const;

/** How all of a lease's time is written. */
const allOfIt = -1;

/** Bytes that a record takes besides its texts and its value, at most. */
const overhead = 64;
const initialCapacity = 64 * 1024;

/** The record of a change. */
export function recordOf(change: Change): LogRecord {
  if (change.type === "delete") return { type: "delete", revision: change.revision, key: change.key };
  const { key, value, modRevision: revision, lease } = change.current;
  return lease === undefined
    ? { type: "put", revision, key, value }
    : { type: "put", revision, key, value, lease };
}

function codeOf(record: LogRecord): number {
  const isPlaced = record.type === "entry" && record.versioned.place !== undefined;
  return isPlaced ? codes.placedEntry : codes[record.type];
}

/** Encoded records in one growing buffer, with room in front for the frame's header. */
export class RecordWriter {
  private buffer: Buffer = Buffer.allocUnsafe(initialCapacity);
  private readonly headroom: number;
  private at: number;

  constructor(headroom: number) {
    this.headroom = headroom;
    this.at = headroom;
  }

  get length(): number {
    return this.at - this.headroom;
  }

  /** The headroom and all records; valid until the next `add` or `clear`. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  clear(): void {
    this.at = this.headroom;
  }

  add(record: LogRecord): void {
    this.reserve(record);
    this.buffer[this.at++] = codeOf(record);
    switch (record.type) {
      case "put":
        this.number(record.revision);
        this.text(record.lease ?? "");
        this.text(record.key);
        return this.value(record.value);
      case "delete":
        this.number(record.revision);
        return this.text(record.key);
      case "compact":
        return this.number(record.through);
      case "grant":
        this.text(record.lease);
        return this.number(record.timeToLive);
      case "revoke":
        return this.text(record.lease);
      case "remaining":
        this.text(record.lease);
        return this.number(record.remaining ?? allOfIt);
      case "snapshot":
        this.number(record.revision);
        return this.number(record.lastLease);
      case "entry":
        return this.versioned(record.versioned);
      case "end":
        return this.number(record.entries);
    }
  }

  private versioned(versioned: Versioned): void {
    if (versioned.place !== undefined) this.number(versioned.place);
    this.number(versioned.createRevision);
    this.number(versioned.modRevision);
    this.number(versioned.version);
    this.text(versioned.lease ?? "");
    this.text(versioned.key);
    this.value(versioned.value);
  }

  private reserve(record: LogRecord): void {
    let need = overhead;
    const content = record.type === "entry" ? record.versioned : record;
    if ("key" in content) need += content.key.length * 3;
    if ("value" in content) need += content.value.length;
    if ("lease" in content && content.lease !== undefined) need += content.lease.length * 3;
    if (this.at + need <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + need));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }

  // Revisions and times are whole and fractional numbers up to 2^53: a double holds both.
  private number(value: number): void {
    this.at = this.buffer.writeDoubleLE(value, this.at);
  }

  private text(value: string): void {
    const length = this.buffer.write(value, this.at + 4, "utf8");
    this.buffer.writeUInt32LE(length, this.at);
    this.at += 4 + length;
  }

  private value(value: Uint8Array): void {
    this.at = this.buffer.writeUInt32LE(value.length, this.at);
    this.buffer.set(value, this.at);
    this.at += value.length;
  }
}

/** Reads the records of one frame, whose values stay part of it; throws RangeError when they do not fill it exactly. */
export function decodeRecords(body: Buffer, visit: (record: LogRecord) => void): void {
  const reader = new RecordReader(body);
  while (!reader.isAtEnd) visit(reader.next());
}

class RecordReader {
  private readonly body: Buffer;
  private at = 0;

  constructor(body: Buffer) {
    this.body = body;
  }

  get isAtEnd(): boolean {
    return this.at >= this.body.length;
  }

  next(): LogRecord {
    const code = this.body[this.at++];
    switch (code) {
      case codes.put:
        return this.put();
      case codes.delete:
        return { type: "delete", revision: this.number(), key: this.text() };
      case codes.compact:
        return { type: "compact", through: this.number() };
      case codes.grant:
        return { type: "grant", lease: this.text(), timeToLive: this.number() };
      case codes.revoke:
        return { type: "revoke", lease: this.text() };
      case codes.remaining:
        return this.remaining();
      case codes.snapshot:
        return { type: "snapshot", revision: this.number(), lastLease: this.number() };
      case codes.entry:
        return { type: "entry", versioned: this.versioned() };
      case codes.placedEntry: {
        const place = this.number();
        return { type: "entry", versioned: { ...this.versioned(), place } };
      }
      case codes.end:
        return { type: "end", entries: this.number() };
      default:
        throw new RangeError(`unknown record type ${code}`);
    }
  }

  private put(): LogRecord {
    const revision = this.number();
    const lease = this.text();
    const key = this.text();
    const value = this.value();
    return lease === ""
      ? { type: "put", revision, key, value }
      : { type: "put", revision, key, value, lease };
  }

  private remaining(): LogRecord {
    const lease = this.text();
    const remaining = this.number();
    return { type: "remaining", lease, remaining: remaining === allOfIt ? undefined : remaining };
  }

  private versioned(): Versioned {
    const createRevision = this.number();
    const modRevision = this.number();
    const version = this.number();
    const lease = this.text();
    const key = this.text();
    const value = this.value();
    return lease === ""
      ? { key, value, createRevision, modRevision, version }
      : { key, value, createRevision, modRevision, version, lease };
  }

  private number(): number {
    const value = this.body.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }

  private span(): number {
    const length = this.body.readUInt32LE(this.at);
    this.at += 4;
    if (this.at + length > this.body.length) throw new RangeError("a record is longer than its frame");
    this.at += length;
    return length;
  }

  private text(): string {
    const length = this.span();
    return this.body.toString("utf8", this.at - length, this.at);
  }

  private value(): Uint8Array {
    const length = this.span();
    return new Uint8Array(this.body.buffer, this.body.byteOffset + this.at - length, length);
  }
}
