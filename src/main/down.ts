import { existsSync, readdirSync, rmSync } from "node:fs";
import type { Milliseconds } from "../base/index.ts";
import type { CommandContext } from "./command.ts";
import { readConfiguration } from "./configuration.ts";
import type { FlagValues } from "./flags.ts";
import { defaultDirectory, layoutOf, type Layout } from "./layout.ts";
import { recordProcesses, runningProcesses, stopProcess } from "./processes.ts";

/** A node stops each pod's containers with their grace period, then removes what it made. */
const nodePatience: Milliseconds = 60_000;
const controlPlanePatience: Milliseconds = 15_000;

/** `kubets down`: stops all processes of the cluster and removes what they made on the machine. */
export async function down(flags: FlagValues, { print }: CommandContext): Promise<number> {
  const layout = layoutOf((flags.dir as string | undefined) ?? defaultDirectory());
  const wasUp = await stop(layout);
  print(wasUp ? `The cluster is down. Its data stay in ${layout.data}` : "The cluster is not up.");
  return 0;
}

/** `kubets delete`: `down`, and removes the cluster's files. */
export async function remove(flags: FlagValues, { print }: CommandContext): Promise<number> {
  const layout = layoutOf((flags.dir as string | undefined) ?? defaultDirectory());
  if (!existsSync(layout.configuration)) {
    print(`There is no cluster in ${layout.directory}.`);
    return 0;
  }
  await stop(layout);
  const { kubeconfig, caCertificate, configuration, pids, lock, data, logs } = layout;
  for (const path of [kubeconfig, caCertificate, pids, lock, data, logs, configuration]) {
    rmSync(path, { recursive: true, force: true });
  }
  if (readdirSync(layout.directory).length === 0) rmSync(layout.directory, { recursive: true });
  print(`The cluster in ${layout.directory} is deleted.`);
  return 0;
}

/** Answers whether anything ran. The node stops before the control plane, so that it can report to it. */
async function stop(layout: Layout): Promise<boolean> {
  const running = runningProcesses(layout);
  const configuration = readConfiguration(layout);
  for (const name of ["node", "containerd", "control-plane"]) {
    for (const target of running.filter((one) => one.name === name)) {
      await stopProcess(target, { layout, patience: name === "node" ? nodePatience : controlPlanePatience });
    }
  }
  if (configuration?.nodes === 1 && process.getuid?.() === 0) {
    const { sweepNode } = await import("./node-sweep.ts");
    await sweepNode({ layout, configuration });
  }
  recordProcesses(layout, []);
  return running.length > 0;
}
