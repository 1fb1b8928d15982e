import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock, Logger, Milliseconds } from "../base/index.ts";
import type { CriClient } from "../cri/index.ts";

/** Upstream's limits: a log is rotated beyond 10 MiB, and a container has 5 files of it at most. */
const largestLog = 10 * 1024 * 1024;
const filesKept = 5;
const checkInterval: Milliseconds = 10_000;

/** A running container and the file that the runtime writes its output to. */
export interface LoggingContainer {
  readonly id: string;
  readonly logPath: string;
}

export interface LogRotationOptions {
  readonly cri: Pick<CriClient, "reopenContainerLog">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly containers: () => readonly LoggingContainer[];
}

/** Keeps the logs of running containers within bounds until `signal` aborts. */
export async function rotateLogs(options: LogRotationOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger } = options;
  while (!signal.aborted) {
    await clock.sleep(checkInterval, signal).catch(() => undefined);
    for (const container of signal.aborted ? [] : options.containers()) {
      try {
        const size = await stat(container.logPath).then(
          ({ size: bytes }) => bytes,
          () => 0,
        );
        if (size > largestLog) await rotateLog(container, options);
      } catch (error) {
        logger.warn("cannot rotate a container's log", { log: container.logPath, error });
      }
    }
  }
}

/** Puts a log aside under the time's name, has the runtime begin a new one, and tidies older ones. */
export async function rotateLog(
  { id, logPath }: LoggingContainer,
  { cri, clock }: Pick<LogRotationOptions, "cri" | "clock">,
): Promise<void> {
  const folder = dirname(logPath);
  const { remove, compress } = planOldLogs(await readdir(folder), basename(logPath));
  for (const name of remove) await rm(join(folder, name), { force: true });
  for (const name of compress) await compressLog(join(folder, name));
  const rotated = `${logPath}.${stampOf(clock.now())}`;
  await rename(logPath, rotated);
  try {
    await cri.reopenContainerLog({ containerId: id });
  } catch (error) {
    // The runtime still writes to the file that was put aside.
    await rename(rotated, logPath);
    throw error;
  }
}

/** `20260131-235959`, in UTC. */
const stampOf = (now: Milliseconds) =>
  new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");

/** What to do with files put aside before: room is left for the log and the one that is about to be put aside. */
export function planOldLogs(
  names: readonly string[],
  log: string,
): { readonly remove: readonly string[]; readonly compress: readonly string[] } {
  const old = names.filter((name) => name.startsWith(`${log}.`)).sort();
  const unfinished = old.filter((name) => name.endsWith(".tmp"));
  const whole = old.filter((name) => !name.endsWith(".tmp"));
  const kept = whole.slice(-(filesKept - 2));
  return {
    remove: [...unfinished, ...whole.filter((name) => !kept.includes(name))],
    compress: kept.filter((name) => !name.endsWith(".gz")),
  };
}

async function compressLog(path: string): Promise<void> {
  const unfinished = `${path}.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(unfinished));
  await rename(unfinished, `${path}.gz`);
  await rm(path);
}

/** Removes a container's log and what was put aside of it. */
export async function removeLogs(logPath: string): Promise<void> {
  const folder = dirname(logPath);
  const names = await readdir(folder).catch(() => []);
  const own = names.filter((name) => name === basename(logPath) || name.startsWith(`${basename(logPath)}.`));
  for (const name of own) await rm(join(folder, name), { force: true });
}
