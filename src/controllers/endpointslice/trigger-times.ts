import type { Milliseconds } from "../../base/index.ts";
import { keyOf, keyString } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import type { Pod, Service } from "../../api/types/core-v1.ts";
import { podCondition, timeOf } from "../framework/index.ts";

/** When what an endpoints object shows last changed: what programming latency is measured from. */
export const triggerTimeAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";

interface Seen {
  readonly service: Milliseconds;
  readonly pods: ReadonlyMap<string, Milliseconds>;
}

/** Finds for each service the first change of its pods since it was last looked at. */
export class TriggerTimes {
  private readonly seen = new Map<string, Seen>();

  forget(key: ObjectKey): void {
    this.seen.delete(keyString(key));
  }

  /** The annotation's value; undefined when nothing has changed. */
  next(service: Service, pods: readonly Pod[]): string | undefined {
    const key = keyString(keyOf(service));
    const before = this.seen.get(key);
    const created = timeOf(service.metadata.creationTimestamp);
    const times = new Map<string, Milliseconds>();
    const changed: Milliseconds[] = [];
    for (const pod of pods) {
      const time = timeOf(podCondition(pod, "Ready")?.lastTransitionTime);
      if (time === 0) continue;
      times.set(pod.metadata.name, time);
      if (time > (before?.pods.get(pod.metadata.name) ?? 0)) changed.push(time);
    }
    if (created > (before?.service ?? 0)) changed.push(created);
    this.seen.set(key, { service: created, pods: times });
    const time = before === undefined ? created : changed.length > 0 ? Math.min(...changed) : 0;
    return time === 0 ? undefined : rfc3339Nano(time);
  }
}

/** RFC 3339 without a fraction of zeros. */
const rfc3339Nano = (time: Milliseconds) =>
  new Date(time)
    .toISOString()
    .replace(".000Z", "Z")
    .replace(/(\.\d*?)0+Z$/, "$1Z");

/** Annotations with the trigger time, or without one. */
export function withTriggerTime(
  annotations: Readonly<Record<string, string>> | undefined,
  time: string | undefined,
): Readonly<Record<string, string>> {
  const { [triggerTimeAnnotation]: _, ...others } = annotations ?? {};
  return time === undefined ? others : { ...others, [triggerTimeAnnotation]: time };
}
