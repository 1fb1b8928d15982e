import { ApiError, keyOf } from "../../apimachinery/index.ts";
import { timestampOf } from "../../client/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { Node, Pod } from "../../api/types/core-v1.ts";
import type { Taint } from "../../api/types/core-v1.ts";
import { tolerates } from "../../api/index.ts";
import { again, equalJson, settled, timeOf, watch, watchItself, withCondition } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";
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
  const { client, clock, informers, events } = context;
  const nodes = informers.informer(Node);
  const pods = informers.informer(Pod);
  const onNode = podsOnNode(pods);
  /** When a taint without a time was first seen. */
  const firstSeen = new Map<string, number>();

  async function evict(pod: Pod): Promise<void> {
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
    const message = `Marking for deletion Pod ${name}`;
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

  return {
    name: "taint-eviction",
    workers: 8,
    watches: [
      watchItself(pods),
      watch(nodes, (change, wake) => {
        const { object } = change;
        if (change.type === "updated" && equalJson(object.spec?.taints, change.old.spec?.taints)) return;
        const lasting = new Set(
          (object.spec?.taints ?? []).map((taint) => taintKey(object.metadata.name, taint)),
        );
        for (const key of firstSeen.keys()) {
          if (key.startsWith(`${object.metadata.name} `) && !lasting.has(key)) firstSeen.delete(key);
        }
        for (const pod of onNode(object.metadata.name)) wake(keyOf(pod));
      }),
    ],
    async reconcile(key) {
      const pod = pods.get(key);
      if (!pod || pod.metadata.deletionTimestamp !== undefined || !pod.spec?.nodeName) return settled;
      const { nodeName } = pod.spec;
      const taints = nodes.get({ name: nodeName })?.spec?.taints ?? [];
      const now = clock.now();
      const tolerances = (pod.spec.tolerations ?? []).map((toleration) => ({
        tolerates: (taint: Taint) => tolerates(toleration, taint),
        seconds: toleration.tolerationSeconds,
      }));
      const since = (taint: Taint) => {
        if (taint.timeAdded !== undefined) return timeOf(taint.timeAdded);
        const known = firstSeen.get(taintKey(nodeName, taint));
        if (known === undefined) firstSeen.set(taintKey(nodeName, taint), now);
        return known ?? now;
      };
      const at = evictionTime(taints, { tolerances, since, now });
      if (at === undefined) return settled;
      if (at > now) return again(at - now);
      await evict(pod);
      return settled;
    },
  };
}

const taintKey = (node: string, taint: Taint) => `${node} ${taint.key} ${taint.value ?? ""}`;
