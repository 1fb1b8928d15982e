import { ignoreMissing } from "../../api/index.ts";
import { keyOf } from "../../apimachinery/index.ts";
import type { New, ObjectKey } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { Node, Pod } from "../../api/types/core-v1.ts";
import { ControllerRevision, DaemonSet } from "../../api/types/apps-v1.ts";
import {
  again,
  allAtOnce,
  claimOwned,
  controllerReference,
  createPodFor,
  equalJson,
  indexByController,
  matchesSelector,
  observed,
  podFromTemplate,
  revisionHashLabel,
  settled,
  slowStart,
  syncRevisions,
  truncateRevisions,
  watch,
  watchItself,
  watchOnlyUntilSynced,
  watchOwned,
} from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";
import { daemonTolerations } from "./nodes.ts";
import { planDaemonSet } from "./plan.ts";

/** Keeps a pod of each DaemonSet on every node that fits. */
export function daemonSetController(context: ControllerContext): Controller {
  return new DaemonSetController(context);
}

class DaemonSetController implements Controller {
  readonly name = "daemonset";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly sets: SharedInformer<DaemonSet>;
  private readonly pods: SharedInformer<Pod>;
  private readonly nodes: SharedInformer<Node>;
  private readonly revisions: SharedInformer<ControllerRevision>;

  constructor(context: ControllerContext) {
    this.context = context;
    this.sets = context.informers.informer(DaemonSet);
    this.pods = indexByController(context.informers.informer(Pod));
    this.nodes = context.informers.informer(Node);
    this.revisions = indexByController(context.informers.informer(ControllerRevision));
    this.watches = [
      watchItself(this.sets),
      watchOwned(this.pods, {
        resource: DaemonSet,
        owners: this.sets,
        selectorOf: ({ spec }) => spec.selector,
      }),
      watch(this.nodes, (change, wake) => {
        // Heartbeats change nothing for daemons.
        const shown = ({ metadata, spec }: Node) => [metadata.labels, spec?.taints];
        if (change.type === "updated" && equalJson(shown(change.object), shown(change.old))) return;
        for (const set of this.sets.list()) wake(keyOf(set));
      }),
      watchOnlyUntilSynced(this.revisions),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const { context } = this;
    const { client, clock } = context;
    const set = this.sets.get(key);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return settled;
    const pods = await this.claim(set);
    const collisionCount = set.status?.collisionCount ?? 0;
    const { template } = set.spec;
    const { revisions } = this;
    const all = await syncRevisions(set, {
      context,
      revisions,
      resource: DaemonSet,
      template,
      collisionCount,
      signal,
    });
    const hash = all.at(-1)?.metadata.labels?.[revisionHashLabel] ?? "";
    const plan = planDaemonSet(set, { nodes: this.nodes.list(), pods, hash, now: clock.now() });
    const created = await slowStart(plan.create, (node) =>
      createPodFor({ resource: DaemonSet, object: set }, { draft: draftPod(set, { node, hash }), context }),
    );
    const removed = await allAtOnce(plan.delete, (pod) => this.deletePod(set, pod));
    await observed(this.pods, { stored: created.done, deleted: removed.done }, { clock, signal });
    if (!equalJson(plan.status, set.status)) {
      await client.update(DaemonSet, { ...set, status: plan.status }, { subresource: "status" });
    }
    const used = new Set([hash, ...pods.map((pod) => pod.metadata.labels?.[revisionHashLabel])]);
    await truncateRevisions(all, {
      context,
      limit: set.spec.revisionHistoryLimit ?? 10,
      live: ({ metadata }) => used.has(metadata.labels?.[revisionHashLabel]),
    });
    if (created.failed) throw created.failure;
    if (removed.failed) throw removed.failure;
    return again(plan.wakeIn);
  }

  private claim(set: DaemonSet): Promise<readonly Pod[]> {
    return claimOwned(set, {
      client: this.context.client,
      informer: this.pods,
      resource: Pod,
      ownerResource: DaemonSet,
      matches: ({ metadata }) => matchesSelector(set.spec.selector, metadata.labels),
    });
  }

  private async deletePod(set: DaemonSet, pod: Pod): Promise<Pod> {
    const { client, events } = this.context;
    const about = { resource: DaemonSet, object: set };
    if (pod.status?.phase === "Failed") {
      const message = `Found failed daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${pod.spec?.nodeName ?? ""}, will try to kill it`;
      events.event(about, { type: "Warning", reason: "FailedDaemonPod", message });
    }
    await ignoreMissing(client.delete(Pod, keyOf(pod), { preconditions: { uid: pod.metadata.uid } }));
    const message = `Deleted pod: ${pod.metadata.name}`;
    events.event(about, { type: "Normal", reason: "SuccessfulDelete", message });
    return pod;
  }
}

/** A daemon bound to its node by affinity, so that the scheduler places it. */
function draftPod(set: DaemonSet, { node, hash }: { node: string; hash: string }): New<Pod> {
  const reference = controllerReference(DaemonSet, set);
  const pod = podFromTemplate(set.spec.template, { owner: set, reference }) as unknown as Pod;
  const { affinity, tolerations = [], hostNetwork } = pod.spec ?? ({} as Partial<NonNullable<Pod["spec"]>>);
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const matchFields = [{ key: "metadata.name", operator: "In", values: [node] }];
  const terms = required?.nodeSelectorTerms ?? [{}];
  const nodeSelectorTerms = terms.map((term) => ({ ...term, matchFields }));
  return {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, [revisionHashLabel]: hash } },
    spec: {
      ...pod.spec,
      tolerations: [...tolerations, ...daemonTolerations({ hostNetwork: hostNetwork === true })],
      affinity: {
        ...affinity,
        nodeAffinity: {
          ...affinity?.nodeAffinity,
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
        },
      },
    },
  } as unknown as New<Pod>;
}
