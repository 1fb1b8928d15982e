import type { Milliseconds } from "../base/index.ts";
import type { Pod } from "../api/types/core-v1.ts";

const defaultGraceSeconds = 30;

/** Whether a pod's end has been asked for. */
export const isDeleted = (pod: Pod) => pod.metadata.deletionTimestamp !== undefined;

/** How many seconds a pod's containers get to end by themselves. */
export function graceOf(pod: Pod): number {
  const { deletionGracePeriodSeconds } = pod.metadata;
  return deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds;
}

/** When a pod that started at the time given, if its status does not say, has run as long as it may. */
export function deadlineOf(pod: Pod, startTime: string | undefined): Milliseconds | undefined {
  const seconds = pod.spec.activeDeadlineSeconds;
  const start = pod.status?.startTime ?? startTime;
  return seconds === undefined || start === undefined ? undefined : Date.parse(start) + seconds * 1000;
}

/** The first of the times that are known. */
export function earliest(...times: readonly (Milliseconds | undefined)[]): Milliseconds | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Go's way to write whole seconds: `10s`, `1m20s`, `5m0s`. */
export function goDuration(span: Milliseconds): string {
  const seconds = Math.round(span / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
