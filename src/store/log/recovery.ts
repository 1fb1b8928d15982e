import { invariant, type Logger } from "../../base/index.ts";
import type { Keyspace } from "../keyspace.ts";
import type { LeaseTable } from "../lease-table.ts";
import { type Change, type Revision, StoreError, type Versioned } from "../store.ts";
import type { Disk } from "./disk.ts";
import {
  checkFileHeader,
  corrupt,
  fileHeaderLength,
  findFrame,
  type FramePlace,
  type FrameRead,
  readFrame,
  repairHint,
} from "./frame.ts";
import { planPut } from "../plan.ts";
import { readWhole } from "./read.ts";
import { decodeRecords, type LogRecord } from "./record.ts";
import { repairMark } from "./repair-mark.ts";
import { draftSuffix, type Segment, segmentName } from "./segmented-log.ts";
import { decodeSnapshot, snapshotName } from "./snapshot.ts";
import { canBeTorn } from "./tear.ts";

/** What the files say beyond keys and leases. */
export interface Recovered {
  readonly segments: readonly Segment[];
  readonly sequence: number;
  readonly snapshot: { readonly revision: Revision; readonly size: number } | undefined;
}

/** Where recovered state goes. */
export interface Target {
  readonly keyspace: Keyspace;
  readonly leases: LeaseTable;
}

/** Fills an empty keyspace from the newest snapshot and the log behind it, and clears away half-made files. */
export async function recover(
  target: Target,
  options: { readonly disk: Disk; readonly logger: Logger; readonly directory: string },
): Promise<Recovered> {
  const { disk } = options;
  target.keyspace.beginReplay();
  // A process that ended while it made a file may have left a name that is not on disk: what is written there would go with it.
  await disk.syncDirectory();
  const names = await disk.names();
  if (names.includes(repairMark)) {
    const message = `a repair of ${options.directory} was interrupted; begin it again: "kubets store repair --dir ${options.directory}"`;
    throw new StoreError("corrupt", message);
  }
  for (const name of names) if (name.endsWith(draftSuffix)) await disk.remove(name);
  const snapshots = numbersOf(names, /^snapshot-(\d{16})$/);
  const revision = snapshots.at(-1);
  const snapshot =
    revision === undefined ? undefined : await restoreSnapshot(target, { ...options, revision });
  for (const older of snapshots.slice(0, -1)) await disk.remove(snapshotName(older));

  const numbers = numbersOf(names, /^log-(\d{12})$/);
  if (snapshot && numbers.length === 0) {
    const { directory } = options;
    const message = `${directory} has a snapshot and no log: files were removed; ${repairHint(directory)}`;
    throw new StoreError("corrupt", message);
  }
  const replay = new LogReplay(target, snapshot?.revision ?? 0);
  const segments: Segment[] = [];
  const files = readAll(
    disk,
    numbers.map((number) => segmentName(number)),
  );
  for (const [index, number] of numbers.entries()) {
    const path = `${options.directory}/${segmentName(number)}`;
    if (index > 0 && number !== numbers[index - 1]! + 1) {
      throw corrupt({ path, offset: 0, reason: "the log file before it is missing" });
    }
    const { value: bytes } = await files.next();
    invariant(bytes, "a file is read for each number");
    const isLast = index === numbers.length - 1;
    segments.push(replay.segment(bytes, { path, number, isLast, logger: options.logger }));
  }
  target.keyspace.endReplay();
  releaseFiles(target.keyspace);
  return { segments, sequence: replay.sequence, snapshot };
}

function numbersOf(names: readonly string[], pattern: RegExp): readonly number[] {
  const found = names.map((name) => pattern.exec(name)?.[1]).filter((digits) => digits !== undefined);
  return found.map(Number).toSorted((left, right) => left - right);
}

async function restoreSnapshot(
  target: Target,
  options: { readonly disk: Disk; readonly directory: string; readonly revision: Revision },
): Promise<{ readonly revision: Revision; readonly size: number }> {
  const { disk, directory, revision } = options;
  const name = snapshotName(revision);
  const snapshot = decodeSnapshot(await readWhole(disk, name), { path: `${directory}/${name}`, revision });
  target.keyspace.restore(snapshot);
  target.leases.lastId = snapshot.lastLease;
  for (const { id, timeToLive, noted } of snapshot.leases) {
    target.leases.add(id, timeToLive);
    target.leases.note(id, noted);
  }
  for (const { key, lease } of snapshot.items) if (lease !== undefined) target.leases.attach(lease, key);
  return { revision, size: snapshot.size };
}

/** The files' contents; the next one is being read while one is worked on. */
async function* readAll(disk: Disk, names: readonly string[]): AsyncGenerator<Buffer, undefined> {
  const read = (at: number) => {
    const name = names[at];
    const reading = name === undefined ? undefined : readWhole(disk, name);
    // Whoever asks for it learns of the error; if nobody does, another one came before.
    reading?.catch(() => {});
    return reading;
  };
  let next = read(0);
  for (let at = 1; next; at++) {
    const bytes: Buffer = await next;
    next = read(at);
    yield bytes;
  }
  return undefined;
}

/** Makes the log's changes again, in order, skipping what the snapshot already has. */
class LogReplay {
  private readonly target: Target;
  private readonly snapshotRevision: Revision;
  private lastRevision: Revision = 0;
  /** The revision before the frame at hand. */
  private frameStart: Revision = 0;
  /** How many changes of the newest revision have been made. */
  private made = 0;
  /** The sequence of the last frame; 0 before the first. */
  sequence = 0;

