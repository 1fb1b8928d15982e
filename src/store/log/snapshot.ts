import type { Milliseconds } from "../../base/index.ts";
import type { Keyspace } from "../keyspace.ts";
import type { LeaseTable } from "../lease-table.ts";
import type { Key, LeaseId, Revision, Versioned } from "../store.ts";
import { type Disk, type DiskFile, writeFully } from "./disk.ts";
import {
  checkFileHeader,
  corrupt,
  encodeFileHeader,
  fileHeaderLength,
  frameHeaderLength,
  readFrame,
  sealFrame,
} from "./frame.ts";
import { decodeRecords, type LogRecord, RecordWriter } from "./record.ts";
import { draftSuffix } from "./segmented-log.ts";

/** The name of the snapshot of a revision. */
export const snapshotName = (revision: Revision): string => `snapshot-${String(revision).padStart(16, "0")}`;

/** How many items are encoded between two turns of the event loop. */
const itemsAtOnce = 500;
const frameBytes = 1024 * 1024;
/** Synchronizing now and then keeps one long sync from holding up the log's. */
const syncEvery = 8 * frameBytes;

/** What a snapshot holds. */
export interface Snapshot {
  readonly revision: Revision;
  readonly lastLease: number;
  readonly items: readonly Versioned[];
  readonly leases: readonly {
    readonly id: LeaseId;
    readonly timeToLive: Milliseconds;
    readonly noted: Milliseconds | undefined;
  }[];
  /** The file's length. */
  readonly size: number;
}

/**
 * Writes what the keyspace held at the revision, in turns between which reads and writes go on; the revision must
 * stay readable. Returns the file's size, or undefined when the signal aborted. The file has its name when it is whole.
 */
export async function writeSnapshot(
  state: { readonly keyspace: Keyspace; readonly leases: LeaseTable; readonly revision: Revision },
  options: { readonly disk: Disk; readonly signal: AbortSignal },
): Promise<number | undefined> {
  const { disk, signal } = options;
  const name = snapshotName(state.revision);
  const file = await disk.open(name + draftSuffix, { create: true, durable: false });
  let size: number | undefined;
  try {
    size = await writeState(file, state, signal);
  } finally {
    await file.close();
  }
  if (size === undefined) {
    await disk.remove(name + draftSuffix);
    return undefined;
  }
  await disk.rename(name + draftSuffix, name);
  await disk.syncDirectory();
  return size;
}

async function writeState(
  file: DiskFile,
  state: { readonly keyspace: Keyspace; readonly leases: LeaseTable; readonly revision: Revision },
  signal: AbortSignal,
): Promise<number | undefined> {
  const { keyspace, leases, revision } = state;
  const output = new FrameOutput(file, revision);
  await output.start();
  output.add({ type: "snapshot", revision, lastLease: leases.lastId });
  for (const { id: lease, timeToLive, noted } of leases.all()) {
    output.add({ type: "grant", lease, timeToLive });
    if (noted !== undefined) output.add({ type: "remaining", lease, remaining: noted });
  }
  let after: Key | undefined;
  let entries = 0;
  for (;;) {
    if (signal.aborted) return undefined;
    const items = keyspace.items({ at: revision, after, limit: itemsAtOnce });
    for (const versioned of items) output.add({ type: "entry", versioned });
    entries += items.length;
    after = items.at(-1)?.key;
    if (items.length < itemsAtOnce) break;
    if (output.isFrameFull) await output.flush();
    else await new Promise((resolve) => setImmediate(resolve));
  }
  output.add({ type: "end", entries });
  await output.flush();
  await file.sync();
  return output.size;
}

class FrameOutput {
  private readonly file: DiskFile;
  private readonly number: number;
  private readonly records = new RecordWriter(frameHeaderLength);
  private sequence = 0;
  private unsynced = 0;
  size = 0;

  constructor(file: DiskFile, number: number) {
    this.file = file;
    this.number = number;
  }

  async start(): Promise<void> {
    const header = encodeFileHeader("snapshot", this.number);
    await writeFully(this.file, header, 0);
    this.size = header.length;
  }

  get isFrameFull(): boolean {
    return this.records.length >= frameBytes;
  }

  add(record: LogRecord): void {
    this.records.add(record);
  }

  async flush(): Promise<void> {
    const frame = this.records.bytes;
    sealFrame(frame, { file: this.number, offset: this.size, sequence: ++this.sequence });
    await writeFully(this.file, frame, this.size);
    this.size += frame.length;
    this.unsynced += frame.length;
    this.records.clear();
    if (this.unsynced < syncEvery) return;
    await this.file.sync();
    this.unsynced = 0;
  }
}

/** Reads a snapshot; whatever is not as it was written is damage. */
export function decodeSnapshot(
  bytes: Buffer,
  file: { readonly path: string; readonly revision: Revision },
): Snapshot {
  const { path, revision } = file;
  const format = checkFileHeader(bytes, { kind: "snapshot", number: revision, path });
  const items: Versioned[] = [];
  const leases = new Map<LeaseId, Snapshot["leases"][number]>();
  let lastLease = 0;
  const seen: { entries?: number } = {};
  const note = (id: LeaseId, known: Partial<Snapshot["leases"][number]>) => {
    leases.set(id, { timeToLive: 0, noted: undefined, ...leases.get(id), ...known, id });
  };
  const visit = (record: LogRecord) => {
    if (record.type === "snapshot") lastLease = record.lastLease;
    else if (record.type === "grant") note(record.lease, { timeToLive: record.timeToLive, noted: undefined });
    else if (record.type === "remaining") note(record.lease, { noted: record.remaining });
    else if (record.type === "entry") items.push(record.versioned);
    else if (record.type === "end") seen.entries = record.entries;
    else throw new RangeError(`a ${record.type} record in a snapshot`);
  };
  let offset = fileHeaderLength;
  for (let sequence = 1; seen.entries === undefined; sequence++) {
    const frame = readFrame(bytes, { file: revision, format, offset });
    if (frame.type === "damaged") throw corrupt({ path, offset, reason: frame.reason });
    if (frame.type === "end") throw corrupt({ path, offset, reason: "the snapshot ends too early" });
    if (frame.sequence !== sequence) throw corrupt({ path, offset, reason: "a frame is missing" });
    decodeRecords(frame.records, visit);
    offset = frame.next;
  }
  if (seen.entries !== items.length) throw corrupt({ path, offset, reason: "the snapshot lacks entries" });
  return { revision, lastLease, items, leases: [...leases.values()], size: bytes.length };
}
