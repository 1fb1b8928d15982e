import { readdirSync, readFileSync } from "node:fs";
import type { MetricsRegistry, Reading } from "./registry.ts";

/** What the operating system knows of the process; where it does not say, the metric is missing. */
export function observeProcess(registry: MetricsRegistry): void {
  const gauge = (name: string, help: string, read: () => number | undefined) =>
    registry.observed({ name, help }, () => readingOf(read()));
  registry.observed(
    { name: "process_cpu_seconds_total", help: "Time of the processors in seconds.", type: "counter" },
    () => {
      const { user, system } = process.cpuUsage();
      return readingOf((user + system) / 1e6);
    },
  );
  gauge("process_resident_memory_bytes", "Memory that is resident.", () => process.memoryUsage.rss());
  gauge("process_virtual_memory_bytes", "Memory that is addressed.", virtualMemory);
  gauge("process_start_time_seconds", "When the process began, in seconds since the epoch.", () =>
    Number((performance.timeOrigin / 1_000).toFixed(2)),
  );
  gauge("process_open_fds", "Files and sockets that are open.", openFiles);
  gauge("process_max_fds", "Files and sockets that may be open.", mostFiles);
}

const readingOf = (value: number | undefined): readonly Reading[] => (value === undefined ? [] : [[value]]);

/** Systems without `/proc` do not tell. */
function fromProc<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const openFiles = (): number | undefined => fromProc(() => readdirSync("/proc/self/fd").length);

function mostFiles(): number | undefined {
  const limits = fromProc(() => readFileSync("/proc/self/limits", "utf8"));
  const soft = /^Max open files\s+(\d+)/m.exec(limits ?? "")?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/** The size stands after the name in parentheses, which may hold spaces. */
function virtualMemory(): number | undefined {
  const stat = fromProc(() => readFileSync("/proc/self/stat", "utf8"));
  const size = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[20];
  return size === undefined ? undefined : Number(size);
}
