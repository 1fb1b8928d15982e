import type { Milliseconds } from "../base/index.ts";
import type { CommandContext } from "./command.ts";
import type { ClusterConfiguration } from "./configuration.ts";
import { startDaemon } from "./daemon.ts";
import type { Layout } from "./layout.ts";
import { recordProcesses, runningProcesses, stopProcess, type ClusterProcess } from "./processes.ts";

/** A process of a cluster that `up` starts. */
interface Part {
  readonly name: string;
  /** How its Node.js is run. */
  readonly nodeFlags: readonly string[];
}

/** Room for the garbage of many requests, so that little of it lives long enough to be moved. */
const controlPlane: Part = { name: "control-plane", nodeFlags: ["--max-semi-space-size=16"] };
/** A node does little at a time: memory counts for more than speed. */
const node: Part = {
  name: "node",
  nodeFlags: ["--optimize-for-size", "--max-semi-space-size=2", "--max-old-space-size=512"],
};

/** How long a half-started cluster may take to stop again. */
const undoPatience: Milliseconds = 20_000;

/** What of the cluster does not run, in the order in which to start it. */
export function missingParts(layout: Layout, { nodes }: ClusterConfiguration): Part[] {
  const running = runningProcesses(layout);
  const parts = nodes === 1 ? [controlPlane, node] : [controlPlane];
  return parts.filter(({ name }) => !running.some((one) => one.name === name));
}

/** Starts the parts one after the other; when one fails, those started before it are stopped again. */
export async function startParts(
  parts: readonly Part[],
  { layout, context }: { readonly layout: Layout; readonly context: CommandContext },
): Promise<void> {
  const before = runningProcesses(layout);
  const started: ClusterProcess[] = [];
  const record = () => {
    const names = new Set(started.map(({ name }) => name));
    recordProcesses(layout, [...before.filter(({ name }) => !names.has(name)), ...started]);
  };
  try {
    for (const { name, nodeFlags } of parts) {
      await startDaemon({
        name,
        launcher: context.launcher,
        layout,
        nodeFlags,
        onPart: (part, after) => context.print(`  ${part.padEnd(26)}ready after ${seconds(after)}`),
        onProcess: (one) => {
          started.push(one);
          record();
        },
      });
    }
  } catch (error) {
    for (const one of started.toReversed()) await stopProcess(one, { layout, patience: undoPatience });
    recordProcesses(layout, before);
    throw error;
  }
}

export const seconds = (span: Milliseconds): string => `${(span / 1000).toFixed(2)} s`;
