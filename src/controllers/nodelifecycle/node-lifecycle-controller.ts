import { ApiError, keyOf } from "../../apimachinery/index.ts";
import { timestampOf } from "../../client/index.ts";
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
} from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";
import { healthOf, planTaints, silentConditions } from "./plan.ts";
import { podsOnNode } from "./taint-eviction-controller.ts";

const leaseNamespace = "kube-node-lease";
/** How often pods of nodes that are not ready are looked at again. */
const recheck = 5_000;

/** Notices kubelets that have gone silent, taints their nodes and marks their pods not ready. */
export function nodeLifecycleController(context: ControllerContext): Controller {
  const { client, clock, informers, events, settings } = context;
  const nodes = informers.informer(Node);
  const leases = informers.informer(Lease, { namespace: leaseNamespace });
  const pods = informers.informer(Pod);
  const onNode = podsOnNode(pods);
  /** When a sign of life was last seen, by our own clock: the kubelet's may differ. */
  const seen = new Map<string, { readonly sign: string; readonly at: number }>();

  function silence(node: Node): number {
    const { name } = node.metadata;
    const renewed = leases.get({ namespace: leaseNamespace, name })?.spec?.renewTime ?? "";
    const heartbeat = node.status?.conditions?.find(({ type }) => type === "Ready")?.lastHeartbeatTime ?? "";
    const sign = `${renewed} ${heartbeat}`;
    const now = clock.now();
    const known = seen.get(name);
    if (known?.sign === sign) return now - known.at;
    seen.set(name, { sign, at: now });
    return 0;
  }

  async function markSilent(node: Node): Promise<Node> {
    const at = { timestamp: timestampOf(clock.now()), created: node.metadata.creationTimestamp };
    const conditions = silentConditions(node.status?.conditions, at);
    if (equalJson(conditions, node.status?.conditions)) return node;
    const status = { ...node.status, conditions } as Node["status"];
    const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
    events.event({ resource: Node, object: node }, { type: "Normal", reason: "NodeNotReady", message });
    return client.update<Node>(Node, { ...node, status }, { subresource: "status" });
  }

  async function taint(node: Node): Promise<void> {
    const taints = planTaints(node, { timestamp: timestampOf(clock.now()) });
    if (taints === node.spec?.taints || (taints.length === 0 && !node.spec?.taints)) return;
    const { uid, resourceVersion } = node.metadata;
    const body = { metadata: { uid, resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } };
    await client.patch(Node, keyOf(node), { type: "merge", body });
  }

  async function markPods(node: Node): Promise<void> {
    for (const pod of onNode(node.metadata.name)) {
      if (isFinished(pod) || podCondition(pod, "Ready")?.status !== "True") continue;
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

  return {
    name: "node-lifecycle",
    watches: [
      watchItself(nodes),
      watch(leases, ({ type, object }, wake) => {
        // Renewals are noticed when the grace period ends; only a first lease or a lost one is news.
        if (type !== "updated") wake({ name: object.metadata.name });
      }),
      watch(pods, () => undefined),
    ],
    async reconcile({ name }) {
      const node = nodes.get({ name });
      if (node === undefined) {
        seen.delete(name);
        return settled;
      }
      const started = node.status?.conditions?.some(({ type }) => type === "Ready") === true;
      const grace = started ? settings.nodeMonitorGracePeriod : settings.nodeStartupGracePeriod;
      const quiet = silence(node);
      const current = quiet >= grace ? await markSilent(node) : node;
      await taint(current);
      if (healthOf(current) !== "True" && started) await markPods(current);
      return again(quiet >= grace ? recheck : grace - quiet);
    },
  };
}
