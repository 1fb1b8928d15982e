import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import type { Clock, Milliseconds } from "../../../base/index.ts";
import type { AuditBackend } from "./auditor.ts";
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
  private file: { readonly descriptor: number; size: number } | undefined;

  constructor(options: AuditLogOptions, clock: Clock) {
    this.options = options;
    this.clock = clock;
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
    const { path } = this.options;
    renameSync(path, asidePath(path, this.clock.now()));
    for (const name of this.outdated()) unlinkSync(join(dirname(path), name));
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
  if (!name.startsWith(prefix) || !name.endsWith(extension)) return undefined;
  const stamp = name.slice(prefix.length, name.length - extension.length);
  const [date = "", time = ""] = stamp.split("T");
  const at = Date.parse(`${date}T${time.replaceAll("-", ":")}Z`);
  return Number.isNaN(at) ? undefined : at;
}
