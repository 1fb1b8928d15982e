import { ignoreMissing } from "../../api/index.ts";
import { ApiError, isNamespaceTerminating, keyOf, timestampOf } from "../../apimachinery/index.ts";
import type { KubernetesObject, LabelSelector, ObjectKey, Resource } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { Pod, ReplicationController } from "../../api/types/core-v1.ts";
import type { PodTemplateSpec } from "../../api/types/core-v1.ts";
import { ReplicaSet } from "../../api/types/apps-v1.ts";
import type { ReplicaSetStatus } from "../../api/types/apps-v1.ts";
import {
  again,
  allAtOnce,
  claimOwned,
  controllerOf,
  controllerReference,
  equalJson,
  indexByController,
  isActive,
  matchesSelector,
  observed,
  ownedBy,
  podFromTemplate,
  settled,
  slowStart,
  watch,
  watchOwned,
  withoutZeros,
} from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";
import { nextAvailability, planReplicas, planStatus } from "./plan.ts";
import type { ReplicaFailure, ReplicaPlan } from "./plan.ts";

/** What replica sets and replication controllers differ in. */
interface ReplicaKind<T extends KubernetesObject> {
  readonly name: string;
  readonly resource: Resource<T>;
  readonly spec: (object: T) => {
    readonly replicas: number;
    readonly minReadySeconds: number;
    readonly selector: LabelSelector;
    readonly template: PodTemplateSpec;
  };
  readonly status: (object: T) => ReplicaSetStatus | undefined;
  readonly withStatus: (object: T, status: ReplicaSetStatus) => T;
}

/** Keeps the number of pods that each ReplicaSet asks for. */
export function replicaSetController(context: ControllerContext): Controller {
  return new ReplicaController(context, {
    name: "replicaset",
    resource: ReplicaSet,
    spec: ({ spec }) => ({
      replicas: spec.replicas ?? 1,
      minReadySeconds: spec.minReadySeconds ?? 0,
      selector: spec.selector,
      template: spec.template,
    }),
    status: ({ status }) => status,
    withStatus: (object, status) => ({ ...object, status }),
  });
}

/** Keeps the number of pods that each ReplicationController asks for. */
export function replicationController(context: ControllerContext): Controller {
  return new ReplicaController(context, {
    name: "replicationcontroller",
    resource: ReplicationController,
    spec: ({ spec }) => ({
      replicas: spec.replicas ?? 1,
      minReadySeconds: spec.minReadySeconds ?? 0,
      selector: { matchLabels: spec.selector ?? {} },
      template: spec.template ?? ({} as PodTemplateSpec),
    }),
    status: ({ status }) => status,
    withStatus: (object, { terminatingReplicas: _terminating, ...status }) => ({ ...object, status }),
  });
}

class ReplicaController<T extends KubernetesObject> implements Controller {
  readonly name: string;
  readonly watches;
  private readonly context: ControllerContext;
  private readonly kind: ReplicaKind<T>;
  private readonly sets: SharedInformer<T>;
  private readonly pods: SharedInformer<Pod>;

