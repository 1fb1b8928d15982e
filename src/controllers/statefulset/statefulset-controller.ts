import { ApiError, keyOf } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import { ControllerRevision, StatefulSet } from "../../api/types/apps-v1.ts";
import {
  again,
  controllerKey,
  equalJson,
  indexByController,
  matchesSelector,
  observed,
  ownedOrOrphaned,
  performClaims,
  planClaims,
  settled,
  syncRevisions,
  truncateRevisions,
  watch,
  watchItself,
} from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";
import { ordinalOf, planStatefulSet, planStatus, revisionNameOf, stateAfter } from "./plan.ts";
import type { StatefulAction } from "./plan.ts";
import { draftClaims, draftPod } from "./pods.ts";

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

  constructor(context: ControllerContext) {
    this.context = context;
    this.sets = context.informers.informer(StatefulSet);
    this.pods = indexByController(context.informers.informer(Pod));
    this.revisions = indexByController(context.informers.informer(ControllerRevision));
    this.watches = [
      watchItself(this.sets),
      watch(this.pods, ({ object }, wake) => {
        const key = controllerKey(object, StatefulSet);
        if (key) wake(key);
      }),
      watch(this.revisions, () => undefined),
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
    const candidates = ownedOrOrphaned(this.pods, set.metadata);
    const claims = planClaims(
      set,
      candidates,
      (pod) => matchesSelector(set.spec.selector, pod.metadata.labels) && ordinalOf(set, pod) !== undefined,
    );
    const { client } = this.context;
    return performClaims(claims, { client, resource: Pod, ownerResource: StatefulSet, owner: set });
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
    return this.told(set, { verb: "delete", name: pod.metadata.name }, async () => {
      await client.delete(Pod, keyOf(pod), { preconditions: { uid: pod.metadata.uid } });
      return pod;
    });
  }

  private async createClaims(set: StatefulSet, ordinal: number): Promise<void> {
    for (const draft of draftClaims(set, ordinal)) {
      try {
        await this.context.client.create<PersistentVolumeClaim>(PersistentVolumeClaim, draft);
      } catch (error) {
        if (!ApiError.is(error, "AlreadyExists")) throw error;
      }
    }
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

/** Absent and zero counts are the same thing. */
function withoutZeros(status: object | undefined): object {
  return Object.fromEntries(Object.entries(status ?? {}).filter(([, value]) => value !== 0));
}
