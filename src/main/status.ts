import { readFileSync } from "node:fs";
import type { CommandContext } from "./command.ts";
import { readConfiguration } from "./configuration.ts";
import type { FlagValues } from "./flags.ts";
import { defaultDirectory, layoutOf } from "./layout.ts";
import { runningProcesses } from "./processes.ts";

/** `kubets status`: exit code 0 when everything runs, 3 when not. */
export async function status(flags: FlagValues, { print }: CommandContext): Promise<number> {
  const layout = layoutOf((flags.dir as string | undefined) ?? defaultDirectory());
  const configuration = readConfiguration(layout);
  if (configuration === undefined) {
    print(`There is no cluster in ${layout.directory}. 'kubets up' makes one.`);
    return 3;
  }
  const running = runningProcesses(layout);
  const expected = ["control-plane", ...(configuration.nodes === 1 ? ["node", "containerd"] : [])];
  const complete = expected.every((name) => running.some((one) => one.name === name));
  print(`Cluster in ${layout.directory}: ${complete ? "up" : running.length > 0 ? "up in part" : "down"}`);
  if (running.length > 0) print(`API server: https://127.0.0.1:${configuration.port}`);
  print(`Kubeconfig: ${layout.kubeconfig}`);
  print("");
  print("PROCESS         PID       MEMORY");
  for (const name of expected) {
    const found = running.find((one) => one.name === name);
    const columns =
      found === undefined ? ["-", "not running"] : [String(found.pid), residentMemory(found.pid)];
    print(`${name.padEnd(16)}${(columns[0] ?? "").padEnd(10)}${columns[1]}`);
  }
  return complete ? 0 : 3;
}

/** Resident memory as the kernel accounts it; empty where that cannot be read. */
function residentMemory(pid: number): string {
  try {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? "" : `${Math.round(Number(kilobytes) / 1024)} MiB`;
  } catch {
    return "";
  }
}
