import type { Milliseconds } from "../../base/index.ts";
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from "../../api/types/apps-v1.ts";
import { equalJson, timeOf, withCondition, withoutCondition } from "../framework/index.ts";
import { hasProgressDeadline, rolloutBounds, sizeOf, sum, wantedReplicas } from "./facts.ts";
import type { Sets } from "./scaling.ts";

export interface Moment {
  readonly now: Milliseconds;
  readonly timestamp: string;
}

/** A condition as of now. */
export function condition(
  fields: Pick<DeploymentCondition, "type" | "status"> & { reason: string; message: string },
  { timestamp }: Moment,
): DeploymentCondition {
  return { ...fields, lastUpdateTime: timestamp, lastTransitionTime: timestamp };
}

export function conditionOf(
  status: DeploymentStatus | undefined,
  type: string,
): DeploymentCondition | undefined {
  return status?.conditions?.find((entry) => entry.type === type);
}

/** Counts, and whether enough pods are available. */
export function planCounts(deployment: Deployment, sets: Sets, moment: Moment): DeploymentStatus {
  const all = sets.current ? [...sets.old, sets.current] : sets.old;
  const available = sum(all, ({ status }) => status?.availableReplicas);
  const enough = available >= wantedReplicas(deployment) - rolloutBounds(deployment).maxUnavailable;
  const conditions = withCondition(
    deployment.status?.conditions,
    condition(
      enough
        ? {
            type: "Available",
            status: "True",
            reason: "MinimumReplicasAvailable",
            message: "Deployment has minimum availability.",
          }
        : {
            type: "Available",
            status: "False",
            reason: "MinimumReplicasUnavailable",
            message: "Deployment does not have minimum availability.",
          },
      moment,
    ),
  );
  const { collisionCount } = deployment.status ?? {};
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum(all, ({ status }) => status?.replicas),
    updatedReplicas: sets.current?.status?.replicas ?? 0,
    readyReplicas: sum(all, ({ status }) => status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(all, sizeOf) - available),
    terminatingReplicas: sum(all, ({ status }) => status?.terminatingReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions,
  };
}

/** Counts and how the rollout goes on. */
export function planRolloutStatus(deployment: Deployment, sets: Sets, moment: Moment): DeploymentStatus {
  const counts = planCounts(deployment, sets, moment);
  let conditions = counts.conditions ?? [];
  if (!hasProgressDeadline(deployment)) conditions = withoutCondition(conditions, "Progressing");
  const current = conditions.find(({ type }) => type === "Progressing");
  const wasComplete =
    counts.replicas === counts.updatedReplicas && current?.reason === "NewReplicaSetAvailable";
  if (hasProgressDeadline(deployment) && !wasComplete) {
    conditions = progressConditions(deployment, { sets, counts, conditions, current }, moment);
  }
  const failure = replicaFailure(sets);
  conditions = failure ? withCondition(conditions, failure) : withoutCondition(conditions, "ReplicaFailure");
  return { ...counts, conditions };
}

function progressConditions(
  deployment: Deployment,
  state: {
    readonly sets: Sets;
    readonly counts: DeploymentStatus;
    readonly conditions: readonly DeploymentCondition[];
    readonly current: DeploymentCondition | undefined;
  },
  moment: Moment,
): readonly DeploymentCondition[] {
  const { sets, counts, conditions, current } = state;
  const subject = sets.current
    ? `ReplicaSet "${sets.current.metadata.name}"`
    : `Deployment "${deployment.metadata.name}"`;
  const type = "Progressing";
  if (isComplete(deployment, counts)) {
    const message = `${subject} has successfully progressed.`;
    const reason = "NewReplicaSetAvailable";
    return withCondition(conditions, condition({ type, status: "True", reason, message }, moment));
  }
  if (hasProgressed(deployment.status, counts)) {
    const message = `${subject} is progressing.`;
    const next = condition({ type, status: "True", reason: "ReplicaSetUpdated", message }, moment);
    // Replaced even if reason and status stay: the update time moves the deadline.
    const since = current?.status === "True" ? current.lastTransitionTime : undefined;
    const kept = since === undefined ? next : { ...next, lastTransitionTime: since };
    return [...withoutCondition(conditions, type), kept];
  }
  if (timedOut(deployment, { current, now: moment.now })) {
    const message = `${subject} has timed out progressing.`;
    const reason = "ProgressDeadlineExceeded";
    return withCondition(conditions, condition({ type, status: "False", reason, message }, moment));
  }
  return conditions;
}

