import { ignoreMissing } from "../../api/index.ts";
import { ApiError, isNamespaceTerminating, keyOf, timestampOf } from "../../apimachinery/index.ts";
import type { New, ObjectKey } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import { Deployment, ReplicaSet } from "../../api/types/apps-v1.ts";
import type { DeploymentStatus } from "../../api/types/apps-v1.ts";
import {
  again,
  claimOwned,
  controllerKey,
  controllerOf,
  controllerReference,
  equalJson,
  hashOf,
  indexByController,
  isFinished,
  matchesSelector,
  observed,
  ownedBy,
  selectsAll,
  settled,
  watch,
  watchItself,
  watchOwned,
  withCondition,
} from "../framework/index.ts";
import type { Change, Controller, ControllerContext, Outcome, Wake } from "../framework/index.ts";
import { currentSetAnnotations, replicasAnnotations } from "./annotations.ts";
import {
  hasProgressDeadline,
  isRollingUpdate,
  nextRevision,
  revisionAnnotation,
  revisionOf,
  sameTemplate,
  sizeOf,
  splitSets,
  sum,
  templateHashLabel,
} from "./facts.ts";
import { currentSize, isScalingEvent, planCleanup, planRollingUpdate, planScaling } from "./scaling.ts";
import type { Resize, Sets } from "./scaling.ts";
import {
  condition,
  conditionOf,
  isComplete,
  planCounts,
  planPauseConditions,
  planRolloutStatus,
  sameStatus,
  untilDeadline,
} from "./status.ts";
import type { Moment } from "./status.ts";

/** Rolls out each Deployment's template through replica sets. */
export function deploymentController(context: ControllerContext): Controller {
  return new DeploymentController(context);
}

class DeploymentController implements Controller {
  readonly name = "deployment";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly deployments: SharedInformer<Deployment>;
  private readonly sets: SharedInformer<ReplicaSet>;
  private readonly pods: SharedInformer<Pod>;

