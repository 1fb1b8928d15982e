import type { Milliseconds } from "../../base/index.ts";
import type { Node, NodeCondition, Taint } from "../../api/types/core-v1.ts";

/** How a node is judged. */
export type NodeHealth = "True" | "False" | "Unknown";

/** The conditions that a kubelet reports, and that turn Unknown with it. */
const reported = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

export const notReadyTaint = "node.kubernetes.io/not-ready";
export const unreachableTaint = "node.kubernetes.io/unreachable";

const pressureTaints: Readonly<Record<string, { status: string; key: string }>> = {
  MemoryPressure: { status: "True", key: "node.kubernetes.io/memory-pressure" },
  DiskPressure: { status: "True", key: "node.kubernetes.io/disk-pressure" },
  PIDPressure: { status: "True", key: "node.kubernetes.io/pid-pressure" },
  NetworkUnavailable: { status: "True", key: "node.kubernetes.io/network-unavailable" },
};

export function healthOf(node: Node): NodeHealth {
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  return ready === undefined ? "Unknown" : (ready.status as NodeHealth);
}

/** The conditions of a node whose kubelet has gone silent; the same array if they say so already. */
export function silentConditions(
  conditions: readonly NodeCondition[] | undefined,
  at: { readonly timestamp: string; readonly created: string },
): readonly NodeCondition[] {
  const next = [...(conditions ?? [])];
  for (const type of reported) {
    const position = next.findIndex((condition) => condition.type === type);
    const known = next[position];
    if (known === undefined) {
      next.push({
        type,
        status: "Unknown",
        reason: "NodeStatusNeverUpdated",
        message: "Kubelet never posted node status.",
        lastHeartbeatTime: at.created,
        lastTransitionTime: at.timestamp,
      });
    } else if (known.status !== "Unknown") {
      next[position] = {
        ...known,
        status: "Unknown",
        reason: "NodeStatusUnknown",
        message: "Kubelet stopped posting node status.",
        lastTransitionTime: at.timestamp,
      };
    }
  }
  return next;
}

/** The taints that follow from a node's conditions, and those that others set. */
export function planTaints(node: Node, at: { readonly timestamp: string }): readonly Taint[] {
  const wanted: Taint[] = [];
  const health = healthOf(node);
  if (health !== "True") {
    const key = health === "False" ? notReadyTaint : unreachableTaint;
    wanted.push({ key, effect: "NoSchedule" }, { key, effect: "NoExecute" });
  }
  for (const { type, status } of node.status?.conditions ?? []) {
    const rule = pressureTaints[type];
    if (rule && rule.status === status) wanted.push({ key: rule.key, effect: "NoSchedule" });
  }
  if (node.spec?.unschedulable === true) {
    wanted.push({ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" });
  }
  const ours = new Set([
    notReadyTaint,
    unreachableTaint,
    "node.kubernetes.io/unschedulable",
    ...Object.values(pressureTaints).map(({ key }) => key),
  ]);
  const current = node.spec?.taints ?? [];
  const same = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect;
  const kept = current.filter((taint) => !ours.has(taint.key) || wanted.some((other) => same(other, taint)));
  const added = wanted
    .filter((taint) => !current.some((other) => same(other, taint)))
    .map((taint) => ({ ...taint, timeAdded: at.timestamp }));
  return added.length === 0 && kept.length === current.length ? current : [...kept, ...added];
}

/** When a pod must leave a node for its NoExecute taints: now, at a time, or never. */
export function evictionTime(
  taints: readonly Taint[],
  of: {
    readonly tolerances: readonly {
      readonly tolerates: (taint: Taint) => boolean;
      readonly seconds?: number | undefined;
    }[];
    readonly since: (taint: Taint) => Milliseconds;
    readonly now: Milliseconds;
  },
): Milliseconds | undefined {
  const hurting = taints.filter(({ effect }) => effect === "NoExecute");
  let earliest: Milliseconds | undefined;
  for (const taint of hurting) {
    const matching = of.tolerances.filter((tolerance) => tolerance.tolerates(taint));
    if (matching.length === 0) return of.now;
    const limits = matching.flatMap(({ seconds }) => (seconds === undefined ? [] : [Math.max(0, seconds)]));
    if (limits.length === 0) continue;
    const at = of.since(taint) + Math.min(...limits) * 1000;
    earliest = Math.min(earliest ?? Infinity, at);
  }
  return earliest;
}
