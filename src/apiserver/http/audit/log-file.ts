import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { unlink } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock, Milliseconds } from "../../../base/index.ts";
import type { AuditBackend, OnLost } from "./auditor.ts";
import { jsonLine, legacyLine } from "./event.ts";
import type { AuditEvent } from "./event.ts";

export interface AuditLogOptions {
  /** `-`: standard output. */
  readonly path: string;
  readonly format?: "json" | "legacy";
  /** Megabytes after which a file is put aside; default: 100. */
  readonly maxSize?: number;
  /** Days after which files that were put aside go; default: never. */
  readonly maxAge?: number;
  /** How many files that were put aside stay; default: all. */
  readonly maxBackups?: number;
  /** Whether files that were put aside are compressed; default: false. */
  readonly compress?: boolean;
}

const defaultMegabytes = 100;
const bytesPerMegabyte = 1024 * 1024;
const day: Milliseconds = 24 * 60 * 60 * 1_000;
const standardOutput = 1;

/** Writes events to a file, one a line; a full one is put aside under its time. */
export class AuditLogFile implements AuditBackend {
  readonly name = "log";
  private readonly options: AuditLogOptions;
  private readonly clock: Clock;
  private readonly mostBytes: number;
  private readonly lineOf: (event: AuditEvent) => string;
  private readonly onLost: OnLost;
  /** Compresses one file after the other. */
  private compressing: Promise<void> = Promise.resolve();
  private file: { readonly descriptor: number; size: number } | undefined;

  constructor(
    options: AuditLogOptions,
    { clock, onLost }: { readonly clock: Clock; readonly onLost: OnLost },
  ) {
    this.options = options;
    this.clock = clock;
    this.onLost = onLost;
    this.mostBytes = (options.maxSize || defaultMegabytes) * bytesPerMegabyte;
    this.lineOf = options.format === "legacy" ? legacyLine : jsonLine;
    // Whoever cannot write should learn it at once.
    this.file = this.open();
  }

  write(event: AuditEvent): void {
    const bytes = Buffer.from(this.lineOf(event));
    this.file ??= this.open();
    if (this.file.descriptor !== standardOutput && this.file.size > 0) {
      if (this.file.size + bytes.length > this.mostBytes) this.rotate();
    }
    const file = (this.file ??= this.open());
    writeSync(file.descriptor, bytes);
    file.size += bytes.length;
  }

  async close(): Promise<void> {
    if (this.file && this.file.descriptor !== standardOutput) closeSync(this.file.descriptor);
    this.file = undefined;
    await this.compressing;
  }

  private open() {
    const { path } = this.options;
    if (path === "-") return { descriptor: standardOutput, size: 0 };
    mkdirSync(dirname(path), { recursive: true });
    const descriptor = openSync(path, "a", 0o600);
    return { descriptor, size: fstatSync(descriptor).size };
  }

  private rotate(): void {
    if (this.file) closeSync(this.file.descriptor);
    this.file = undefined;
    const { path, compress } = this.options;
    const aside = asidePath(path, this.clock.now());
    renameSync(path, aside);
    if (compress === true) this.compressing = this.compressing.then(() => this.compress(aside));
    for (const name of this.outdated()) unlinkSync(join(dirname(path), name));
  }

  private async compress(aside: string): Promise<void> {
    try {
      await pipeline(
        createReadStream(aside),
        createGzip(),
        createWriteStream(`${aside}.gz`, { mode: 0o600 }),
      );
      await unlink(aside);
    } catch (error) {
      // What is not compressed is still there, unless it has grown too old meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        this.onLost({ backend: this.name, count: 0, error });
      }
    }
  }

  /** Files that were put aside and that are too old or too many, the newest kept. */
  private outdated(): readonly string[] {
    const { path, maxAge = 0, maxBackups = 0 } = this.options;
    const aside = readdirSync(dirname(path))
      .flatMap((name) => {
        const at = asideTime(path, name);
        return at === undefined ? [] : [{ name, at }];
      })
      .sort((one, other) => other.at - one.at);
    const oldest = maxAge > 0 ? this.clock.now() - maxAge * day : -Infinity;
    return aside
      .filter(({ at }, index) => at < oldest || (maxBackups > 0 && index >= maxBackups))
      .map(({ name }) => name);
  }
}

/** `audit-2026-11-25T14-00-00.000.log`. */
function asidePath(path: string, now: Milliseconds): string {
  const extension = extname(path);
  const stamp = new Date(now).toISOString().replaceAll(":", "-").replace("Z", "");
  return join(dirname(path), `${basename(path, extension)}-${stamp}${extension}`);
}

/** When a file was put aside; undefined for other files. */
function asideTime(path: string, name: string): Milliseconds | undefined {
  const extension = extname(path);
  const prefix = `${basename(path, extension)}-`;
  const plain = name.replace(/\.gz$/, "");
  if (!plain.startsWith(prefix) || !plain.endsWith(extension)) return undefined;
  const stamp = plain.slice(prefix.length, plain.length - extension.length);
  const [date = "", time = ""] = stamp.split("T");
  const at = Date.parse(`${date}T${time.replaceAll("-", ":")}Z`);
  return Number.isNaN(at) ? undefined : at;
}
