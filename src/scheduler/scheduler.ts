import type { Clock, Logger, Random } from "../base/index.ts";
import { ApiError, keyOf } from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import { Node, Pod } from "../api/types/core-v1.ts";
import { PodDisruptionBudget } from "../api/types/policy-v1.ts";
import type { EventRecorder, Informer, InformerFactory } from "../client/index.ts";
import { SchedulerCache } from "./cache.ts";
import { clusterView } from "./cluster-view.ts";
import { place, unplacedMessage, type Diagnosis } from "./cycle.ts";
import type { Plugin } from "./framework.ts";
import { defaultPlugins } from "./plugins/index.ts";
import { volumeBinding, volumeSteps, type VolumeStep } from "./plugins/volume-binding.ts";
import { planPreemption, type PreemptionPlan } from "./preemption.ts";
import { SchedulingQueue, type QueuedPod } from "./queue.ts";
import { PodWriter } from "./writer.ts";

/** Bindings under way at once; scheduling goes on meanwhile. */
const bindingsAtOnce = 64;
/** After so many placements other work of the process gets its turn. */
const placementsInARow = 32;

export interface SchedulerOptions {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Pods that name this scheduler are its own. */
  readonly schedulerName?: string;
  readonly plugins?: readonly Plugin[];
}

/** Gives each pod without a node the best node for it. Settles when the signal has aborted and all bindings have ended. */
export async function runScheduler(options: SchedulerOptions, signal: AbortSignal): Promise<void> {
  await new Scheduler(options).run(signal);
}

class Scheduler {
  private readonly options: SchedulerOptions;
  private readonly schedulerName: string;
  private readonly plugins: readonly Plugin[];
  private readonly cluster: ReturnType<typeof clusterView>;
  private readonly cache: SchedulerCache;
  private readonly queue: SchedulingQueue;
  private readonly writer: PodWriter;
  private readonly budgets: Informer<PodDisruptionBudget>;
  private readonly writes = new Set<Promise<void>>();
  /** Where the next search begins, so that all nodes get their turn. */
  private start = 0;

  constructor(options: SchedulerOptions) {
    this.options = options;
    this.schedulerName = options.schedulerName ?? "default-scheduler";
    this.plugins = options.plugins ?? defaultPlugins;
    this.queue = new SchedulingQueue({ clock: options.clock, plugins: this.plugins });
    this.cluster = clusterView(options.informers, () => this.queue.notify({ type: "volumesChanged" }));
    this.cache = new SchedulerCache(this.cluster.view);
    this.budgets = options.informers.informer(PodDisruptionBudget);
    this.writer = new PodWriter({ ...options, schedulerName: this.schedulerName });
  }

  async run(signal: AbortSignal): Promise<void> {
    const nodes = this.options.informers.informer(Node);
    const pods = this.options.informers.informer(Pod);
    const stops = [this.watchNodes(nodes), this.watchPods(pods)];
    try {
      await Promise.all(
        [nodes, pods, this.budgets, this.cluster].map((informer) => informer.whenSynced(signal)),
      );
      await this.scheduleAll(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const stop of stops) stop();
      this.cluster.stop();
      this.queue.close();
      await Promise.all(this.writes);
    }
  }

  private watchNodes(nodes: Informer<Node>) {
    return nodes.on({
      added: (node) => {
        this.cache.setNode(node);
        this.queue.notify({ type: "nodeAdded", node });
      },
      updated: (node, old) => {
        this.cache.setNode(node);
        if (schedulingChanged(node, old)) this.queue.notify({ type: "nodeUpdated", node, old });
      },
      deleted: (node) => this.cache.removeNode(node.metadata.name),
    });
  }

  private watchPods(pods: Informer<Pod>) {
    return pods.on({
      added: (pod) => this.observe(pod),
      updated: (pod, old) => this.observe(pod, old),
      deleted: (pod) => this.lose(pod),
    });
  }

  private observe(pod: Pod, old?: Pod): void {
    if (isOver(pod)) {
      if (old === undefined || !isOver(old)) this.lose(pod);
    } else if (isAssigned(pod)) {
      this.cache.setPod(pod);
      const arrived = old === undefined || !isAssigned(old);
      if (arrived) this.unqueue(pod);
      if (arrived || labelsChanged(pod, old)) this.queue.notify({ type: "podAssigned", pod });
    } else if (this.isToSchedule(pod)) {
      if (old?.status.nominatedNodeName !== pod.status.nominatedNodeName)
        this.cache.nominate(pod, pod.status.nominatedNodeName ?? "");
      this.queue.add(pod);
    } else this.unqueue(pod);
  }

  private lose(pod: Pod): void {
    this.unqueue(pod);
    const counted = isAssigned(pod) || this.cache.isAssumed(pod);
    this.cache.removePod(pod);
    if (counted) this.queue.notify({ type: "podRemoved", pod });
  }

  private unqueue(pod: Pod): void {
    this.queue.delete(pod);
    this.cache.nominate(pod, "");
  }

  private isToSchedule({ metadata, spec }: Pod): boolean {
    return (
      spec.schedulerName === this.schedulerName &&
      metadata.deletionTimestamp === undefined &&
      (spec.schedulingGates?.length ?? 0) === 0
    );
  }

