import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock, Milliseconds } from "../../../base/index.ts";
import { LogOutput } from "./log-output.ts";
import type { LogSelection } from "./log-output.ts";

export interface ReadLogsOptions extends LogSelection {
  /** Lines of the file, counted from its end. */
  readonly tailLines?: number;
  readonly follow?: boolean;
  /** Whether the container may still write; asked while following. */
  readonly isRunning: () => Promise<boolean>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Settles when more may be written. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
}

const blockBytes = 64 * 1024;
/** How often a follower asks whether the container has ended: no event of the file system tells. */
const stateInterval: Milliseconds = 1000;

/** Writes a container's log; with `follow` until the container has ended or `signal` aborts. Rejects when there is no such file. */
export async function readLogs(path: string, options: ReadLogsOptions): Promise<void> {
  const { tailLines, follow, signal } = options;
  // Watching begins before reading, so that no change is missed.
  const changes = follow ? new FileChanges(path) : undefined;
  let file = await open(path, "r").catch((error: unknown) => {
    changes?.close();
    throw error;
  });
  const output = new LogOutput(options);
  const buffer = Buffer.allocUnsafe(blockBytes);
  try {
    let position = tailLines === undefined ? 0 : await tailStart(file, tailLines);
    let ended = !follow;
    while (!signal.aborted) {
      position = await pump(file, { position, output, buffer, options });
      if (output.done || !changes || signal.aborted) return;
      const replacement = await reopened(path, file);
      if (replacement) {
        await pump(file, { position, output, buffer, options });
        await file.close();
        file = replacement;
        position = 0;
        output.restart();
        continue;
      }
      // One more look after the container's end: its last lines may have come in between.
      if (ended) return;
      await changes.next({ clock: options.clock, signal });
      ended = !signal.aborted && changes.isDue(options.clock) && !(await options.isRunning());
    }
  } finally {
    changes?.close();
    await file.close();
  }
}

/** Writes from `position` to the file's present end; answers where that is. */
async function pump(
  file: FileHandle,
  run: { position: number; output: LogOutput; buffer: Buffer; options: ReadLogsOptions },
): Promise<number> {
  const { output, buffer, options } = run;
  let { position } = run;
  while (!options.signal.aborted && !output.done) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const text = output.push(buffer.subarray(0, bytesRead));
    if (text.length > 0) await options.write(text);
  }
  return position;
}

/** The file that has taken the place of `file` under its name, opened; undefined when none has. */
async function reopened(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  try {
    const [now, ours] = await Promise.all([stat(path), file.stat()]);
    if (now.ino === ours.ino && now.dev === ours.dev) return undefined;
    return await open(path, "r");
  } catch {
    // Between the removal of the old and the making of the new there is none.
    return undefined;
  }
}

/** Where the last `lines` lines begin; reads from the end, block by block. */
export async function tailStart(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines <= 0) return size;
  const buffer = Buffer.allocUnsafe(blockBytes);
  let found = 0;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - blockBytes);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (buffer[at] !== 10) continue;
      // The newline at the very end closes the last line and begins none.
      if (start + at === size - 1) continue;
      if (++found === lines) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

/** Tells of changes of a file, its replacement included. */
class FileChanges {
  private readonly watcher: FSWatcher;
  private changed = false;
  private wake: () => void = () => undefined;
  private lastLook = -Infinity;

  constructor(path: string) {
    // The folder: a watch of the file itself would stay with the old one when it is replaced.
    this.watcher = watch(dirname(path), { persistent: false }, () => this.notice());
    this.watcher.on("error", () => this.notice());
  }

  /** Settles at the next change, or when the container's state should be looked at. */
  async next({ clock, signal }: { clock: Clock; signal: AbortSignal }): Promise<void> {
    if (!this.changed && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        const timer = clock.after(stateInterval, resolve);
        signal.addEventListener("abort", () => resolve(), { once: true, signal: this.lifetime(timer) });
      });
      this.release?.();
    }
    this.changed = false;
  }

  /** Whether it is time to ask for the container's state. */
  isDue(clock: Clock): boolean {
    const now = clock.now();
    if (now - this.lastLook < stateInterval) return false;
    this.lastLook = now;
    return true;
  }

  close(): void {
    this.watcher.close();
  }

  private release: (() => void) | undefined;

  /** A signal that frees what one wait holds. */
  private lifetime(timer: { cancel(): void }): AbortSignal {
    const controller = new AbortController();
    this.release = () => {
      timer.cancel();
      controller.abort();
    };
    return controller.signal;
  }

  private notice(): void {
    this.changed = true;
    this.wake();
  }
}
