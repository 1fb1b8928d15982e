import type { Milliseconds } from "../../../base/index.ts";
import { fullTime, instantOf, parseLogLine } from "./log-line.ts";

/** What of a log is shown, and how. */
export interface LogSelection {
  readonly since?: Milliseconds;
  readonly timestamps?: boolean;
  readonly stream?: "stdout" | "stderr";
  readonly limitBytes?: number;
}

const newline = 10;
/** Runtimes cut lines at 16 KiB; a longer one without an end is no log. */
const longestLine = 1024 * 1024;

/** Turns the bytes of a log file into what the reader sees; partial lines are joined. */
export class LogOutput {
  private readonly selection: LogSelection;
  private pending: Buffer = Buffer.alloc(0);
  private remaining: number;
  private startsLine = true;

  constructor(selection: LogSelection) {
    this.selection = selection;
    this.remaining = selection.limitBytes ?? Infinity;
  }

  /** Whether the limit has been reached: nothing follows. */
  get done(): boolean {
    return this.remaining <= 0;
  }

  /** What is to be written for the next bytes of the file. */
  push(chunk: Buffer): Buffer {
    const bytes = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    const parts: Uint8Array[] = [];
    let at = 0;
    for (let end = bytes.indexOf(newline); end >= 0 && !this.done; end = bytes.indexOf(newline, at)) {
      this.line(bytes.subarray(at, end + 1), parts);
      at = end + 1;
    }
    // A copy: the reader uses its buffer again.
    this.pending = bytes.length - at > longestLine ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
    return Buffer.concat(parts);
  }

  /** The file was replaced: what is left of its last line is lost. */
  restart(): void {
    this.pending = Buffer.alloc(0);
  }

  private line(bytes: Buffer, parts: Uint8Array[]): void {
    const line = parseLogLine(bytes);
    const { since, stream, timestamps } = this.selection;
    if (!line || (stream !== undefined && line.stream !== stream)) return;
    if (since !== undefined && (instantOf(line.time) ?? since) < since) return;
    if (timestamps && this.startsLine) this.emit(Buffer.from(`${fullTime(line.time)} `), parts);
    this.emit(line.text, parts);
    this.startsLine = !line.partial;
  }

  private emit(bytes: Uint8Array, parts: Uint8Array[]): void {
    if (this.done) return;
    const piece = bytes.length > this.remaining ? bytes.subarray(0, this.remaining) : bytes;
    this.remaining -= piece.length;
    parts.push(piece);
  }
}
