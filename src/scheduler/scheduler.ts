import { invariant, type Clock, type Logger, type Random } from "../base/index.ts";
import { ApiError, keyOf } from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import { Node, Pod } from "../api/types/core-v1.ts";
import type { EventRecorder, Informer, InformerFactory } from "../client/index.ts";
import { SchedulerCache } from "./cache.ts";
import { place, unplacedMessage, type Placement } from "./cycle.ts";
import type { Plugin } from "./framework.ts";
import { defaultPlugins } from "./plugins/index.ts";
import { SchedulingQueue, type QueuedPod } from "./queue.ts";

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
  private readonly cache = new SchedulerCache();
  private readonly queue: SchedulingQueue;
  private readonly bindings = new Set<Promise<void>>();
  /** Where the next search begins, so that all nodes get their turn. */
  private start = 0;

  constructor(options: SchedulerOptions) {
    this.options = options;
    this.schedulerName = options.schedulerName ?? "default-scheduler";
    this.plugins = options.plugins ?? defaultPlugins;
    this.queue = new SchedulingQueue({ clock: options.clock, plugins: this.plugins });
  }

  async run(signal: AbortSignal): Promise<void> {
    const nodes = this.options.informers.informer(Node);
    const pods = this.options.informers.informer(Pod);
    const stops = [this.watchNodes(nodes), this.watchPods(pods)];
    try {
      await Promise.all([nodes.whenSynced(signal), pods.whenSynced(signal)]);
      await this.scheduleAll(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const stop of stops) stop();
      this.queue.close();
      await Promise.all(this.bindings);
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
      this.queue.delete(pod);
      this.cache.setPod(pod);
      if (old === undefined || !isAssigned(old)) this.queue.notify({ type: "podAssigned", pod });
    } else if (this.isMine(pod) && !this.cache.isAssumed(pod)) this.queue.add(pod);
  }

  private lose(pod: Pod): void {
    this.queue.delete(pod);
    this.cache.removePod(pod);
    if (isAssigned(pod)) this.queue.notify({ type: "podRemoved", pod });
  }

  private isMine(pod: Pod): boolean {
    return pod.spec.schedulerName === this.schedulerName && pod.metadata.deletionTimestamp === undefined;
  }

  private async scheduleAll(signal: AbortSignal): Promise<void> {
    for (let placed = 1; ; placed++) {
      const item = await this.queue.next(signal);
      if (this.bindings.size >= bindingsAtOnce) await Promise.race(this.bindings);
      if (placed % placementsInARow === 0) await new Promise((resolve) => setImmediate(resolve));
      this.schedule(item);
    }
  }

  private schedule(item: QueuedPod): void {
    const { pod } = item;
    if ((pod.spec.schedulingGates?.length ?? 0) > 0) {
      this.queue.putBack(item, { turnedDownBy: new Set(["SchedulingGates"]), moves: this.queue.moves });
      return;
    }
    const moves = this.queue.moves;
    const { random } = this.options;
    const placement = place(pod, { snapshot: this.cache, plugins: this.plugins, random, start: this.start });
    const nodeCount = this.cache.nodes.length;
    if (nodeCount > 0) this.start = (this.start + placement.looked) % nodeCount;
    const work =
      placement.type === "placed"
        ? this.bind(item, placement.node.name)
        : this.turnDown(item, { placement, moves });
    const tracked = work
      .catch((error: unknown) => this.options.logger.error("scheduling failed", { pod: keyOf(pod), error }))
      .finally(() => this.bindings.delete(tracked));
    this.bindings.add(tracked);
  }

  private async bind(item: QueuedPod, nodeName: string): Promise<void> {
    const { client, events } = this.options;
    const { pod } = item;
    const moves = this.queue.moves;
    const { namespace, name } = pod.metadata;
    this.cache.assume(pod, nodeName);
    try {
      await client.post(Pod, keyOf(pod), "binding", {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { namespace, name, uid: pod.metadata.uid },
        target: { apiVersion: "v1", kind: "Node", name: nodeName },
      });
      events.event(
        { resource: Pod, object: pod },
        {
          type: "Normal",
          reason: "Scheduled",
          message: `Successfully assigned ${namespace}/${name} to ${nodeName}`,
        },
      );
    } catch (error) {
      this.cache.forget(pod);
      if (ApiError.is(error, "NotFound")) return;
      this.options.logger.warn("binding failed", { pod: keyOf(pod), node: nodeName, error });
      this.queue.putBack(item, { turnedDownBy: new Set(), moves });
    }
  }

  private async turnDown(
    item: QueuedPod,
    { placement, moves }: { placement: Placement; moves: number },
  ): Promise<void> {
    invariant(placement.type === "unplaced", "only an unplaced pod is turned down");
    const { pod } = item;
    const message = unplacedMessage(placement.refusals, this.cache.nodes.length);
    this.queue.putBack(item, {
      turnedDownBy: new Set([...placement.refusals.values()].map(({ plugin }) => plugin)),
      moves,
    });
    this.options.events.event(
      { resource: Pod, object: pod },
      { type: "Warning", reason: "FailedScheduling", message },
    );
    await this.reportUnschedulable(pod, message);
  }

  private async reportUnschedulable(pod: Pod, message: string): Promise<void> {
    const present = pod.status.conditions?.find(({ type }) => type === "PodScheduled");
    if (present?.status === "False" && present.reason === "Unschedulable" && present.message === message)
      return;
    const now = new Date(this.options.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const condition = {
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message,
      lastProbeTime: null,
      lastTransitionTime: present?.status === "False" ? present.lastTransitionTime : now,
    };
    try {
      const body = { status: { conditions: [condition] } };
      await this.options.client.patch(
        Pod,
        keyOf(pod),
        { type: "strategic", body },
        { subresource: "status" },
      );
    } catch (error) {
      if (!ApiError.is(error, "NotFound")) throw error;
    }
  }
}

const isAssigned = (pod: Pod) => pod.spec.nodeName !== undefined && pod.spec.nodeName !== "";
const isOver = ({ status }: Pod) => status.phase === "Succeeded" || status.phase === "Failed";

/** Whether the change of a node can matter to a waiting pod; heartbeats do not. */
function schedulingChanged(node: Node, old: Node): boolean {
  const view = ({ metadata, spec, status }: Node) => [
    metadata.labels,
    spec.taints,
    spec.unschedulable,
    status.allocatable,
  ];
  return JSON.stringify(view(node)) !== JSON.stringify(view(old));
}
