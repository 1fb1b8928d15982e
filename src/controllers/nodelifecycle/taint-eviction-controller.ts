import { ApiError, keyOf, timestampOf } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { Node, Pod } from "../../api/types/core-v1.ts";
import type { Taint } from "../../api/types/core-v1.ts";
import { tolerates } from "../../api/index.ts";
import { again, equalJson, settled, timeOf, watch, watchItself, withCondition } from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";
import { evictionTime } from "./plan.ts";

const nodeIndex = "nodeName";

/** The pods of a node, by index. */
export function podsOnNode(pods: SharedInformer<Pod>): (node: string) => readonly Pod[] {
  if (!pods.hasIndex(nodeIndex)) {
    pods.addIndex(nodeIndex, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []));
  }
  return (node) => pods.byIndex(nodeIndex, node);
}

/** Deletes pods that do not tolerate a NoExecute taint of their node, after the time that they tolerate it. */
export function taintEvictionController(context: ControllerContext): Controller {
  return new TaintEvictionController(context);
}

class TaintEvictionController implements Controller {
  readonly name = "taint-eviction";
  readonly workers = 8;
  readonly watches;
  private readonly context: ControllerContext;
  private readonly nodes: SharedInformer<Node>;
  private readonly pods: SharedInformer<Pod>;
  /** When a taint without a time was first seen. */
  private readonly firstSeen = new Map<string, number>();

  constructor(context: ControllerContext) {
    this.context = context;
    this.nodes = context.informers.informer(Node);
    this.pods = context.informers.informer(Pod);
    const podsOn = podsOnNode(this.pods);
    this.watches = [
      watchItself(this.pods),
      watch(this.nodes, (change, wake) => {
        const { object } = change;
        if (change.type === "updated" && equalJson(object.spec?.taints, change.old.spec?.taints)) return;
        this.forgetGone(object);
        for (const pod of podsOn(object.metadata.name)) wake(keyOf(pod));
      }),
    ];
  }

  async reconcile(key: ObjectKey): Promise<Outcome> {
    const pod = this.pods.get(key);
    if (!pod || pod.metadata.deletionTimestamp !== undefined || !pod.spec?.nodeName) return settled;
    const { nodeName } = pod.spec;
    const taints = this.nodes.get({ name: nodeName })?.spec?.taints ?? [];
    const now = this.context.clock.now();
    const tolerances = (pod.spec.tolerations ?? []).map((toleration) => ({
      tolerates: (taint: Taint) => tolerates(toleration, taint),
      seconds: toleration.tolerationSeconds,
    }));
    const since = (taint: Taint) => this.since(taint, { nodeName, now });
    const at = evictionTime(taints, { tolerances, since, now });
    if (at === undefined) return settled;
    if (at > now) return again(at - now);
    await this.evict(pod);
    return settled;
  }

  private since(taint: Taint, { nodeName, now }: { nodeName: string; now: number }): number {
    if (taint.timeAdded !== undefined) return timeOf(taint.timeAdded);
    const key = taintKey(nodeName, taint);
    const known = this.firstSeen.get(key);
    if (known === undefined) this.firstSeen.set(key, now);
    return known ?? now;
  }

  private forgetGone({ metadata: { name }, spec }: Node): void {
    const lasting = new Set((spec?.taints ?? []).map((taint) => taintKey(name, taint)));
    for (const key of this.firstSeen.keys()) {
      if (key.startsWith(`${name} `) && !lasting.has(key)) this.firstSeen.delete(key);
    }
  }

  private async evict(pod: Pod): Promise<void> {
    const { client, clock, events } = this.context;
    const message = `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`;
    events.event({ resource: Pod, object: pod }, { type: "Normal", reason: "TaintManagerEviction", message });
    const conditions = withCondition(pod.status?.conditions, {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByTaintManager",
      message: "Taint manager: deleting due to NoExecute taint",
      lastTransitionTime: timestampOf(clock.now()),
    });
    try {
      const { uid } = pod.metadata;
      const body = { metadata: { uid }, status: { conditions } };
      await client.patch(Pod, keyOf(pod), { type: "strategic", body }, { subresource: "status" });
      await client.delete(Pod, keyOf(pod), { preconditions: { uid } });
    } catch (error) {
      if (!ApiError.is(error, "NotFound")) throw error;
    }
  }
}

const taintKey = (node: string, taint: Taint) => `${node} ${taint.key} ${taint.value ?? ""}`;
