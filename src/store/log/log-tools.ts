import { onTestFinished } from "vitest";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LogFields, type Logger, seededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { bytes, line } from "../suite-tools.ts";
import type { Revision } from "../store.ts";
import { FaultDisk } from "./fault-disk.ts";
import { type LogStore, type LogStoreOptions, openLogStore } from "./log-store.ts";
import { segmentName } from "./segmented-log.ts";

/** A directory that goes with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "kubets-store-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The name of a store's first log file. */
export const firstLog = segmentName(1);

/** A logger that keeps its warnings. */
export function warnings(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const warn = (message: string, fields: LogFields = {}) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  return { logger: { ...silentLogger, warn }, lines };
}

/** Opens stores on one disk in memory. */
export function onFaultDisk(options: Partial<LogStoreOptions> = {}) {
  const disk = new FaultDisk(seededRandom(1));
  const open = (more: Partial<LogStoreOptions> = {}) =>
    openLogStore({ directory: "/store", clock: new VirtualClock(), ...options, ...more, disk });
  return { disk, open };
}

/** Creates a key. */
export const create = (store: LogStore, key: string, value = "1", lease?: string) =>
  store.commit({ type: "create", key, value: bytes(value), ...(lease === undefined ? {} : { lease }) });

/** The first batch of changes after the revision. */
export async function history(store: LogStore, after: Revision): Promise<readonly string[]> {
  const { signal } = new AbortController();
  for await (const changes of store.watch("", { after, signal })) return changes.map(line);
  return [];
}

/** The length of all files. */
export const totalBytes = (disk: FaultDisk) =>
  [...disk.files.values()].reduce((sum, { seen }) => sum + seen.length, 0);
