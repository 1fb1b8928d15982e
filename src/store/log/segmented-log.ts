import type { Logger } from "../../base/index.ts";
import type { Revision } from "../store.ts";
import { type Disk, type DiskFile, isOutOfSpace, writeFully } from "./disk.ts";
import { encodeFileHeader, fileHeaderLength, formatVersion, sealFrame } from "./frame.ts";

/** One file of the log. */
export interface Segment {
  readonly number: number;
  /** Where its frames end. */
  readonly size: number;
  /** The newest revision in it, or before it where it has none. */
  readonly lastRevision: Revision;
  /** The format that it is written in. */
  readonly format: number;
}

interface Active {
  readonly number: number;
  /** Each write through it is durable when it settles. */
  readonly durable: DiskFile;
  /** The same file for filling with zeros ahead of time. */
  readonly plain: DiskFile;
  position: number;
  /** Up to here the file has blocks on the disk, so that a durable write changes no metadata. */
  allocated: number;
  lastRevision: Revision;
}

/** How often a frame is written of which the disk takes only part. */
const writeAttempts = 3;
const smallestAllocation = 256 * 1024;
const largestAllocation = 4 * 1024 * 1024;
const zeros = new Uint8Array(1024 * 1024);

/** The name of a log file. */
export const segmentName = (number: number): string => `log-${String(number).padStart(12, "0")}`;
/** What files are called until they are whole. */
export const draftSuffix = ".draft";

/** The append side of the log: one frame at a time, in files of bounded size. */
export class SegmentedLog {
  private readonly disk: Disk;
  private readonly logger: Logger;
  private readonly segmentBytes: number;
  private sealed: Segment[];
  private active: Active;
  private sequence: number;
  private allocating: Promise<void> | undefined;
  /** Part of a frame that failed stands behind the last one. */
  private hasTail = false;
  private mustRoll = false;
  private closing: Promise<void> = Promise.resolve();

  private constructor(options: LogOptions, state: { sealed: Segment[]; active: Active; sequence: number }) {
    this.disk = options.disk;
    this.logger = options.logger;
    this.segmentBytes = options.segmentBytes;
    this.sealed = state.sealed;
    this.active = state.active;
    this.sequence = state.sequence;
  }

  /** Goes on behind recovered segments, or starts the first. */
  static async open(
    options: LogOptions,
    recovered: { readonly segments: readonly Segment[]; readonly sequence: number },
  ): Promise<SegmentedLog> {
    const { disk } = options;
    const { segments, sequence } = recovered;
    const last = segments.at(-1);
    if (!last) {
      const active = await createSegment(disk, { number: 1, lastRevision: 0 });
      return new SegmentedLog(options, { sealed: [], active, sequence });
    }
    const { number, size, lastRevision } = last;
    const name = segmentName(number);
    const plain = await disk.open(name, { create: false, durable: false });
    // Whatever stood behind the last whole frame must not be taken for one later.
    await plain.truncate(size);
    await plain.sync();
    if (last.format < formatVersion) {
      // An older kubets must refuse what it does not know by the file's format, not as damage.
      await plain.close();
      const next = await createSegment(disk, { number: number + 1, lastRevision });
      return new SegmentedLog(options, { sealed: [...segments], active: next, sequence });
    }
    const durable = await disk.open(name, { create: false, durable: true });
    const active = { number, durable, plain, position: size, allocated: size, lastRevision };
    return new SegmentedLog(options, { sealed: segments.slice(0, -1), active, sequence });
  }

  /** Makes the frame durable; on an error nothing of it counts. The frame's header is filled in here. */
  async append(frame: Buffer, lastRevision: Revision): Promise<void> {
    if (this.hasTail) await this.cutTail();
    const isFull = this.active.position + frame.length > this.segmentBytes;
    if (this.active.position > fileHeaderLength && (isFull || this.mustRoll)) await this.roll();
    const { active } = this;
    const end = active.position + frame.length;
    // Zeros are being written from `allocated` on: the frame must not be under them.
    if (end > active.allocated) await this.allocating;
    sealFrame(frame, { file: active.number, offset: active.position, sequence: this.sequence + 1 });
    try {
      await this.writeAtOnce(active, frame);
    } catch (error) {
      this.hasTail = true;
      if (isOutOfSpace(error))
        await this.cutTail().catch(() =>
          this.logger.debug("A torn tail stays for now", { file: segmentName(active.number) }),
        );
      throw error;
    }
    this.sequence++;
    active.position = end;
    active.allocated = Math.max(active.allocated, end);
    active.lastRevision = lastRevision;
    this.allocating ??= this.allocateAhead(active);
  }