  constructor(context: ControllerContext) {
    this.context = context;
    this.deployments = context.informers.informer(Deployment);
    this.sets = indexByController(context.informers.informer(ReplicaSet));
    this.pods = indexByController(context.informers.informer(Pod));
    this.watches = [
      watchItself(this.deployments),
      watchOwned(this.sets, {
        resource: Deployment,
        owners: this.deployments,
        selectorOf: ({ spec }) => spec.selector,
      }),
      watch(this.pods, (change, wake) => this.podChanged(change, wake)),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const deployment = this.deployments.get(key);
    if (deployment === undefined) return settled;
    if (selectsAll(deployment.spec.selector)) return this.refuse(deployment);
    const sets = splitSets(deployment, await this.claim(deployment));
    if (deployment.metadata.deletionTimestamp !== undefined) return this.writeCounts(deployment, sets);
    const pause = planPauseConditions(deployment, this.moment());
    if (pause) {
      // The rest follows when this change comes back.
      await this.writeStatus(deployment, { ...deployment.status, conditions: pause }, signal);
      return settled;
    }
    if (deployment.spec.paused === true || isScalingEvent(deployment, sets)) {
      return this.scale(deployment, sets, signal);
    }
    return isRollingUpdate(deployment)
      ? this.rollOut(deployment, sets, signal)
      : this.recreate(deployment, sets, signal);
  }

  private async refuse(deployment: Deployment): Promise<Outcome> {
    const message = "This deployment is selecting all pods. A non-empty selector is required.";
    this.tell(deployment, { type: "Warning", reason: "SelectingAll", message });
    const { generation = 0 } = deployment.metadata;
    if ((deployment.status?.observedGeneration ?? 0) < generation) {
      const status = { ...deployment.status, observedGeneration: generation };
      await this.context.client.update(Deployment, { ...deployment, status }, { subresource: "status" });
    }
    return settled;
  }

  private claim(deployment: Deployment): Promise<readonly ReplicaSet[]> {
    return claimOwned(deployment, {
      client: this.context.client,
      informer: this.sets,
      resource: ReplicaSet,
      ownerResource: Deployment,
      matches: (set) => matchesSelector(deployment.spec.selector, set.metadata.labels),
    });
  }

  private async scale(deployment: Deployment, found: Sets, signal: AbortSignal): Promise<Outcome> {
    const { deployment: fresh, sets } = await this.refreshCurrent(deployment, found, signal);
    const resized = await this.resize(fresh, planScaling(fresh, sets), signal);
    const after = withResized(sets, resized);
    if (fresh.spec.paused === true) await this.cleanUp(fresh, after);
    return this.writeCounts(fresh, after);
  }

  private async rollOut(deployment: Deployment, found: Sets, signal: AbortSignal): Promise<Outcome> {
    const made = await this.ensureCurrent(deployment, found, signal);
    if (made === undefined) return settled;
    const { current, old } = made.sets;
    const steps = current ? planRollingUpdate(made.deployment, { current, old }) : [];
    const resized = await this.resize(made.deployment, steps, signal);
    if (resized.length === 0 && isComplete(made.deployment, made.deployment.status)) {
      await this.cleanUp(made.deployment, made.sets);
    }
    return this.writeRollout(made.deployment, withResized(made.sets, resized), signal);
  }

  private async recreate(deployment: Deployment, found: Sets, signal: AbortSignal): Promise<Outcome> {
    const { deployment: fresh, sets } = await this.refreshCurrent(deployment, found, signal);
    const shrink = sets.old.filter((set) => sizeOf(set) > 0).map((set) => ({ set, size: 0 }));
    const shrunk = await this.resize(fresh, shrink, signal);
    if (shrunk.length > 0) return this.writeRollout(fresh, withResized(sets, shrunk), signal);
    if (this.oldPodsRun(sets)) return this.writeRollout(fresh, sets, signal);
    const made = await this.ensureCurrent(fresh, sets, signal);
    if (made === undefined) return settled;
    const { current } = made.sets;
    const size = currentSize(made.deployment, made.sets);
    const grow = current && sizeOf(current) !== size ? [{ set: current, size }] : [];
    const grown = await this.resize(made.deployment, grow, signal);
    if (isComplete(made.deployment, made.deployment.status)) await this.cleanUp(made.deployment, made.sets);
    return this.writeRollout(made.deployment, withResized(made.sets, grown), signal);
  }

  private oldPodsRun({ old }: Sets): boolean {
    if (sum(old, ({ status }) => status?.replicas) > 0) return true;
    return old.some((set) => ownedBy(this.pods, set.metadata.uid).some((pod) => !isFinished(pod)));
  }

  /** The replica set of the present template, brought up to date or made; undefined when it cannot be made. */
  private ensureCurrent(
    deployment: Deployment,
    sets: Sets,
    signal: AbortSignal,
  ): Promise<{ deployment: Deployment; sets: Sets } | undefined> {
    if (sets.current) return this.refreshCurrent(deployment, sets, signal);
    return this.createCurrent(deployment, sets, signal);
  }

  /** Brings annotations and the revision of the present replica set up to date, if it exists. */
  private async refreshCurrent(
    deployment: Deployment,
    sets: Sets,
    signal: AbortSignal,
  ): Promise<{ deployment: Deployment; sets: Sets }> {
    const { client, clock } = this.context;
    let { current } = sets;
    if (!current) return { deployment, sets };
    const revision = nextRevision(sets.old);
    const annotations = currentSetAnnotations(deployment, current, revision);
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    const outdated =
      !equalJson(annotations, current.metadata.annotations ?? {}) ||
      (current.spec.minReadySeconds ?? 0) !== minReadySeconds;
    if (outdated) {
      const metadata = { ...current.metadata, annotations };
      const next = { ...current, metadata, spec: { ...current.spec, minReadySeconds } };
      current = await client.update<ReplicaSet>(ReplicaSet, next);
      await observed(this.sets, { stored: [current] }, { clock, signal });
    }
    const message = `Found new replica set "${current.metadata.name}"`;
    const noted = await this.noteRevision(deployment, current, {
      reason: "FoundNewReplicaSet",
      message,
      signal,
    });
    return { deployment: noted, sets: { ...sets, current } };
  }

  private async createCurrent(deployment: Deployment, sets: Sets, signal: AbortSignal) {
    const { client, clock } = this.context;
    const revision = nextRevision(sets.old);
    const draft = this.draftSet(deployment, sets, revision);
    let current: ReplicaSet;
    try {
      current = await client.create<ReplicaSet>(ReplicaSet, draft.set);
      if (draft.size > 0) this.tellScaled(deployment, { name: draft.name, from: 0, to: draft.size });
    } catch (error) {
      if (ApiError.is(error, "AlreadyExists"))
        current = await this.ownExisting(deployment, draft.name, error);
      else if (isNamespaceTerminating(error)) return undefined;
      else return this.creationFailed(deployment, draft.name, error);
    }
    await observed(this.sets, { stored: [current] }, { clock, signal });
    const message = `Created new replica set "${current.metadata.name}"`;
    const noted = await this.noteRevision(deployment, current, {
      reason: "NewReplicaSetCreated",
      message,
      signal,
    });
    return { deployment: noted, sets: { ...sets, current } };
  }

  private draftSet(deployment: Deployment, sets: Sets, revision: bigint) {
    const { template, selector, minReadySeconds } = deployment.spec;
    const hash = hashOf(template, deployment.status?.collisionCount);
    const name = `${deployment.metadata.name}-${hash}`;
    const labels = { ...template.metadata?.labels, [templateHashLabel]: hash };
    const size = currentSize(deployment, sets);
    const set = {
      metadata: {
        namespace: deployment.metadata.namespace,
        name,
        labels,
        annotations: currentSetAnnotations(deployment, undefined, revision),
        ownerReferences: [controllerReference(Deployment, deployment)],
      },
      spec: {
        replicas: size,
        minReadySeconds: minReadySeconds ?? 0,
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [templateHashLabel]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    } as New<ReplicaSet>;
    return { name, size, set };
  }

  /** A replica set of that name is ours if the cache was behind; else two hashes collide and another is taken. */
  private async ownExisting(deployment: Deployment, name: string, error: ApiError): Promise<ReplicaSet> {
    const { client } = this.context;
    const existing = await client.get(ReplicaSet, { namespace: deployment.metadata.namespace, name });
    if (controllerOf(existing)?.uid === deployment.metadata.uid && sameTemplate(deployment, existing)) {
      return existing;
    }
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    const status = { ...deployment.status, collisionCount };
    await client.update(Deployment, { ...deployment, status }, { subresource: "status" });
    throw error;
  }

  private async creationFailed(deployment: Deployment, name: string, error: unknown): Promise<never> {
    const reason = "ReplicaSetCreateError";
    const message = `Failed to create new replica set "${name}": ${ApiError.from(error).message}`;
    if (hasProgressDeadline(deployment)) {
      const failed = condition({ type: "Progressing", status: "False", reason, message }, this.moment());
      const status = {
        ...deployment.status,
        conditions: withCondition(deployment.status?.conditions, failed),
      };
      await this.context.client.update(Deployment, { ...deployment, status }, { subresource: "status" });
    }
    this.tell(deployment, { type: "Warning", reason, message });
    throw error;
  }

  /** Gives the deployment its revision, and a first Progressing condition. */
  private async noteRevision(
    deployment: Deployment,
    current: ReplicaSet,
    note: { reason: string; message: string; signal: AbortSignal },
  ): Promise<Deployment> {
    const revision = current.metadata.annotations?.[revisionAnnotation] ?? "";
    const { reason, message, signal } = note;
    const created = reason === "NewReplicaSetCreated";
    const fresh = created || !conditionOf(deployment.status, "Progressing");
    const marks = hasProgressDeadline(deployment) && fresh;
    const progressing = condition({ type: "Progressing", status: "True", reason, message }, this.moment());
    const conditions = marks
      ? withCondition(deployment.status?.conditions, progressing)
      : deployment.status?.conditions;
    const known = deployment.metadata.annotations?.[revisionAnnotation] === revision;
    if (known && conditions === deployment.status?.conditions) return deployment;
    const annotations = { ...deployment.metadata.annotations, [revisionAnnotation]: revision };
    const next = { ...deployment, metadata: { ...deployment.metadata, annotations } };
    const status = { ...deployment.status, ...(conditions ? { conditions } : {}) };
    return this.writeStatus(next, status, signal);
  }

  private async resize(
    deployment: Deployment,
    resizes: readonly Resize[],
    signal: AbortSignal,
  ): Promise<readonly ReplicaSet[]> {
    const { client, clock } = this.context;
    const written: ReplicaSet[] = [];
    for (const { set, size } of resizes) {
      const annotations = { ...set.metadata.annotations, ...replicasAnnotations(deployment) };
      const from = sizeOf(set);
      if (from === size && equalJson(annotations, set.metadata.annotations)) continue;
      const metadata = { ...set.metadata, annotations };
      const spec = { ...set.spec, replicas: size };
      written.push(await client.update<ReplicaSet>(ReplicaSet, { ...set, metadata, spec }));
      if (from !== size) this.tellScaled(deployment, { name: set.metadata.name, from, to: size });
    }
    await observed(this.sets, { stored: written }, { clock, signal });
    return written;
  }

  private async cleanUp(deployment: Deployment, { old }: Sets): Promise<void> {
    for (const set of planCleanup(deployment, { old, revisionOf })) {
      await ignoreMissing(this.context.client.delete(ReplicaSet, keyOf(set)));
    }
  }

  private async writeCounts(deployment: Deployment, sets: Sets): Promise<Outcome> {
    const status = planCounts(deployment, sets, this.moment());
    if (!sameStatus(deployment.status, status)) {
      await this.context.client.update(Deployment, { ...deployment, status }, { subresource: "status" });
    }
    return settled;
  }

  private async writeRollout(deployment: Deployment, sets: Sets, signal: AbortSignal): Promise<Outcome> {
    const status = planRolloutStatus(deployment, sets, this.moment());
    if (!sameStatus(deployment.status, status)) await this.writeStatus(deployment, status, signal);
    return again(untilDeadline(deployment, status, this.context.clock.now()));
  }

  private async writeStatus(deployment: Deployment, status: DeploymentStatus, signal: AbortSignal) {
    const { client, clock } = this.context;
    const next = { ...deployment, status };
    const written = await client.update<Deployment>(Deployment, next, { subresource: "status" });
    await observed(this.deployments, { stored: [written] }, { clock, signal });
    return written;
  }

  private moment(): Moment {
    const now = this.context.clock.now();
    return { now, timestamp: timestampOf(now) };
  }

  private tell(
    deployment: Deployment,
    event: { type: "Normal" | "Warning"; reason: string; message: string },
  ): void {
    this.context.events.event({ resource: Deployment, object: deployment }, event);
  }

  private tellScaled(deployment: Deployment, change: { name: string; from: number; to: number }): void {
    const { name, from, to } = change;
    const direction = to > from ? "up" : "down";
    const message = `Scaled ${direction} replica set ${name} from ${from} to ${to}`;
    this.tell(deployment, { type: "Normal", reason: "ScalingReplicaSet", message });
  }

  /** A Recreate deployment waits for its last old pod to go. */
  private podChanged(change: Change<Pod>, wake: Wake): void {
    if (change.type === "added") return;
    if (change.type === "updated" && !isFinished(change.object)) return;
    const setKey = controllerKey(change.object, ReplicaSet);
    const set = setKey && this.sets.get(setKey);
    const key = set && controllerKey(set, Deployment);
    const deployment = key && this.deployments.get(key);
    if (deployment && !isRollingUpdate(deployment)) wake(key);
  }
}

/** The sets with those just written in their places. */
function withResized({ current, old }: Sets, written: readonly ReplicaSet[]): Sets {
  const latest = (set: ReplicaSet) =>
    written.find(({ metadata }) => metadata.uid === set.metadata.uid) ?? set;
  return { current: current && latest(current), old: old.map((set) => latest(set)) };
}
