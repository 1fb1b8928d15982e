import { KeyedHeap, type Clock, type Milliseconds, type Timer } from "../base/index.ts";
import type { Pod } from "../api/types/core-v1.ts";
import type { ClusterEvent, Plugin } from "./framework.ts";

export const firstBackOff: Milliseconds = 1000;
export const longestBackOff: Milliseconds = 10_000;
/** A pod that no event has woken is tried again after this. */
export const longestUnschedulable: Milliseconds = 5 * 60_000;

/** A pod that waits for a node. */
export interface QueuedPod {
  readonly pod: Pod;
  readonly attempts: number;
  /** Its place among pods of one priority: grows each time that a pod comes in. */
  readonly order: number;
  /** When it may be tried again. */
  readonly readyAt: Milliseconds;
  /** Plugins that turned it down at its last try. */
  readonly turnedDownBy: ReadonlySet<string>;
}

/** How a try ended that gave the pod no node. */
export type Failure =
  /** Nothing helps but an event that one of these plugins waits for; without any, a new node. */
  | { readonly type: "unschedulable"; readonly turnedDownBy: ReadonlySet<string> }
  /** The same try may succeed later. */
  | { readonly type: "failed" };

interface ParkedPod extends QueuedPod {
  readonly parkedAt: Milliseconds;
}

const uidOf = ({ pod }: QueuedPod) => pod.metadata.uid;
const priorityOf = ({ pod }: QueuedPod) => pod.spec.priority ?? 0;
/** Stands for the plugins of pods that no plugin turned down, as there was no node. */
const noNode = "";
const nobody: ReadonlySet<string> = new Set();

/**
 * Pods without a node, each in one of four places: active (to be tried now, the highest priority first), in flight
 * (being tried or bound), backing off (to be tried at a time), or unschedulable (to be tried when something changes).
 *
 *     add → active → pop → in flight → delete
 *              ↑                ↓ putBack
 *          backing off ←── unschedulable
 */
export class SchedulingQueue {
  private readonly active = new KeyedHeap<QueuedPod>({
    keyOf: uidOf,
    before: (one, other) =>
      priorityOf(one) === priorityOf(other) ? one.order < other.order : priorityOf(one) > priorityOf(other),
  });
  private readonly backingOff = new KeyedHeap<QueuedPod>({
    keyOf: uidOf,
    before: (one, other) => one.readyAt < other.readyAt,
  });
  private readonly inFlight = new Map<string, QueuedPod>();
  private readonly unschedulable = new Map<string, ParkedPod>();
  /** The unschedulable pods that each plugin has turned down. */
  private readonly parkedBy = new Map<string, Set<string>>();
  private readonly clock: Clock;
  private readonly plugins: ReadonlyMap<string, Plugin>;
  private waiting: (() => void) | undefined;
  private timer: Timer | undefined;
  private order = 0;

  constructor(options: { readonly clock: Clock; readonly plugins: readonly Plugin[] }) {
    this.clock = options.clock;
    this.plugins = new Map(options.plugins.map((plugin) => [plugin.name, plugin]));
  }

  /** Pods that wait; those in flight do not. */
  get size(): number {
    return this.active.size + this.backingOff.size + this.unschedulable.size;
  }

  get sizes(): { active: number; backingOff: number; unschedulable: number; inFlight: number } {
    return {
      active: this.active.size,
      backingOff: this.backingOff.size,
      unschedulable: this.unschedulable.size,
      inFlight: this.inFlight.size,
    };
  }

  /** A new pod, or a new version of one that is here. */
  add(pod: Pod): void {
    const { uid } = pod.metadata;
    const flying = this.inFlight.get(uid);
    const active = this.active.get(uid);
    const waiting = this.backingOff.get(uid);
    const parked = this.unschedulable.get(uid);
    if (flying !== undefined) this.inFlight.set(uid, { ...flying, pod });
    else if (active !== undefined) this.active.set({ ...active, pod });
    else if (waiting !== undefined) this.backingOff.set({ ...waiting, pod });
    else if (parked === undefined) this.activate(this.newcomer(pod));
    else if (specChanged(parked.pod, pod)) this.wake({ ...parked, pod });
    else this.unschedulable.set(uid, { ...parked, pod });
  }

  /** The pod is gone or has a node. */
  delete({ metadata: { uid } }: Pod): void {
    this.active.delete(uid);
    this.backingOff.delete(uid);
    this.inFlight.delete(uid);
    this.unpark(uid);
  }

