import { planPut } from "../plan.ts";
import { type Key, type LeaseId, type Revision, StoreError, type Versioned } from "../store.ts";
import type { Disk } from "./disk.ts";
import {
  checkFileHeader,
  fileHeaderLength,
  type FileKind,
  findFrame,
  formatVersion,
  readFrame,
} from "./frame.ts";
import { decodeRecords, type LogRecord } from "./record.ts";
import { readWhole } from "./read.ts";
import { canBeTorn } from "./tear.ts";

/** A place that cannot be read, and why. */
export interface Damage {
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
}

/** One file of a store as it was found. */
export interface FileReport {
  readonly name: string;
  readonly bytes: number;
  readonly format: number;
  readonly frames: number;
}

/** A file of a store: what it is called, where it is now, and what it holds. */
export interface StoreFile {
  readonly name: string;
  readonly at: string;
  readonly kind: FileKind;
  readonly number: number;
}

/** The files of a store among the names, oldest first; `at` says where a file is that was set aside. */
export function storeFiles(
  names: readonly string[],
  at: (name: string) => string = (name) => name,
): readonly StoreFile[] {
  const files = names.toSorted().map((name): StoreFile | undefined => {
    const [, kind, digits] = /^(log|snapshot)-(\d{12}|\d{16})$/.exec(name) ?? [];
    if (kind !== "log" && kind !== "snapshot") return undefined;
    return { name, at: at(name), kind, number: Number(digits) };
  });
  return files.filter((file) => file !== undefined);
}

/** All that can still be read of a store's files, damage or not, and what is damaged. */
export class Salvage {
  readonly items = new Map<Key, Versioned>();
  readonly leases = new Map<LeaseId, number>();
  readonly files: FileReport[] = [];
  readonly damage: Damage[] = [];
  /** Revisions of which nothing is left, from and to. */
  readonly lost: (readonly [Revision, Revision])[] = [];
  /** A last write that a crash cut short; it was never acknowledged. */
  torn: Damage | undefined;
  revision: Revision = 1;
  compactedRevision: Revision = 0;
  private sequence = 0;
  private snapshotRevision: Revision = 0;

  /** Reads the newest snapshot and the log behind it. */
  async read(disk: Disk, files: readonly StoreFile[]): Promise<void> {
    const snapshot = files.findLast(({ kind }) => kind === "snapshot");
    const logs = files.filter(({ kind }) => kind === "log");
    if (snapshot) await this.file(disk, { ...snapshot, isLast: false });
    if (snapshot && logs.length === 0) {
      this.damage.push({
        file: snapshot.name,
        offset: 0,
        reason: "it has no log behind it: files were removed",
      });
    }
    this.sequence = 0;
    for (const [index, log] of logs.entries()) {
      const before = logs[index - 1];
      if (before && log.number !== before.number + 1) {
        this.damage.push({ file: log.name, offset: 0, reason: "the log file before it is missing" });
        this.sequence = 0;
      }
      await this.file(disk, { ...log, isLast: index === logs.length - 1 });
    }
  }

  private async file(disk: Disk, file: StoreFile & { readonly isLast: boolean }): Promise<void> {
    const { name, kind, number, at } = file;
    const bytes = await readWhole(disk, at);
    let format = formatVersion;
    try {
      format = checkFileHeader(bytes, { kind, number, path: name });
    } catch (error) {
      if (!(error instanceof StoreError) || error.type !== "corrupt") throw error;
      this.damage.push({ file: name, offset: 0, reason: "the file's header is damaged" });
    }
    const frames = this.frames(bytes, { ...file, format });
    this.files.push({ name, bytes: bytes.length, format, frames });
  }

  private frames(
    bytes: Buffer,
    file: StoreFile & { readonly isLast: boolean; readonly format: number },
  ): number {
    const { name, number, format } = file;
    let frames = 0;
    let offset = fileHeaderLength;
    for (;;) {
      const frame = readFrame(bytes, { file: number, format, offset });
      if (frame.type === "end") return frames;
      if (frame.type === "frame") {
        frames++;
        this.frame(frame, { file: name, offset, kind: file.kind });
        offset = frame.next;
        continue;
      }
      const following = findFrame(bytes, { file: number, format, offset });
      const damage = { file: name, offset, reason: frame.reason };
      const isTorn =
        file.isLast && following === undefined && canBeTorn(bytes, { file: number, format, offset });
      if (isTorn) this.torn = damage;
      else this.damage.push(damage);
      if (following === undefined) return frames;
      // What is missing is told once, by this damage.
      this.sequence = 0;
      offset = following;
    }
  }

  private frame(
    frame: { readonly sequence: number; readonly records: Buffer },
    place: { readonly file: string; readonly offset: number; readonly kind: FileKind },
  ): void {
    const { file, offset, kind } = place;
    if (this.sequence > 0 && frame.sequence !== this.sequence + 1) {
      const reason = `frame ${frame.sequence} follows frame ${this.sequence}: frames are missing`;
      this.damage.push({ file, offset, reason });
    }
    this.sequence = frame.sequence;
    try {
      decodeRecords(frame.records, (record) => this.record(record, kind));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.damage.push({ file, offset, reason: error.message });
    }
  }

  private record(record: LogRecord, kind: FileKind): void {
    switch (record.type) {
      case "put":
      case "delete":
        if (kind === "log" && record.revision > this.snapshotRevision) this.change(record);
        return;
      case "entry":
        this.items.set(record.versioned.key, record.versioned);
        return;
      case "snapshot":
        this.revision = Math.max(record.revision, 1);
        this.snapshotRevision = record.revision;
        this.compactedRevision = record.revision;
        return;
      case "compact":
        this.compactedRevision = Math.max(this.compactedRevision, record.through);
        return;
      case "grant":
        this.leases.set(record.lease, record.timeToLive);
        return;
      case "revoke":
        this.leases.delete(record.lease);
        return;
      case "remaining":
      case "end":
    }
  }

  private change(record: LogRecord & { type: "put" | "delete" }): void {
    const { revision, key } = record;
    if (revision > this.revision + 1) this.lost.push([this.revision + 1, revision - 1]);
    this.revision = Math.max(this.revision, revision);
    if (record.type === "delete") {
      this.items.delete(key);
      return;
    }
    const change = planPut(record, { before: this.items.get(key), revision });
    if (change.type === "put") this.items.set(key, change.current);
  }
}
