import type { Random } from "../../base/index.ts";
import type { Disk, DiskFile, OpenMode } from "./disk.ts";

/** A step of the disk, and what a test makes of it. */
export type Operation = "open" | "write" | "sync" | "truncate" | "rename" | "remove" | "syncDirectory";
export type Fault = "ok" | "crash" | "ENOSPC" | "EIO" | "short";

/** As the page cache shows a file, and as a crash would leave it at worst. */
interface Content {
  seen: Buffer;
  synced: Buffer;
}

type DirectoryEdit = (names: Map<string, Content>) => void;

/** The unit that a crash keeps or loses as a whole. */
const sector = 512;

function resized(before: Buffer, size: number): Buffer {
  const after = Buffer.alloc(size);
  before.copy(after);
  return after;
}

function written(before: Buffer, bytes: Uint8Array, position: number): Buffer {
  const after = resized(before, Math.max(before.length, position + bytes.length));
  after.set(bytes, position);
  return after;
}

/** For tests: a disk in memory that loses what was not synchronized when it crashes, and fails when told to. */
export class FaultDisk implements Disk {
  /** Decides each step; replace it to inject faults. */
  decide: (operation: Operation, name: string) => Fault | Promise<Fault> = () => "ok";
  private readonly random: Random;
  private seen = new Map<string, Content>();
  private synced = new Map<string, Content>();
  private unsynced: DirectoryEdit[] = [];
  private generation = 0;
  private isDown = false;

  constructor(random: Random) {
    this.random = random;
  }

  /** The files by name, to look at or to damage. */
  get files(): ReadonlyMap<string, Content> {
    return this.seen;
  }

  /** Whether a crash has happened that `restart` has not ended. */
  get isCrashed(): boolean {
    return this.isDown;
  }

  /** Power off and on: what was synchronized stays, of the rest chance decides, sector by sector. */
  restart(): void {
    for (const edit of this.unsynced) {
      if (this.random.next() < 0.5) break;
      edit(this.synced);
    }
    this.seen = new Map();
    for (const [name, content] of this.synced) {
      const bytes = this.torn(content);
      this.seen.set(name, { seen: bytes, synced: bytes });
    }
    this.synced = new Map(this.seen);
    this.unsynced = [];
    this.generation++;
    this.isDown = false;
  }

  lock(): Promise<() => Promise<void>> {
    return Promise.resolve(() => Promise.resolve());
  }

  async names(): Promise<readonly string[]> {
    return [...this.seen.keys()];
  }

  async open(name: string, mode: OpenMode): Promise<DiskFile> {
    await this.step("open", name);
    if (mode.create) {
      const made: Content = { seen: Buffer.alloc(0), synced: Buffer.alloc(0) };
      this.directoryEdit((names) => names.set(name, made));
    }
    const content = this.seen.get(name);
    if (!content) throw Object.assign(new Error(`ENOENT: ${name}`), { code: "ENOENT" });
    return this.fileOf(content, { name, isDurable: mode.durable });
  }

  async rename(from: string, to: string): Promise<void> {
    await this.step("rename", from);
    this.directoryEdit((names) => {
      const content = names.get(from);
      names.delete(from);
      if (content) names.set(to, content);
    });
  }

  async remove(name: string): Promise<void> {
    await this.step("remove", name);
    this.directoryEdit((names) => names.delete(name));
  }

  async syncDirectory(): Promise<void> {
    await this.step("syncDirectory", "");
    for (const edit of this.unsynced.splice(0)) edit(this.synced);
  }

  private fileOf(content: Content, options: { name: string; isDurable: boolean }): DiskFile {
    const { name, isDurable } = options;
    const { generation } = this;
    const write = (bytes: Uint8Array, position: number) => {
      content.seen = written(content.seen, bytes, position);
    };
    const truncate = (size: number) => {
      content.seen = resized(content.seen, size);
    };
    const requireCurrent = () => {
      if (generation !== this.generation) throw new Error("the file was opened before the crash");
    };
    return {
      size: async () => content.seen.length,
      read: async (position, length) => Buffer.from(content.seen.subarray(position, position + length)),
      write: async (bytes, position) => {
        requireCurrent();
        const copy = Buffer.from(bytes);
        const fault = await this.step("write", name, () => write(copy, position));
        const taken = fault === "short" ? copy.subarray(0, Math.ceil(copy.length / 2)) : copy;
        write(taken, position);
        // The length is journaled with the data; what else was written to the file may still be lost.
        if (isDurable)
          content.synced = written(resized(content.synced, content.seen.length), taken, position);
        return taken.length;
      },
      sync: async () => {
        requireCurrent();
        await this.step("sync", name);
        content.synced = content.seen;
      },
      truncate: async (size) => {
        requireCurrent();
        await this.step("truncate", name, () => truncate(size));
        truncate(size);
      },
      close: async () => {},
    };
  }

  private directoryEdit(edit: DirectoryEdit): void {
    edit(this.seen);
    this.unsynced.push(edit);
  }

  /** A crash in the middle of a step may leave part of it: `begun` makes it, unsynchronized. */
  private async step(operation: Operation, name: string, begun?: () => void): Promise<Fault> {
    const fault = this.isDown ? "crash" : await this.decide(operation, name);
    if (fault === "ok" || fault === "short") return fault;
    if (fault === "crash") {
      if (!this.isDown) begun?.();
      this.isDown = true;
      throw new Error("the machine has crashed");
    }
    // What a failed write has left nobody knows: some of it may be seen, and none of it is synchronized.
    if (fault === "EIO" && begun && this.random.next() < 0.5) begun();
    throw Object.assign(new Error(`${fault}: ${operation} ${name}`), { code: fault });
  }

  private torn({ seen, synced }: Content): Buffer {
    const mixed = resized(seen, this.random.next() < 0.5 ? seen.length : synced.length);
    const odds = this.random.next();
    for (let at = 0; at < mixed.length; at += sector) {
      if (this.random.next() < odds) continue;
      mixed.fill(0, at, Math.min(at + sector, mixed.length));
      if (at < synced.length) synced.copy(mixed, at, at, Math.min(at + sector, mixed.length));
    }
    return mixed;
  }
}
