import { KeyedHeap, type Clock, type Milliseconds, type Timer } from "../base/index.ts";
import { keyOf, keyString } from "../apimachinery/index.ts";
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
  /** When it came into the queue first. */
  readonly since: Milliseconds;
  /** When it may be tried again. */
  readonly readyAt: Milliseconds;
  /** Plugins that turned it down at its last try. */
  readonly turnedDownBy: ReadonlySet<string>;
}

const priorityOf = ({ pod }: QueuedPod) => pod.spec.priority ?? 0;
const queueKey = (pod: Pod) => keyString(keyOf(pod));

/**
 * Pods without a node, each in one of three places: active (to be tried now, the highest priority first), backing
 * off (to be tried at a time), or unschedulable (to be tried when something changes).
 */
export class SchedulingQueue {
  private readonly active = new KeyedHeap<QueuedPod>({
    keyOf: ({ pod }) => queueKey(pod),
    before: (one, other) =>
      priorityOf(one) === priorityOf(other) ? one.since < other.since : priorityOf(one) > priorityOf(other),
  });
  private readonly backingOff = new KeyedHeap<QueuedPod>({
    keyOf: ({ pod }) => queueKey(pod),
    before: (one, other) => one.readyAt < other.readyAt,
  });
  private readonly unschedulable = new Map<string, ParkedPod>();
  private readonly clock: Clock;
  private readonly plugins: ReadonlyMap<string, Plugin>;
  private waiting: (() => void) | undefined;
  private timer: Timer | undefined;
  /** Raised by every event: a pod turned down meanwhile was judged on an old view. */
  private eventCount = 0;

  constructor(options: { readonly clock: Clock; readonly plugins: readonly Plugin[] }) {
    this.clock = options.clock;
    this.plugins = new Map(options.plugins.map((plugin) => [plugin.name, plugin]));
  }

  get size(): number {
    return this.active.size + this.backingOff.size + this.unschedulable.size;
  }

  get moves(): number {
    return this.eventCount;
  }

  /** A new pod, or a new version of one that waits. */
  add(pod: Pod): void {
    const key = queueKey(pod);
    const parked = this.unschedulable.get(key);
    const present = this.active.get(key) ?? this.backingOff.get(key) ?? parked;
    if (present !== undefined && present.pod.metadata.uid === pod.metadata.uid) {
      if (this.active.get(key)) this.active.set({ ...present, pod });
      else if (parked === undefined) this.backingOff.set({ ...present, pod });
      else if (specChanged(parked.pod, pod)) this.wake({ ...parked, pod });
      else this.unschedulable.set(key, { ...parked, pod });
      return;
    }
    this.delete(pod);
    const now = this.clock.now();
    this.activate({ pod, attempts: 0, since: now, readyAt: now, turnedDownBy: new Set() });
  }

  delete(pod: Pod): void {
    const key = queueKey(pod);
    this.active.delete(key);
    this.backingOff.delete(key);
    this.unschedulable.delete(key);
  }

  /** The next pod to try; waits for one. Rejects when the signal aborts. */
  async next(signal: AbortSignal): Promise<QueuedPod> {
    for (;;) {
      signal.throwIfAborted();
      const item = this.active.pop();
      if (item !== undefined) return { ...item, attempts: item.attempts + 1 };
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Takes back a pod that found no node. `moves` is that of when the try began. */
  putBack(
    item: QueuedPod,
    options: { readonly turnedDownBy: ReadonlySet<string>; readonly moves: number },
  ): void {
    const delay = Math.min(firstBackOff * 2 ** (item.attempts - 1), longestBackOff);
    const returned: QueuedPod = {
      ...item,
      readyAt: this.clock.now() + delay,
      turnedDownBy: options.turnedDownBy,
    };
    if (options.moves !== this.eventCount || options.turnedDownBy.size === 0) this.backOff(returned);
    else this.unschedulable.set(queueKey(item.pod), { ...returned, parkedAt: this.clock.now() });
    this.arm();
  }

  /** Wakes the pods for which the event may have changed the outcome. */
  notify(event: ClusterEvent): void {
    this.eventCount++;
    for (const item of this.unschedulable.values()) {
      const worth = [...item.turnedDownBy].some((name) => {
        const plugin = this.plugins.get(name);
        return plugin?.worthRetrying === undefined || plugin.worthRetrying(item.pod, event);
      });
      if (worth) this.wake(item);
    }
  }

  close(): void {
    this.timer?.cancel();
  }

  private wake(item: QueuedPod): void {
    this.unschedulable.delete(queueKey(item.pod));
    if (item.readyAt > this.clock.now()) this.backOff(item);
    else this.activate(item);
  }

  private backOff(item: QueuedPod): void {
    this.backingOff.set(item);
    this.arm();
  }

  private activate(item: QueuedPod): void {
    this.active.set(item);
    this.waiting?.();
    this.waiting = undefined;
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
    for (
      let first = this.backingOff.peek();
      first !== undefined && first.readyAt <= now;
      first = this.backingOff.peek()
    ) {
      this.backingOff.pop();
      this.activate(first);
    }
    for (
      let item = this.longestParked();
      item !== undefined && item.parkedAt + longestUnschedulable <= now;
    ) {
      this.wake(item);
      item = this.longestParked();
    }
    this.arm();
  }

  /** The map keeps the order of arrival, so its first is the one that waits longest. */
  private longestParked(): ParkedPod | undefined {
    return this.unschedulable.values().next().value;
  }
}

interface ParkedPod extends QueuedPod {
  readonly parkedAt: Milliseconds;
}

/** Whether the new version could schedule where the old could not; a status does not count. */
function specChanged(old: Pod, pod: Pod): boolean {
  return (
    old.spec !== pod.spec &&
    JSON.stringify([old.spec, old.metadata.labels]) !== JSON.stringify([pod.spec, pod.metadata.labels])
  );
}
