import { humanDuration } from "../common/duration.ts";
import type { Container, ContainerStatus, Pod, PodSpec } from "../types/core-v1.ts";

/** What `kubectl get pods` says of a pod. */
export interface PodSummary {
  readonly ready: string;
  readonly reason: string;
  readonly restarts: string;
}

interface Progress {
  reason: string;
  readyContainers: number;
  restarts: number;
  lastRestart: number;
  restartableInitRestarts: number;
  lastRestartableInitRestart: number;
}

const lostNodeReason = "NodeLost";

/** Reads readiness, state and restarts out of a pod's status, with the words and precedence of kubectl. */
export function summarizePod(pod: Pod, now: number): PodSummary {
  const status = pod.status ?? {};
  const progress: Progress = {
    reason: status.reason || status.phase || "",
    readyContainers: 0,
    restarts: 0,
    lastRestart: 0,
    restartableInitRestarts: 0,
    lastRestartableInitRestart: 0,
  };
  const gated = status.conditions?.some(
    (condition) => condition.type === "PodScheduled" && condition.reason === "SchedulingGated",
  );
  if (gated) progress.reason = "SchedulingGated";
  const initContainers = new Map(
    (pod.spec.initContainers ?? []).map((container) => [container.name, container]),
  );
  const initializing = readInitContainers(pod, initContainers, progress);
  if (!initializing || isInitialized(pod)) {
    readContainers(pod, progress);
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status.reason === lostNodeReason) progress.reason = "Unknown";
    else if (status.phase !== "Succeeded" && status.phase !== "Failed") progress.reason = "Terminating";
  }
  const restarts =
    progress.restarts !== 0 && progress.lastRestart !== 0
      ? `${progress.restarts} (${humanDuration(now - progress.lastRestart)} ago)`
      : String(progress.restarts);
  return {
    ready: `${progress.readyContainers}/${totalContainers(pod.spec)}`,
    reason: progress.reason,
    restarts,
  };
}

/** Ordinary containers and sidecars. */
function totalContainers(spec: PodSpec): number {
  return (spec.containers ?? []).length + (spec.initContainers ?? []).filter(isSidecar).length;
}

function readInitContainers(
  pod: Pod,
  containers: ReadonlyMap<string, Container>,
  progress: Progress,
): boolean {
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    progress.restarts += status.restartCount ?? 0;
    progress.lastRestart = Math.max(progress.lastRestart, finishedBefore(status));
    const container = containers.get(status.name);
    const sidecar = container !== undefined && isSidecar(container);
    if (sidecar) {
      progress.restartableInitRestarts += status.restartCount ?? 0;
      progress.lastRestartableInitRestart = Math.max(
        progress.lastRestartableInitRestart,
        finishedBefore(status),
      );
    }
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecar && status.started === true) {
      if (status.ready) progress.readyContainers++;
      continue;
    }
    if (terminated) {
      progress.reason = terminated.reason
        ? `Init:${terminated.reason}`
        : terminated.signal
          ? `Init:Signal:${terminated.signal}`
          : `Init:ExitCode:${terminated.exitCode ?? 0}`;
    } else if (waiting?.reason && waiting.reason !== "PodInitializing") {
      progress.reason = `Init:${waiting.reason}`;
    } else {
      progress.reason = `Init:${index}/${(pod.spec.initContainers ?? []).length}`;
    }
    return true;
  }
  return false;
}

function readContainers(pod: Pod, progress: Progress): void {
  progress.restarts = progress.restartableInitRestarts;
  progress.lastRestart = progress.lastRestartableInitRestart;
  let running = false;
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    progress.restarts += status.restartCount ?? 0;
    progress.lastRestart = Math.max(progress.lastRestart, finishedBefore(status));
    const { waiting, terminated } = status.state ?? {};
    if (waiting?.reason) progress.reason = waiting.reason;
    else if (terminated) {
      progress.reason =
        terminated.reason ||
        (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode ?? 0}`);
    } else if (status.ready && status.state?.running) {
      running = true;
      progress.readyContainers++;
    }
  }
  // One container may be done while another still runs.
  if (progress.reason === "Completed" && running) {
    progress.reason = hasCondition(pod, "Ready") ? "Running" : "NotReady";
  }
}

function finishedBefore(status: ContainerStatus): number {
  const finished = status.lastState?.terminated?.finishedAt;
  return finished ? Date.parse(finished) : 0;
}

const isSidecar = (container: Container) => container.restartPolicy === "Always";

const isInitialized = (pod: Pod) => hasCondition(pod, "Initialized");

function hasCondition(pod: Pod, type: string): boolean {
  return (pod.status?.conditions ?? []).some(
    (condition) => condition.type === type && condition.status === "True",
  );
}