  /** The next pod to try, which is in flight from now on until it is put back or deleted: it has a node or is gone. */
  pop(): QueuedPod | undefined {
    const item = this.active.pop();
    if (item === undefined) return undefined;
    const tried = { ...item, attempts: item.attempts + 1 };
    this.inFlight.set(item.pod.metadata.uid, tried);
    return tried;
  }

  /** Settles when there is a pod to try; rejects when the signal aborts. For one caller at a time. */
  whenReady(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.active.size > 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.waiting = undefined;
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.waiting = () => {
        this.waiting = undefined;
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
    });
  }

  /** Takes back a pod in flight, in its newest version; false when it was deleted meanwhile. */
  putBack({ metadata: { uid } }: Pod, failure: Failure): boolean {
    const item = this.inFlight.get(uid);
    if (item === undefined) return false;
    this.inFlight.delete(uid);
    const now = this.clock.now();
    const returned: QueuedPod = {
      ...item,
      order: this.order++,
      readyAt: now + Math.min(firstBackOff * 2 ** (item.attempts - 1), longestBackOff),
      turnedDownBy: failure.type === "unschedulable" ? failure.turnedDownBy : nobody,
    };
    if (failure.type === "failed") this.backingOff.set(returned);
    else this.park({ ...returned, parkedAt: now });
    this.arm();
    return true;
  }

  /** Wakes the pods for which the event may have changed the outcome. */
  notify(event: ClusterEvent): void {
    if (this.unschedulable.size === 0) return;
    for (const [name, parked] of this.parkedBy) {
      const plugin = this.plugins.get(name);
      const mayHelp = plugin === undefined ? event.type === "nodeAdded" : plugin.wokenBy.includes(event.type);
      if (!mayHelp) continue;
      for (const uid of parked) {
        const item = this.unschedulable.get(uid);
        if (item !== undefined && (plugin?.worthRetrying?.(item.pod, event) ?? true)) this.wake(item);
      }
    }
  }

  close(): void {
    this.timer?.cancel();
  }

  private newcomer(pod: Pod): QueuedPod {
    return { pod, attempts: 0, order: this.order++, readyAt: this.clock.now(), turnedDownBy: nobody };
  }

  private park(item: ParkedPod): void {
    const { uid } = item.pod.metadata;
    this.unschedulable.set(uid, item);
    for (const name of item.turnedDownBy.size === 0 ? [noNode] : item.turnedDownBy) {
      const parked = this.parkedBy.get(name);
      if (parked === undefined) this.parkedBy.set(name, new Set([uid]));
      else parked.add(uid);
    }
  }

  private unpark(uid: string): void {
    const item = this.unschedulable.get(uid);
    if (item === undefined) return;
    this.unschedulable.delete(uid);
    for (const name of item.turnedDownBy.size === 0 ? [noNode] : item.turnedDownBy)
      this.parkedBy.get(name)?.delete(uid);
  }

  private wake(item: QueuedPod): void {
    this.unpark(item.pod.metadata.uid);
    if (item.readyAt <= this.clock.now()) return this.activate(item);
    this.backingOff.set(item);
    this.arm();
  }

  private activate(item: QueuedPod): void {
    this.active.set(item);
    this.waiting?.();
  }

  /** One timer, for whatever is due first. */
  private arm(): void {
    this.timer?.cancel();
    const backOffEnds = this.backingOff.peek()?.readyAt ?? Infinity;
    const due = Math.min(backOffEnds, (this.longestParked()?.parkedAt ?? Infinity) + longestUnschedulable);
    if (due !== Infinity) this.timer = this.clock.after(due - this.clock.now(), () => this.flush());
  }

  private flush(): void {
    const now = this.clock.now();
    for (;;) {
      const first = this.backingOff.peek();
      if (first === undefined || first.readyAt > now) break;
      this.backingOff.pop();
      this.activate(first);
    }
    for (;;) {
      const item = this.longestParked();
      if (item === undefined || item.parkedAt + longestUnschedulable > now) break;
      this.wake(item);
    }
    this.arm();
  }

  /** The map keeps the order of arrival, so its first is the one that waits longest. */
  private longestParked(): ParkedPod | undefined {
    return this.unschedulable.values().next().value;
  }
}

/** Whether the new version could schedule where the old could not; a status does not count. */
function specChanged(old: Pod, pod: Pod): boolean {
  const same = old.spec === pod.spec && old.metadata.labels === pod.metadata.labels;
  const view = ({ spec, metadata }: Pod) => JSON.stringify([spec, metadata.labels]);
  return !same && view(old) !== view(pod);
}
