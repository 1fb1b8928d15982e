import { timestampOf } from "../../apimachinery/index.ts";
import type { Milliseconds } from "../../base/index.ts";
import type { PodStatus } from "../../api/types/core-v1.ts";
import { qosClass } from "../runtime/resources.ts";
import { podConditions } from "./conditions.ts";
import { containerStatuses } from "./container-status.ts";
import type { StatusInput } from "./container-status.ts";
import { podPhase } from "./phase.ts";

export interface PodStatusInput extends StatusInput {
  readonly now: Milliseconds;
  readonly hostIPs: readonly string[];
  /** All containers are done for good. */
  readonly final: boolean;
  /** Why the node ended the pod, e.g. `DeadlineExceeded`. */
  readonly failure: PodFailure | undefined;
}

/** Why the node ended a pod, or did not take it on. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
  readonly neverRan?: boolean;
}

/** The status of a pod, from what the runtime shows and what its status was. */
export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, observed } = input;
  const before = pod.status ?? {};
  if (input.failure?.neverRan) return refusedStatus(input, input.failure);
  // A pod that was refused in an earlier run has nothing to show.
  if (before.phase === "Failed" && before.containerStatuses === undefined && observed.containers.length === 0)
    return before;
  const init = containerStatuses(pod.spec.initContainers ?? [], {
    ...input,
    previous: before.initContainerStatuses ?? [],
    kind: "init",
  });
  const main = containerStatuses(pod.spec.containers, {
    ...input,
    previous: before.containerStatuses ?? [],
    kind: "main",
  });
  const ephemeral = containerStatuses(pod.spec.ephemeralContainers ?? [], {
    ...input,
    previous: before.ephemeralContainerStatuses ?? [],
    kind: "ephemeral",
  });
  const phase = phaseOf(input, podPhase(pod, { init, main, final: input.final }));
  const sandbox = observed.sandboxes[0];
  const sandboxReady =
    sandbox !== undefined && sandbox.ready && (sandbox.hostNetwork || sandbox.ips.length > 0);
  const now = timestampOf(input.now);
  const ips = pod.spec.hostNetwork ? input.hostIPs : (sandbox?.ips ?? []);
  const podIPs = ips.length > 0 ? ips.map((ip) => ({ ip })) : (before.podIPs ?? []);
  const { reason, message } = input.failure ?? before;
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: podConditions({ pod, phase, init, main, sandboxReady, now }),
    ...(message ? { message } : {}),
    ...(reason ? { reason } : {}),
    ...(input.hostIPs[0] === undefined ? {} : { hostIP: input.hostIPs[0] }),
    hostIPs: input.hostIPs.map((ip) => ({ ip })),
    ...(podIPs[0] === undefined ? {} : { podIP: podIPs[0].ip ?? "", podIPs }),
    startTime: before.startTime ?? now,
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    containerStatuses: main,
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    qosClass: qosClass(pod),
  };
}

function refusedStatus({ pod, now }: PodStatusInput, { reason, message }: PodFailure): PodStatus {
  const { conditions, startTime = timestampOf(now) } = pod.status ?? {};
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase: "Failed",
    ...(conditions ? { conditions } : {}),
    message,
    reason,
    startTime,
    qosClass: qosClass(pod),
  };
}

/** A pod that is over stays over. */
function phaseOf({ pod, failure, final }: PodStatusInput, phase: NonNullable<PodStatus["phase"]>) {
  const old = pod.status?.phase;
  if (old === "Failed" || old === "Succeeded") return old;
  return failure && final ? "Failed" : phase;
}
