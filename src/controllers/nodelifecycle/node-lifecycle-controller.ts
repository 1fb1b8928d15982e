import { ApiError, keyOf, timestampOf } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { Node, Pod } from "../../api/types/core-v1.ts";
import { Lease } from "../../api/types/coordination-v1.ts";
import {
  again,
  equalJson,
  isFinished,
  podCondition,
  settled,
  watch,
  watchItself,
  watchOnlyUntilSynced,
} from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";
import { healthOf, planTaints, silentConditions } from "./plan.ts";
import { podsOnNode } from "./taint-eviction-controller.ts";

const leaseNamespace = "kube-node-lease";
/** How often pods of nodes that are not ready are looked at again. */
const recheck = 5_000;

/** Notices kubelets that have gone silent, taints their nodes and marks their pods not ready. */
export function nodeLifecycleController(context: ControllerContext): Controller {
  return new NodeLifecycleController(context);
}

class NodeLifecycleController implements Controller {
  readonly name = "node-lifecycle";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly nodes: SharedInformer<Node>;
  private readonly leases: SharedInformer<Lease>;
  private readonly podsOn: (node: string) => readonly Pod[];
  /** When a sign of life was last seen, by our own clock: the kubelet's may differ. */
  private readonly seen = new Map<string, { readonly sign: string; readonly at: number }>();

  constructor(context: ControllerContext) {
    this.context = context;
    this.nodes = context.informers.informer(Node);
    this.leases = context.informers.informer(Lease, { namespace: leaseNamespace });
    const pods = context.informers.informer(Pod);
    this.podsOn = podsOnNode(pods);
    this.watches = [
      watchItself(this.nodes),
      watch(this.leases, ({ type, object }, wake) => {
        // Renewals are noticed when the grace period ends; only a first lease or a lost one is news.
        if (type !== "updated") wake({ name: object.metadata.name });
      }),
      watchOnlyUntilSynced(pods),
    ];
  }

  async reconcile({ name }: ObjectKey): Promise<Outcome> {
    const node = this.nodes.get({ name });
    if (node === undefined) {
      this.seen.delete(name);
      return settled;
    }
    const { settings } = this.context;
    const started = node.status?.conditions?.some(({ type }) => type === "Ready") === true;
    const grace = started ? settings.nodeMonitorGracePeriod : settings.nodeStartupGracePeriod;
    const quiet = this.silence(node);
    const current = quiet >= grace ? await this.markSilent(node) : node;
    await this.taint(current);
    if (healthOf(current) !== "True" && started) await this.markPods(current);
    return again(quiet >= grace ? recheck : grace - quiet);
  }

  private silence(node: Node): number {
    const { name } = node.metadata;
    const renewed = this.leases.get({ namespace: leaseNamespace, name })?.spec?.renewTime ?? "";
    const heartbeat = node.status?.conditions?.find(({ type }) => type === "Ready")?.lastHeartbeatTime ?? "";
    const sign = `${renewed} ${heartbeat}`;
    const now = this.context.clock.now();
    const known = this.seen.get(name);
    if (known?.sign === sign) return now - known.at;
    this.seen.set(name, { sign, at: now });
    return 0;
  }

  private async markSilent(node: Node): Promise<Node> {
    const { client, clock, events } = this.context;
    const at = { timestamp: timestampOf(clock.now()), created: node.metadata.creationTimestamp };
    const conditions = silentConditions(node.status?.conditions, at);
    if (equalJson(conditions, node.status?.conditions)) return node;
    const status = { ...node.status, conditions } as Node["status"];
    const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
    events.event({ resource: Node, object: node }, { type: "Normal", reason: "NodeNotReady", message });
    return client.update<Node>(Node, { ...node, status }, { subresource: "status" });
  }

  private async taint(node: Node): Promise<void> {
    const { client, clock } = this.context;
    const taints = planTaints(node, { timestamp: timestampOf(clock.now()) });
    if (taints === node.spec?.taints || (taints.length === 0 && !node.spec?.taints)) return;
    const { uid, resourceVersion } = node.metadata;
    const body = { metadata: { uid, resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } };
    await client.patch(Node, keyOf(node), { type: "merge", body });
  }

  private async markPods(node: Node): Promise<void> {
    for (const pod of this.podsOn(node.metadata.name)) {
      if (!isFinished(pod) && podCondition(pod, "Ready")?.status === "True") await this.markPod(pod);
    }
  }

  private async markPod(pod: Pod): Promise<void> {
    const { client, clock, events } = this.context;
    const lastTransitionTime = timestampOf(clock.now());
    const changed = (pod.status?.conditions ?? []).map((condition) =>
      condition.type === "Ready" ? { ...condition, status: "False", lastTransitionTime } : condition,
    );
    const { uid, resourceVersion } = pod.metadata;
    const body = { metadata: { uid, resourceVersion }, status: { conditions: changed } };
    try {
      await client.patch(Pod, keyOf(pod), { type: "merge", body }, { subresource: "status" });
      const event = { type: "Warning", reason: "NodeNotReady", message: "Node is not ready" } as const;
      events.event({ resource: Pod, object: pod }, event);
    } catch (error) {
      if (!ApiError.is(error, "NotFound")) throw error;
    }
  }
}