  constructor(context: ControllerContext, kind: ReplicaKind<T>) {
    this.name = kind.name;
    this.context = context;
    this.kind = kind;
    this.sets = indexByController(context.informers.informer(kind.resource));
    this.pods = indexByController(context.informers.informer(Pod));
    this.watches = [
      watch(this.sets, ({ object }, wake) => wake(keyOf(object))),
      watchOwned(this.pods, {
        resource: kind.resource,
        owners: this.sets,
        selectorOf: (set) => kind.spec(set).selector,
      }),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const set = this.sets.get(key);
    if (set === undefined) return settled;
    const { clock } = this.context;
    const spec = this.kind.spec(set);
    const pods = await this.claim(set);
    let result: { failure?: ReplicaFailure; error?: unknown } = {};
    if (set.metadata.deletionTimestamp === undefined) {
      const plan = planReplicas(spec.replicas, { pods, related: () => this.related(set), now: clock.now() });
      result = await this.perform(set, plan, signal);
    }
    // What was just made or deleted is not in `pods`: its events come and wake this key again.
    const { minReadySeconds } = spec;
    await this.writeStatus(set, { pods, failure: result.failure });
    if (result.error !== undefined) throw result.error;
    return again(nextAvailability(pods, { minReadySeconds, now: clock.now() }));
  }

  private claim(set: T): Promise<readonly Pod[]> {
    const { selector } = this.kind.spec(set);
    return claimOwned(set, {
      client: this.context.client,
      informer: this.pods,
      resource: Pod,
      ownerResource: this.kind.resource,
      matches: (pod) => matchesSelector(selector, pod.metadata.labels),
      adoptable: isActive,
    });
  }

  /** Active pods of all sets with the same controller. */
  private related(set: T): readonly Pod[] {
    const owner = controllerOf(set);
    const siblings = owner === undefined ? [set] : ownedBy(this.sets, owner.uid);
    return siblings.flatMap((sibling) =>
      ownedBy(this.pods, sibling.metadata.uid).filter((pod) => isActive(pod)),
    );
  }

  private perform(
    set: T,
    plan: ReplicaPlan,
    signal: AbortSignal,
  ): Promise<{ failure?: ReplicaFailure; error?: unknown }> {
    switch (plan.type) {
      case "keep":
        return Promise.resolve({});
      case "create":
        return this.createPods(set, plan.count, signal);
      case "delete":
        return this.deletePods(set, plan.pods, signal);
    }
  }

  private async createPods(set: T, count: number, signal: AbortSignal) {
    const { client, clock } = this.context;
    const reference = controllerReference(this.kind.resource, set);
    const pod = podFromTemplate(this.kind.spec(set).template, { owner: set, reference });
    const { done, failed, failure } = await slowStart(Array.from({ length: count }), async () => {
      try {
        const created = await client.create<Pod>(Pod, pod);
        this.tell(set, { reason: "SuccessfulCreate", message: `Created pod: ${created.metadata.name}` });
        return created;
      } catch (error) {
        const { message } = ApiError.from(error);
        if (!isNamespaceTerminating(error)) {
          this.tell(set, { reason: "FailedCreate", message: `Error creating: ${message}` });
        }
        throw error;
      }
    });
    await observed(this.pods, { stored: done }, { clock, signal });
    if (!failed || isNamespaceTerminating(failure)) return {};
    const reason = "FailedCreate" as const;
    return { failure: { reason, message: ApiError.from(failure).message }, error: failure };
  }

  private async deletePods(set: T, pods: readonly Pod[], signal: AbortSignal) {
    const { client, clock } = this.context;
    const { done, failed, failure } = await allAtOnce(pods, async (pod) => {
      try {
        await client.delete(Pod, keyOf(pod), { preconditions: { uid: pod.metadata.uid } });
        this.tell(set, { reason: "SuccessfulDelete", message: `Deleted pod: ${pod.metadata.name}` });
      } catch (error) {
        if (ApiError.is(error, "NotFound")) return pod;
        this.tell(set, {
          reason: "FailedDelete",
          message: `Error deleting: ${ApiError.from(error).message}`,
        });
        throw error;
      }
      return pod;
    });
    await observed(this.pods, { deleted: done }, { clock, signal });
    if (!failed) return {};
    const reason = "FailedDelete" as const;
    return { failure: { reason, message: ApiError.from(failure).message }, error: failure };
  }

  private async writeStatus(
    set: T,
    result: { pods: readonly Pod[]; failure: ReplicaFailure | undefined },
  ): Promise<void> {
    const { client, clock } = this.context;
    const { minReadySeconds, template } = this.kind.spec(set);
    const now = clock.now();
    const intent = {
      generation: set.metadata.generation ?? 0,
      minReadySeconds,
      templateLabels: template.metadata?.labels ?? {},
    };
    const old = this.kind.status(set);
    const status = planStatus(intent, old, { ...result, now, timestamp: timestampOf(now) });
    const next = this.kind.withStatus(set, status);
    if (equalJson(withoutZeros(this.kind.status(next)), withoutZeros(old))) return;
    await ignoreMissing(client.update(this.kind.resource, next, { subresource: "status" }));
  }

  private tell(set: T, event: { reason: string; message: string }): void {
    const type = event.reason.startsWith("Failed") ? "Warning" : "Normal";
    this.context.events.event({ resource: this.kind.resource, object: set }, { type, ...event });
  }
}