  constructor(target: Target, snapshotRevision: Revision) {
    this.target = target;
    this.snapshotRevision = snapshotRevision;
  }

  segment(
    bytes: Buffer,
    file: {
      readonly path: string;
      readonly number: number;
      readonly isLast: boolean;
      readonly logger: Logger;
    },
  ): Segment {
    const { path, number } = file;
    const format = checkFileHeader(bytes, { kind: "log", number, path });
    let offset = fileHeaderLength;
    for (;;) {
      const frame = readFrame(bytes, { file: number, format, offset });
      if (frame.type === "frame") {
        this.frame(frame, { path, offset });
        offset = frame.next;
        continue;
      }
      if (frame.type === "damaged")
        requireTorn(bytes, { ...file, place: { file: number, format, offset }, reason: frame.reason });
      return { number, size: offset, lastRevision: this.lastRevision, format };
    }
  }

  private frame(frame: FrameRead & { type: "frame" }, place: { path: string; offset: number }): void {
    if (this.sequence > 0 && frame.sequence !== this.sequence + 1) {
      const reason = `frame ${frame.sequence} follows frame ${this.sequence}: frames are missing`;
      throw corrupt({ ...place, reason });
    }
    this.sequence = frame.sequence;
    this.frameStart = this.target.keyspace.revision;
    try {
      decodeRecords(frame.records, (record) => this.record(record));
    } catch (error) {
      if (error instanceof RangeError) throw corrupt({ ...place, reason: error.message });
      throw error;
    }
  }

  private record(record: LogRecord): void {
    const { keyspace, leases } = this.target;
    switch (record.type) {
      case "put":
      case "delete":
        this.lastRevision = record.revision;
        if (record.revision > this.snapshotRevision) this.change(record);
        return;
      case "compact":
        if (record.through > keyspace.compactedRevision) keyspace.compact(record.through);
        return;
      case "grant":
        leases.add(record.lease, record.timeToLive);
        return;
      case "revoke":
        leases.remove(record.lease);
        return;
      case "remaining":
        leases.note(record.lease, record.remaining);
        return;
      case "snapshot":
      case "entry":
      case "end":
        throw new RangeError(`a ${record.type} record in the log`);
    }
  }

  private change(record: LogRecord & { type: "put" | "delete" }): void {
    const { keyspace, leases } = this.target;
    // Changes of one revision stand in one frame.
    const continues = record.revision === keyspace.revision && record.revision > this.frameStart;
    if (record.revision !== keyspace.revision + 1 && !continues) {
      throw new RangeError(`revision ${record.revision} follows revision ${keyspace.revision}`);
    }
    this.made = continues ? this.made + 1 : 1;
    const change = changeOf(record, { previous: keyspace.current(record.key), place: this.made - 1 });
    keyspace.apply(change);
    leases.track(change);
  }
}

function changeOf(
  record: LogRecord & { type: "put" | "delete" },
  { previous, place }: { readonly previous: Versioned | undefined; readonly place: number },
): Change {
  if (record.type === "delete") {
    if (!previous) throw new RangeError(`revision ${record.revision} deletes a key that does not exist`);
    return { type: "delete", key: record.key, revision: record.revision, previous };
  }
  return planPut(record, { before: previous, revision: record.revision, place });
}

/** A file whose values are alive to at least this part stays in memory for them. */
const worthKeeping = 0.5;

/** Copies values out of files of which little is alive, so that the rest of those does not stay in memory. */
function releaseFiles(keyspace: Keyspace): void {
  const alive = new Map<ArrayBufferLike, number>();
  keyspace.visit(({ value: { buffer, length } }) => alive.set(buffer, (alive.get(buffer) ?? 0) + length));
  const slabs = new Map<ArrayBufferLike, { readonly bytes: Uint8Array; used: number }>();
  for (const [buffer, length] of alive) {
    if (length < buffer.byteLength * worthKeeping)
      slabs.set(buffer, { bytes: new Uint8Array(length), used: 0 });
  }
  if (slabs.size === 0) return;
  keyspace.visit((versioned) => {
    const { value } = versioned;
    const slab = slabs.get(value.buffer);
    if (!slab) return;
    const copy = slab.bytes.subarray(slab.used, slab.used + value.length);
    copy.set(value);
    slab.used += value.length;
    // Nobody else has seen it yet.
    Object.assign(versioned, { value: copy });
  });
}

/** Only the end of the last file may be torn, and only as a crash tears: a frame is written when the one before it is on disk. */
function requireTorn(
  bytes: Buffer,
  file: {
    readonly path: string;
    readonly isLast: boolean;
    readonly place: FramePlace;
    readonly reason: string;
    readonly logger: Logger;
  },
): void {
  const { path, place, reason } = file;
  const { offset } = place;
  if (!file.isLast) throw corrupt({ path, offset, reason: `${reason}, and another log file follows` });
  const following = findFrame(bytes, place);
  if (following !== undefined) {
    throw corrupt({ path, offset, reason: `${reason}, and a whole frame follows at byte ${following}` });
  }
  if (!canBeTorn(bytes, place)) {
    throw corrupt({ path, offset, reason: `${reason}, though it was written whole` });
  }
  file.logger.warn("Cut off a write that a crash had torn; it was never acknowledged", {
    path,
    offset,
    reason,
  });
}
