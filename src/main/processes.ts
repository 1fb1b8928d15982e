import { existsSync, readFileSync, rmSync } from "node:fs";
import type { Milliseconds } from "../base/index.ts";
import { writePrivately } from "./configuration.ts";
import type { Layout } from "./layout.ts";

/** A process of a cluster as the `pids` file names it. */
export interface ClusterProcess {
  readonly name: string;
  readonly pid: number;
}

/** Whether a process of this number runs; one that has ended and whose parent never asked for its end does not. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  if (!existsSync("/proc/self/status")) return true;
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    // The process ended while we looked.
    return false;
  }
}

/** Whether `pid` runs and is a process of the cluster, not a later one that got its number. */
function isOurs(pid: number, layout: Layout): boolean {
  if (!isAlive(pid)) return false;
  if (!existsSync("/proc/self/cmdline")) return true;
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return command.includes(layout.directory) || command.includes(layout.run);
  } catch {
    // The process ended while we looked.
    return false;
  }
}

/** The cluster's processes that run. */
export function runningProcesses(layout: Layout): ClusterProcess[] {
  if (!existsSync(layout.pids)) return [];
  return readFileSync(layout.pids, "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .map(([name = "", pid = ""]) => ({ name, pid: Number(pid) }))
    .filter(({ pid }) => isOurs(pid, layout));
}

export function recordProcesses(layout: Layout, processes: readonly ClusterProcess[]): void {
  if (processes.length === 0) return rmSync(layout.pids, { force: true });
  writePrivately(layout.pids, processes.map(({ name, pid }) => `${name} ${pid}\n`).join(""));
}

/** Notes that a process of the cluster has another number now. */
export function replaceProcess(layout: Layout, process: ClusterProcess): void {
  const others = runningProcesses(layout).filter(({ name }) => name !== process.name);
  recordProcesses(layout, [...others, process]);
}

/** Asks a process to end and waits; kills it when it has not ended after `patience`. Answers whether it ended by itself. */
export async function stopProcess(
  target: ClusterProcess,
  options: { readonly layout: Layout; readonly patience: Milliseconds },
): Promise<boolean> {
  const { layout, patience } = options;
  if (!signalProcess(target.pid, "SIGTERM")) return true;
  const end = Date.now() + patience;
  // Another process' end cannot be awaited, only looked for.
  while (isOurs(target.pid, layout)) {
    if (Date.now() > end) {
      signalProcess(target.pid, "SIGKILL");
      return false;
    }
    await pause(20);
  }
  return true;
}

/** Answers false when there is no such process. */
function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Waits and, unlike the clock's own timers, keeps the command alive meanwhile. */
function pause(delay: Milliseconds): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay));
}
