import { ApiError, keyOf } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import { ControllerRevision, StatefulSet } from "../../api/types/apps-v1.ts";
import {
  again,
  claimOwned,
  equalJson,
  indexByController,
  matchesSelector,
  observed,
  settled,
  syncRevisions,
  truncateRevisions,
  watchItself,
  watchOnlyUntilSynced,
  watchOwned,
  withoutZeros,
} from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";
import { ordinalOf, planStatefulSet, planStatus, revisionNameOf, stateAfter } from "./plan.ts";
import type { StatefulAction } from "./plan.ts";
import { draftClaims, draftPod } from "./pods.ts";
import { planClaimOwners } from "./retention.ts";

/** Keeps each StatefulSet's numbered pods, in order. */
export function statefulSetController(context: ControllerContext): Controller {
  return new StatefulSetController(context);
}

class StatefulSetController implements Controller {
  readonly name = "statefulset";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly sets: SharedInformer<StatefulSet>;
  private readonly pods: SharedInformer<Pod>;
  private readonly revisions: SharedInformer<ControllerRevision>;
  private readonly volumeClaims: SharedInformer<PersistentVolumeClaim>;

  constructor(context: ControllerContext) {
    this.context = context;
    this.sets = context.informers.informer(StatefulSet);
    this.pods = indexByController(context.informers.informer(Pod));
    this.revisions = indexByController(context.informers.informer(ControllerRevision));
    this.volumeClaims = context.informers.informer(PersistentVolumeClaim);
    this.watches = [
      watchItself(this.sets),
      watchOwned(this.pods, {
        resource: StatefulSet,
        owners: this.sets,
        selectorOf: ({ spec }) => spec.selector,
      }),
      watchOnlyUntilSynced(this.revisions),
      watchOnlyUntilSynced(this.volumeClaims),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const { context } = this;
    const { client, clock } = context;
    const set = this.sets.get(key);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return settled;
    const pods = await this.claim(set);
    const all = await syncRevisions(set, {
      context,
      revisions: this.revisions,
      resource: StatefulSet,
      template: set.spec.template,
      collisionCount: set.status?.collisionCount ?? 0,
      signal,
    });
    const update = all.at(-1);
    if (update === undefined) return settled;
    const current = all.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
    for (const pod of pods) await this.ownVolumeClaims(set, pod);
    const state = { pods, current, update, now: clock.now() };
    const plan = planStatefulSet(set, state);
    const created: Pod[] = [];
    const deleted: Pod[] = [];
    for (const action of plan.actions) {
      const pod = await this.perform(set, action);
      if (action.type === "create") created.push(pod);
      else deleted.push(pod);
    }
    await observed(this.pods, { stored: created, deleted }, { clock, signal });
    // One write tells of the new generation and of what was done for it.
    const status = planStatus(set, stateAfter(state, { created, deleted }));
    if (!equalJson(withoutZeros(status), withoutZeros(set.status))) {
      await client.update(StatefulSet, { ...set, status }, { subresource: "status" });
    }
    const used = new Set([...pods, ...created].map((pod) => revisionNameOf(pod)));
    await truncateRevisions(all, {
      context,
      limit: set.spec.revisionHistoryLimit ?? 10,
      live: ({ metadata: { name } }) =>
        used.has(name) || name === update.metadata.name || name === current.metadata.name,
    });
    return again(plan.wakeIn);
  }

  private claim(set: StatefulSet): Promise<readonly Pod[]> {
    return claimOwned(set, {
      client: this.context.client,
      informer: this.pods,
      resource: Pod,
      ownerResource: StatefulSet,
      matches: (pod) =>
        matchesSelector(set.spec.selector, pod.metadata.labels) && ordinalOf(set, pod) !== undefined,
    });
  }

  private async perform(set: StatefulSet, action: StatefulAction): Promise<Pod> {
    const { client } = this.context;
    if (action.type === "create") {
      await this.createClaims(set, action.ordinal);
      const draft = draftPod(set, action.ordinal, action.revision);
      return this.told(set, { verb: "create", name: `${set.metadata.name}-${action.ordinal}` }, () =>
        client.create<Pod>(Pod, draft),
      );
    }
    const { pod } = action;
    if (action.why === "failed") this.tellOfReplacement(set, pod);
    return this.told(set, { verb: "delete", name: pod.metadata.name }, async () => {
      await client.delete(Pod, keyOf(pod), { preconditions: { uid: pod.metadata.uid } });
      return pod;
    });
  }

  private async createClaims(set: StatefulSet, ordinal: number): Promise<void> {
    const { client, events } = this.context;
    const about = { resource: StatefulSet, object: set };
    const pod = `${set.metadata.name}-${ordinal}`;
    for (const draft of draftClaims(set, ordinal)) {
      const key = keyOf(draft as PersistentVolumeClaim);
      if (this.volumeClaims.get(key)) continue;
      try {
        await client.create<PersistentVolumeClaim>(PersistentVolumeClaim, draft);
        const message = `create Claim ${key.name} Pod ${pod} in StatefulSet ${set.metadata.name} success`;
        events.event(about, { type: "Normal", reason: "SuccessfulCreate", message });
      } catch (error) {
        if (ApiError.is(error, "AlreadyExists")) continue;
        const why = ApiError.from(error).message;
        const message = `create Claim ${key.name} for Pod ${pod} in StatefulSet ${set.metadata.name} failed error: ${why}`;
        events.event(about, { type: "Warning", reason: "FailedCreate", message });
        throw error;
      }
    }
  }

  /** Makes a pod's claims go with the set or the pod, or stay, as the set's retention policy says. */
  private async ownVolumeClaims(set: StatefulSet, pod: Pod): Promise<void> {
    const ordinal = ordinalOf(set, pod);
    if (ordinal === undefined) return;
    for (const draft of draftClaims(set, ordinal)) {
      const claim = this.volumeClaims.get(keyOf(draft as PersistentVolumeClaim));
      const ownerReferences = claim && planClaimOwners(set, { claim, pod });
      if (!claim || !ownerReferences) continue;
      const metadata = { ...claim.metadata, ownerReferences };
      await this.context.client.update<PersistentVolumeClaim>(PersistentVolumeClaim, { ...claim, metadata });
    }
  }

  private tellOfReplacement(set: StatefulSet, pod: Pod): void {
    const { namespace, name } = set.metadata;
    const failed = pod.status?.phase === "Failed";
    const message = `StatefulSet ${namespace}/${name} is recreating ${failed ? "failed" : "terminated"} Pod ${pod.metadata.name}`;
    this.context.events.event(
      { resource: StatefulSet, object: set },
      failed
        ? { type: "Warning", reason: "RecreatingFailedPod", message }
        : { type: "Normal", reason: "RecreatingTerminatedPod", message },
    );
  }

  /** Tells users of success and failure alike, in upstream's words. */
  private async told(
    set: StatefulSet,
    { verb, name }: { verb: "create" | "delete"; name: string },
    act: () => Promise<Pod>,
  ): Promise<Pod> {
    const about = { resource: StatefulSet, object: set };
    const what = `${verb} Pod ${name} in StatefulSet ${set.metadata.name}`;
    const suffix = verb === "create" ? "Create" : "Delete";
    const { events } = this.context;
    try {
      const pod = await act();
      events.event(about, { type: "Normal", reason: `Successful${suffix}`, message: `${what} successful` });
      return pod;
    } catch (error) {
      const message = `${what} failed error: ${ApiError.from(error).message}`;
      events.event(about, { type: "Warning", reason: `Failed${suffix}`, message });
      throw error;
    }
  }
}