export function isComplete(deployment: Deployment, status: DeploymentStatus | undefined): boolean {
  const wanted = wantedReplicas(deployment);
  return (
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted &&
    (status?.availableReplicas ?? 0) === wanted &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed(before: DeploymentStatus | undefined, after: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus | undefined) =>
    (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before?.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before?.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before?.availableReplicas ?? 0)
  );
}

function timedOut(
  deployment: Deployment,
  { current, now }: { current: DeploymentCondition | undefined; now: Milliseconds },
): boolean {
  if (!current || current.reason === "NewReplicaSetAvailable") return false;
  if (current.reason === "ProgressDeadlineExceeded") return true;
  const deadline = (deployment.spec.progressDeadlineSeconds ?? 0) * 1000;
  return timeOf(current.lastUpdateTime) + deadline < now;
}

/** How long until a rollout without progress has failed; undefined when there is nothing to wait for. */
export function untilDeadline(
  deployment: Deployment,
  status: DeploymentStatus,
  now: Milliseconds,
): Milliseconds | undefined {
  const current = conditionOf(status, "Progressing");
  if (!hasProgressDeadline(deployment) || !current || isComplete(deployment, status)) return undefined;
  if (current.reason === "ProgressDeadlineExceeded") return undefined;
  const deadline = (deployment.spec.progressDeadlineSeconds ?? 0) * 1000;
  // A second more, so that times written in whole seconds have surely passed.
  return Math.max(0, timeOf(current.lastUpdateTime) + deadline - now) + 1000;
}

function replicaFailure({ current, old }: Sets): DeploymentCondition | undefined {
  const failureOf = (set: ReplicaSet | undefined) =>
    set?.status?.conditions?.find(({ type }) => type === "ReplicaFailure");
  const failure = failureOf(current) ?? old.map((set) => failureOf(set)).find((found) => found !== undefined);
  if (!failure) return undefined;
  const time = failure.lastTransitionTime;
  return { ...failure, ...(time === undefined ? {} : { lastUpdateTime: time }) };
}

/** The conditions after a pause or its end, or undefined if nothing changes. */
export function planPauseConditions(
  deployment: Deployment,
  moment: Moment,
): readonly DeploymentCondition[] | undefined {
  if (!hasProgressDeadline(deployment)) return undefined;
  const current = conditionOf(deployment.status, "Progressing");
  if (current?.reason === "ProgressDeadlineExceeded") return undefined;
  const wasPaused = current?.reason === "DeploymentPaused";
  const paused = deployment.spec.paused === true;
  if (paused === wasPaused) return undefined;
  const next = paused
    ? { reason: "DeploymentPaused", message: "Deployment is paused" }
    : { reason: "DeploymentResumed", message: "Deployment is resumed" };
  const changed = condition({ type: "Progressing", status: "Unknown", ...next }, moment);
  return withCondition(deployment.status?.conditions, changed);
}

/** Whether two statuses say the same; absent and zero counts are the same thing. */
export function sameStatus(a: DeploymentStatus | undefined, b: DeploymentStatus): boolean {
  const plain = (status: DeploymentStatus | undefined) =>
    Object.fromEntries(Object.entries(status ?? {}).filter(([, value]) => value !== 0));
  return equalJson(plain(a), plain(b));
}
