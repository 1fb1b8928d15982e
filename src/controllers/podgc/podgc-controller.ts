import { ApiError, keyOf, timestampOf } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { Node, Pod } from "../../api/types/core-v1.ts";
import { again, isFinished, settled, timeOf, watch, withCondition } from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";

const checkPeriod = 20_000;
/** How long a node must be missing before its pods go. */
const quarantine = 40_000;
const everything = { name: "all" };

/** Deletes pods that no one will end: of lost nodes, unscheduled and going, and too many that have ended. */
export function podGarbageCollector(context: ControllerContext): Controller {
  return new PodGarbageCollector(context);
}

class PodGarbageCollector implements Controller {
  readonly name = "pod-garbage-collector";
  readonly workers = 1;
  readonly watches;
  private readonly context: ControllerContext;
  private readonly pods: SharedInformer<Pod>;
  private readonly nodes: SharedInformer<Node>;
  private readonly missingSince = new Map<string, number>();

  constructor(context: ControllerContext) {
    this.context = context;
    this.pods = context.informers.informer(Pod);
    this.nodes = context.informers.informer(Node);
    this.watches = [
      watch(this.pods, (_, wake) => wake(everything, checkPeriod)),
      watch(this.nodes, ({ type }, wake) => type === "deleted" && wake(everything)),
    ];
  }

  async reconcile(): Promise<Outcome> {
    const finished: Pod[] = [];
    let waiting = false;
    for (const pod of this.pods.list()) {
      const nodeName = pod.spec?.nodeName ?? "";
      if (nodeName !== "" && (await this.isLost(nodeName)))
        await this.forceDelete(pod, "PodGC: node no longer exists");
      else if (nodeName === "" && pod.metadata.deletionTimestamp !== undefined) await this.forceDelete(pod);
      else if (isFinished(pod)) finished.push(pod);
      waiting ||= this.missingSince.has(nodeName);
    }
    for (const pod of oldestBeyond(this.context.settings.terminatedPodThreshold, finished)) {
      await this.forceDelete(pod);
    }
    return waiting ? again(checkPeriod) : settled;
  }

  /** Whether the node has been missing for the whole quarantine. */
  private async isLost(name: string): Promise<boolean> {
    const { client, clock } = this.context;
    if (this.nodes.get({ name })) {
      this.missingSince.delete(name);
      return false;
    }
    const since = this.missingSince.get(name);
    if (since === undefined) this.missingSince.set(name, clock.now());
    if (since === undefined || clock.now() - since < quarantine) return false;
    try {
      await client.get(Node, { name });
      return false;
    } catch (error) {
      if (ApiError.is(error, "NotFound")) return true;
      throw error;
    }
  }

  private async forceDelete(pod: Pod, disruption?: string): Promise<void> {
    const { uid } = pod.metadata;
    try {
      if (!isFinished(pod)) await this.fail(pod, disruption);
      await this.context.client.delete(Pod, keyOf(pod), { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!ApiError.is(error, "NotFound")) throw error;
    }
  }

  private async fail(pod: Pod, disruption: string | undefined): Promise<void> {
    const { client, clock } = this.context;
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
}

/** The oldest pods, as many as there are more than the threshold; none without one. */
function oldestBeyond(threshold: number, pods: readonly Pod[]): readonly Pod[] {
  const surplus = pods.length - threshold;
  if (threshold <= 0 || surplus <= 0) return [];
  const createdAt = ({ metadata }: Pod) => timeOf(metadata.creationTimestamp);
  return [...pods].sort((a, b) => createdAt(a) - createdAt(b)).slice(0, surplus);
}
