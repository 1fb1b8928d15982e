import type { Milliseconds } from "../base/index.ts";

/** A sandbox as the runtime shows it. */
export interface ObservedSandbox {
  readonly id: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAt: Milliseconds;
  /** Empty with the host's network. */
  readonly ips: readonly string[];
  readonly hostNetwork: boolean;
}

/** A container as the runtime shows it. */
export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly sandboxId: string;
  readonly state: "created" | "running" | "exited" | "unknown";
  readonly createdAt: Milliseconds;
  /** Zero when it never started. */
  readonly startedAt: Milliseconds;
  readonly finishedAt: Milliseconds;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly image: string;
  readonly imageId: string;
  /** Of the container's definition, see `containerHash`. */
  readonly hash: string;
  readonly restartCount: number;
  readonly logPath: string;
  /** File of the node into which the container may write its last message. */
  readonly terminationFile: string | undefined;
  readonly fallsBackToLogs: boolean;
}

/** What the runtime has of a pod, newest first. */
export interface PodObservation {
  readonly sandboxes: readonly ObservedSandbox[];
  readonly containers: readonly ObservedContainer[];
}

export const nothingObserved: PodObservation = { sandboxes: [], containers: [] };

/** The newest container of a name. */
export function latestContainer(observed: PodObservation, name: string): ObservedContainer | undefined {
  return observed.containers.find((container) => container.name === name);
}

/** Whether anything of the pod may still run. */
export function isAlive({ containers, sandboxes }: PodObservation): boolean {
  return (
    containers.some(({ state }) => state === "running" || state === "unknown") ||
    sandboxes.some(({ ready }) => ready)
  );
}
