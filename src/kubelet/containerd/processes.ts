import { readFileSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const pollInterval = 20;
const patience = 5000;

/** Processes whose program has the first name and whose arguments contain the rest in a row. */
export async function processesOf(command: readonly string[]): Promise<number[]> {
  const [program = "", ...args] = command;
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const line = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    const words = line.split("\0");
    const start = words.indexOf(args[0] ?? "");
    const matches = start > 0 && args.every((word, index) => words[start + index] === word);
    if (matches && words[0]?.split("/").at(-1) === program) found.push(Number(entry));
  }
  return found;
}

/** Ends processes: politely, and after some seconds by force. */
export async function terminate(pids: readonly number[]): Promise<void> {
  const deadline = Date.now() + patience;
  send(pids, "SIGTERM");
  while (pids.some(isRunning)) {
    if (Date.now() > deadline) send(pids, "SIGKILL");
    await sleep(pollInterval);
  }
}

function send(pids: readonly number[], signal: "SIGTERM" | "SIGKILL"): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      continue;
    }
  }
}

/** Whether a process runs; one that has ended and whose parent never asked for its end does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    // There is no such process, or it ended while we looked.
    return false;
  }
}
