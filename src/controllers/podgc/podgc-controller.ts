import { ApiError, keyOf } from "../../apimachinery/index.ts";
import { timestampOf } from "../../client/index.ts";
import { Node, Pod } from "../../api/types/core-v1.ts";
import { isFinished, settled, timeOf, watch, withCondition } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";

const checkPeriod = 20_000;
/** How long a node must be missing before its pods go. */
const quarantine = 40_000;
const everything = { name: "all" };

/** Deletes pods that no one will end: of lost nodes, unscheduled and going, and too many that have ended. */
export function podGarbageCollector(context: ControllerContext): Controller {
  const { client, clock, settings } = context;
  const pods = context.informers.informer(Pod);
  const nodes = context.informers.informer(Node);
  const missingSince = new Map<string, number>();

  /** Whether the node has been missing for the whole quarantine. */
  async function isLost(name: string): Promise<boolean> {
    if (nodes.get({ name })) {
      missingSince.delete(name);
      return false;
    }
    const since = missingSince.get(name);
    if (since === undefined) missingSince.set(name, clock.now());
    if (since === undefined || clock.now() - since < quarantine) return false;
    try {
      await client.get(Node, { name });
      return false;
    } catch (error) {
      if (ApiError.is(error, "NotFound")) return true;
      throw error;
    }
  }

  async function forceDelete(pod: Pod, disruption?: string): Promise<void> {
    try {
      if (!isFinished(pod)) await fail(pod, disruption);
      await client.delete(Pod, keyOf(pod), {
        gracePeriodSeconds: 0,
        preconditions: { uid: pod.metadata.uid },
      });
    } catch (error) {
      if (!ApiError.is(error, "NotFound")) throw error;
    }
  }

  async function fail(pod: Pod, disruption: string | undefined): Promise<void> {
    const conditions = disruption
      ? withCondition(pod.status?.conditions, {
          type: "DisruptionTarget",
          status: "True",
          reason: "DeletionByPodGC",
          message: disruption,
          lastTransitionTime: timestampOf(clock.now()),
        })
      : pod.status?.conditions;
    const status = { phase: "Failed", ...(conditions ? { conditions } : {}) };
    await client.patch(Pod, keyOf(pod), { type: "strategic", body: { status } }, { subresource: "status" });
  }

  return {
    name: "pod-garbage-collector",
    workers: 1,
    watches: [
      watch(pods, (_, wake) => wake(everything, checkPeriod)),
      watch(nodes, ({ type }, wake) => type === "deleted" && wake(everything)),
    ],
    async reconcile() {
      const finished: Pod[] = [];
      let waiting = false;
      for (const pod of pods.list()) {
        const nodeName = pod.spec?.nodeName ?? "";
        if (nodeName !== "" && (await isLost(nodeName)))
          await forceDelete(pod, "PodGC: node no longer exists");
        else if (nodeName === "" && pod.metadata.deletionTimestamp !== undefined) await forceDelete(pod);
        else if (isFinished(pod)) finished.push(pod);
        waiting ||= missingSince.has(nodeName);
      }
      const surplus = finished.length - settings.terminatedPodThreshold;
      const oldest = finished.sort(
        (a, b) => timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp),
      );
      if (settings.terminatedPodThreshold > 0 && surplus > 0) {
        for (const pod of oldest.slice(0, surplus)) await forceDelete(pod);
      }
      return waiting ? { type: "again", after: checkPeriod } : settled;
    },
  };
}