  private async scheduleAll(signal: AbortSignal): Promise<void> {
    for (let tried = 1; ; tried++) {
      if (this.writes.size >= bindingsAtOnce) await Promise.race(this.writes);
      if (tried % placementsInARow === 0) await new Promise((resolve) => setImmediate(resolve));
      await this.queue.whenReady(signal);
      // No pause from here to the decision: what the informers say meanwhile would be lost.
      const item = this.queue.pop();
      if (item !== undefined) this.schedule(item);
    }
  }

  private schedule(item: QueuedPod): void {
    const { pod } = item;
    const { random } = this.options;
    const placement = place(pod, { snapshot: this.cache, plugins: this.plugins, random, start: this.start });
    const nodeCount = this.cache.nodes.length;
    if (nodeCount > 0) this.start = (this.start + placement.looked) % nodeCount;
    if (placement.type === "placed" && placement.node.node !== undefined) {
      const steps = volumeSteps(pod, { node: placement.node.node, cluster: this.cluster.view });
      if (steps !== undefined)
        return this.track(pod, this.prepareVolumes(pod, { steps, node: placement.node.name }));
    }
    this.track(
      pod,
      placement.type === "placed"
        ? this.bind(pod, placement.node.name)
        : this.turnDown(pod, placement.diagnosis),
    );
  }

  private track(pod: Pod, work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.options.logger.error("scheduling failed", { pod: keyOf(pod), error }))
      .finally(() => this.writes.delete(tracked));
    this.writes.add(tracked);
  }

  /** The pod is tried again when its claims are bound; they keep it on the node then. */
  private async prepareVolumes(
    pod: Pod,
    { steps, node }: { readonly steps: readonly VolumeStep[]; readonly node: string },
  ): Promise<void> {
    this.queue.putBack(pod, { type: "unschedulable", turnedDownBy: new Set([volumeBinding.name]) });
    await Promise.all(steps.map((step) => this.writer.prepareVolume(step, node)));
  }

  private async bind(pod: Pod, nodeName: string): Promise<void> {
    this.cache.assume(pod, nodeName);
    this.cache.nominate(pod, "");
    try {
      // It stays in flight until the informer shows it on its node.
      await this.writer.bind(pod, nodeName);
    } catch (error) {
      this.cache.forget(pod);
      this.queue.notify({ type: "podRemoved", pod });
      if (ApiError.is(error, "NotFound")) return this.queue.delete(pod);
      if (!this.queue.putBack(pod, { type: "failed" })) return;
      this.options.logger.warn("binding failed", { pod: keyOf(pod), node: nodeName, error });
      const message = `running Bind plugin "DefaultBinder": ${ApiError.from(error).message}`;
      await this.writer.reportFailure(pod, { reason: "SchedulerError", message });
    }
  }

  private async turnDown(pod: Pod, diagnosis: Diagnosis): Promise<void> {
    const nodeCount = this.cache.nodes.length;
    const plan = nodeCount === 0 ? undefined : this.planPreemption(pod, diagnosis);
    this.queue.putBack(pod, { type: "unschedulable", turnedDownBy: pluginsOf(diagnosis) });
    const preemption = plan?.type === "none" ? plan.message : undefined;
    const report = {
      reason: "Unschedulable",
      message: unplacedMessage(diagnosis, { nodeCount, preemption }),
    } as const;
    if (plan?.type !== "preempt") {
      if (plan?.clearsNomination) this.cache.nominate(pod, "");
      return this.writer.reportFailure(pod, plan?.clearsNomination ? { ...report, nomination: "" } : report);
    }
    const nomination = plan.node.name;
    const overruled = [...(this.cache.nominatedOn(nomination) ?? [])].filter(
      (other) => (other.spec.priority ?? 0) < (pod.spec.priority ?? 0),
    );
    this.cache.nominate(pod, nomination);
    for (const other of overruled) this.cache.nominate(other, "");
    await this.writer.reportFailure(pod, { ...report, nomination });
    await Promise.all([
      ...plan.victims.map((victim) => this.writer.preempt(victim, { by: pod, nodeName: nomination })),
      ...overruled.map((other) => this.writer.clearNomination(other)),
    ]);
  }

  private planPreemption(pod: Pod, diagnosis: Diagnosis): PreemptionPlan {
    const { random } = this.options;
    return planPreemption(pod, diagnosis, { snapshot: this.cache, budgets: this.budgets.list(), random });
  }
}

const isAssigned = (pod: Pod) => pod.spec.nodeName !== undefined && pod.spec.nodeName !== "";
const isOver = ({ status }: Pod) => status.phase === "Succeeded" || status.phase === "Failed";

function pluginsOf(diagnosis: Diagnosis): ReadonlySet<string> {
  if (diagnosis.type === "rejected") return new Set([diagnosis.plugin]);
  const plugins = new Set(diagnosis.excluded.plugins);
  for (const { plugin } of diagnosis.refusals.values()) plugins.add(plugin);
  return plugins;
}

function labelsChanged({ metadata: { labels } }: Pod, { metadata: { labels: before } }: Pod): boolean {
  return labels !== before && JSON.stringify(labels) !== JSON.stringify(before);
}

/** Whether the change of a node can matter to a waiting pod; heartbeats do not. */
function schedulingChanged(node: Node, old: Node): boolean {
  const view = ({ metadata, spec, status }: Node) => [
    metadata.labels,
    spec.taints,
    spec.unschedulable,
    status.allocatable,
  ];
  const before = view(old);
  return view(node).some(
    (part, index) => part !== before[index] && JSON.stringify(part) !== JSON.stringify(before[index]),
  );
}
