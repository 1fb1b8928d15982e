import type { ContainerStatus, Pod, PodStatus } from "../../api/types/core-v1.ts";

type Phase = NonNullable<PodStatus["phase"]>;

export interface PhaseInput {
  readonly init: readonly ContainerStatus[];
  readonly main: readonly ContainerStatus[];
  /** All containers are done for good. */
  readonly final: boolean;
}

/** A pod's phase, from its containers. */
export function podPhase(pod: Pod, { init, main, final }: PhaseInput): Phase {
  const policy = pod.spec.restartPolicy ?? "Always";
  const pending = initializationPending(pod, init);
  if (pending === "failed") return "Failed";
  const count = { waiting: 0, running: 0, succeeded: 0, failed: 0 };
  for (const { state, lastState } of main) {
    if (state.running) count.running++;
    else {
      const ended = state.terminated ?? (state.waiting ? lastState.terminated : undefined);
      if (!ended) count.waiting++;
      else if (ended.exitCode === 0) count.succeeded++;
      else count.failed++;
    }
  }
  const stopped = count.succeeded + count.failed;
  if (final && count.running === 0 && stopped > 0)
    return count.failed === 0 && count.waiting === 0 ? "Succeeded" : "Failed";
  if (final && count.running === 0) return "Failed";
  if (pending === "pending" && count.running === 0) return "Pending";
  if (count.waiting > 0) return "Pending";
  if (count.running > 0) return "Running";
  if (stopped === 0) return "Pending";
  if (policy === "Always" || restartable(pod)) return "Running";
  if (count.failed === 0) return "Succeeded";
  return policy === "Never" ? "Failed" : "Running";
}

const restartable = (pod: Pod) =>
  pod.spec.containers.some(
    ({ restartPolicy }) => restartPolicy === "Always" || restartPolicy === "OnFailure",
  );

function initializationPending(pod: Pod, init: readonly ContainerStatus[]): "done" | "pending" | "failed" {
  for (const container of pod.spec.initContainers ?? []) {
    const status = init.find(({ name }) => name === container.name);
    if (container.restartPolicy === "Always") {
      if (!status?.started && !status?.state.terminated) return "pending";
      continue;
    }
    const ended = status?.state.terminated;
    if (ended?.exitCode === 0) continue;
    if (ended && pod.spec.restartPolicy === "Never" && container.restartPolicy !== "OnFailure")
      return "failed";
    return "pending";
  }
  return "done";
}
