import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Milliseconds } from "../base/index.ts";
import type { Layout } from "./layout.ts";
import type { ClusterProcess } from "./processes.ts";

/** What a starting daemon tells the command that started it, a line of JSON each, over file descriptor 3. */
export type Report =
  | { readonly type: "part"; readonly name: string; readonly after: Milliseconds }
  | { readonly type: "process"; readonly name: string; readonly pid: number }
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly message: string };

const reportDescriptor = 3;

/** One heap of the C library for all threads: each further one keeps some megabytes that nobody uses. */
const memoryFrugality = { MALLOC_ARENA_MAX: "1" } as const;

/** After so long all that a start set going has settled. */
const settlingTime: Milliseconds = 1000;

/** A daemon that did not come up: the message is for the user. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** The daemon's side of the reports. */
export interface Reporter {
  part(name: string): void;
  process(name: string, pid: number): void;
  ready(): void;
  failed(message: string): void;
}

/** Writes reports where a parent listens; a parent that has gone is no fault. */
export function openReporter(options: {
  readonly started: Milliseconds;
  /** Called a while after the daemon is ready, when what the start set going has settled. */
  readonly onSettled: () => void;
}): Reporter {
  const { started, onSettled } = options;
  let open = true;
  const send = (report: Report) => {
    if (!open) return;
    try {
      writeSync(reportDescriptor, `${JSON.stringify(report)}\n`);
    } catch {
      open = false;
    }
  };
  const finish = (report: Report) => {
    send(report);
    if (open) closeSync(reportDescriptor);
    open = false;
  };
  return {
    part: (name) => send({ type: "part", name, after: Date.now() - started }),
    process: (name, pid) => send({ type: "process", name, pid }),
    ready: () => {
      finish({ type: "ready" });
      setTimeout(onSettled, settlingTime).unref();
    },
    failed: (message) => finish({ type: "failed", message }),
  };
}

/** Starts a part of the cluster in the background and waits until it reports that it is ready. */
export async function startDaemon(options: {
  readonly name: string;
  readonly launcher: string;
  readonly layout: Layout;
  readonly onPart: (name: string, after: Milliseconds) => void;
  /** Told of each process as soon as it runs, so that none is forgotten when the start fails. */
  readonly onProcess: (started: ClusterProcess) => void;
  /** Heap limits and the like for the daemon's Node. */
  readonly nodeFlags: readonly string[];
}): Promise<void> {
  const { name, launcher, layout } = options;
  const logFile = join(layout.logs, `${name}.log`);
  const log = openSync(logFile, "a", 0o600);
  const child = spawn(process.execPath, [...options.nodeFlags, launcher, name, "--dir", layout.directory], {
    detached: true,
    stdio: ["ignore", log, log, "pipe"],
    env: { ...memoryFrugality, ...process.env, KUBETS_STARTED: String(Date.now()) },
  });
  closeSync(log);
  if (child.pid !== undefined) options.onProcess({ name, pid: child.pid });
  const outcome = await new Promise<Report | { type: "exited" }>((resolve) => {
    let pending = "";
    const reports = child.stdio[3] as NodeJS.ReadableStream;
    reports.setEncoding("utf8");
    reports.on("data", (text: string) => {
      const lines = (pending + text).split("\n");
      pending = lines.pop() ?? "";
      for (const line of lines) {
        const report = JSON.parse(line) as Report;
        if (report.type === "part") options.onPart(report.name, report.after);
        else if (report.type === "process") options.onProcess({ name: report.name, pid: report.pid });
        else resolve(report);
      }
    });
    child.once("exit", () => resolve({ type: "exited" }));
    child.once("error", (error) => resolve({ type: "failed", message: error.message }));
  });
  child.unref();
  (child.stdio[3] as unknown as { destroy(): void }).destroy();
  if (outcome.type === "failed") throw new StartError(outcome.message);
  if (outcome.type === "exited") throw new StartError(`${name} ended while starting:\n${lastLines(logFile)}`);
}

const shownLines = 10;

function lastLines(path: string): string {
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-shownLines).join("\n");
}