  /** Lets the next frame begin a new file, so that the one before it can go when it is not needed any more. */
  rollNext(): void {
    this.mustRoll = true;
  }

  /** The length of all frames. */
  get writtenBytes(): number {
    return this.sealed.reduce((sum, { size }) => sum + size, this.active.position);
  }

  /** The size of all files. */
  get allocatedBytes(): number {
    return this.sealed.reduce((sum, { size }) => sum + size, this.active.allocated);
  }

  /** Deletes the files that hold nothing newer than the revision, oldest first. */
  async removeThrough(revision: Revision): Promise<void> {
    for (let first = this.sealed[0]; first && first.lastRevision <= revision; first = this.sealed[0]) {
      await this.disk.remove(segmentName(first.number));
      this.sealed.shift();
    }
  }

  async close(): Promise<void> {
    await this.allocating;
    await this.closing;
    await this.retire(this.active);
  }

  private async roll(): Promise<void> {
    const before = this.active;
    const { number, lastRevision } = before;
    this.active = await createSegment(this.disk, { number: number + 1, lastRevision });
    this.mustRoll = false;
    this.sealed.push({ number, lastRevision, size: before.position, format: formatVersion });
    const { allocating } = this;
    this.allocating = undefined;
    this.closing = Promise.all([this.closing, allocating]).then(() => this.retire(before));
  }

  /** Gives back what was allocated and not used. A tail of zeros does no harm, so an error here does none. */
  private async retire(segment: Active): Promise<void> {
    const steps = [
      () => segment.plain.truncate(segment.position),
      () => segment.plain.close(),
      () => segment.durable.close(),
    ];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        this.logger.warn("A log file could not be closed well", { file: segmentName(segment.number), error });
      }
    }
  }

  /**
   * A frame is never written in parts: a crash between them would leave a sector that holds some of it, which
   * could not be told from damage.
   */
  private async writeAtOnce(active: Active, frame: Buffer): Promise<void> {
    for (let attempt = 0; attempt < writeAttempts; attempt++) {
      const taken = await active.durable.write(frame, active.position);
      if (taken === frame.length) return;
      await this.cutTail();
    }
    throw Object.assign(new Error("the disk takes only part of a write"), { code: "ENOSPC" });
  }

  /** Nothing but zeros may stand where a frame is written: of a torn one must be seen which sectors are missing. */
  private async cutTail(): Promise<void> {
    const { active } = this;
    await this.allocating;
    await active.plain.truncate(active.position);
    await active.plain.sync();
    active.allocated = active.position;
    this.hasTail = false;
  }

  private async allocateAhead(active: Active): Promise<void> {
    const step = Math.min(Math.max(active.position, smallestAllocation), largestAllocation);
    const { allocated } = active;
    const end = Math.min(allocated + step, Math.max(this.segmentBytes, allocated));
    if (allocated - active.position < step / 2 && end > allocated) {
      try {
        for (let at = allocated; at < end; at += zeros.length) {
          await writeFully(active.plain, zeros.subarray(0, Math.min(zeros.length, end - at)), at);
        }
        await active.plain.sync();
        active.allocated = end;
      } catch (error) {
        // Room ahead only saves time. What is missing, the next append will find out.
        this.logger.debug("No room was made ahead", { file: segmentName(active.number), error });
      }
    }
    if (this.active === active) this.allocating = undefined;
  }
}

/** What a log works on. */
export interface LogOptions {
  readonly disk: Disk;
  readonly logger: Logger;
  readonly segmentBytes: number;
}

/** A file appears under its name only with its header, so that a log file without one is damage. */
async function createSegment(
  disk: Disk,
  options: { readonly number: number; readonly lastRevision: Revision },
): Promise<Active> {
  const { number, lastRevision } = options;
  const name = segmentName(number);
  const header = encodeFileHeader("log", number);
  const opened: DiskFile[] = [];
  try {
    const plain = await disk.open(name + draftSuffix, { create: true, durable: false });
    opened.push(plain);
    await writeFully(plain, header, 0);
    await plain.sync();
    const durable = await disk.open(name + draftSuffix, { create: false, durable: true });
    opened.push(durable);
    await disk.rename(name + draftSuffix, name);
    await disk.syncDirectory();
    const position = header.length;
    return { number, durable, plain, position, allocated: position, lastRevision };
  } catch (error) {
    for (const file of opened) await file.close();
    throw error;
  }
}
