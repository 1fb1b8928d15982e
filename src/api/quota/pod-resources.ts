import type { Container, Pod, PodSpec } from "../types/core-v1.ts";
import { addResources, maxResources } from "../../apimachinery/index.ts";
import type { ResourceList } from "../../apimachinery/index.ts";

type Side = "requests" | "limits";

/** Resources by name, without those of no amount known. */
export const resourcesOf = (container: Container, side: Side): ResourceList =>
  container.resources?.[side] ?? {};

/** What a pod asks for at its peak: its containers together, or an init container if that is more; with overhead. */
export function podResources(spec: PodSpec, side: Side): ResourceList {
  let running: ResourceList = {};
  for (const container of spec.containers) running = addResources(running, resourcesOf(container, side));
  // Sidecars run beside everything that starts after them.
  let sidecars: ResourceList = {};
  let peak: ResourceList = {};
  for (const container of spec.initContainers ?? []) {
    const own = resourcesOf(container, side);
    if (container.restartPolicy === "Always") {
      sidecars = addResources(sidecars, own);
      peak = maxResources(peak, sidecars);
    } else {
      peak = maxResources(peak, addResources(sidecars, own));
    }
  }
  const total = maxResources(addResources(running, sidecars), peak);
  const stated = { ...total, ...spec.resources?.[side] };
  return addOverhead(stated, { overhead: spec.overhead ?? {}, side });
}

/** Overhead counts towards limits only where there is one. */
function addOverhead(
  amounts: ResourceList,
  options: { readonly overhead: ResourceList; readonly side: Side },
): ResourceList {
  const { overhead, side } = options;
  if (side === "requests") return addResources(amounts, overhead);
  const counted = Object.entries(overhead).filter(([name]) => amounts[name] !== undefined);
  return addResources(amounts, Object.fromEntries(counted));
}

/** Whether no container asks for or is limited in cpu or memory. */
export function isBestEffort(pod: Pod): boolean {
  const counted = (list: ResourceList) => list["cpu"] !== undefined || list["memory"] !== undefined;
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  return !all.some(
    (container) => counted(resourcesOf(container, "requests")) || counted(resourcesOf(container, "limits")),
  );
}

/** Whether the pod is over and holds nothing any more. */
export const isTerminal = (pod: Pod): boolean =>
  pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
