import { qualityOfService } from "../core/pod-spec/resources.ts";
import type { Container, ContainerStatus, Pod, PodSpec } from "../types/core-v1.ts";
import { addResources, maxResources } from "../../apimachinery/index.ts";
import type { ResourceList } from "../../apimachinery/index.ts";

type Side = "requests" | "limits";

/** Resources by name, without those of no amount known. */
export const resourcesOf = (container: Container, side: Side): ResourceList =>
  container.resources?.[side] ?? {};

/** What a pod asks for at its peak: its containers together, or an init container if that is more; with overhead. */
export function podResources(spec: PodSpec, side: Side): ResourceList {
  let running: ResourceList = {};
  for (const container of spec.containers ?? [])
    running = addResources(running, resourcesOf(container, side));
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

/** What a pod holds while a resize is on its way: of each container the larger of what it asks for and what it has. */
export function heldResources(pod: Pod, side: Side): ResourceList {
  const { containerStatuses, initContainerStatuses, conditions } = pod.status ?? {};
  if (!containerStatuses?.length && !initContainerStatuses?.length) return podResources(pod.spec, side);
  const infeasible = (conditions ?? []).some(
    ({ type, reason }) => type === "PodResizePending" && reason === "Infeasible",
  );
  const held = (container: Container, statuses: readonly ContainerStatus[] | undefined): Container => {
    const status = statuses?.find(({ name }) => name === container.name);
    if (!status?.resources) return container;
    const has = maxResources(
      status.resources[side] ?? {},
      side === "requests" ? (status.allocatedResources ?? {}) : {},
    );
    const amounts = infeasible ? has : maxResources(resourcesOf(container, side), has);
    return { ...container, resources: { ...container.resources, [side]: amounts } };
  };
  const containers = pod.spec.containers.map((container) => held(container, containerStatuses));
  const initContainers = (pod.spec.initContainers ?? []).map((container) =>
    held(container, initContainerStatuses),
  );
  return podResources({ ...pod.spec, containers, initContainers }, side);
}

/** Whether the pod asks for nothing and is limited in nothing. */
export const isBestEffort = (pod: Pod): boolean =>
  (pod.status?.qosClass ?? qualityOfService(pod.spec)) === "BestEffort";

/** Whether the pod is over, or should long be: it holds nothing any more. */
export function isTerminal({ metadata, status }: Pod, now: number): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return true;
  const { deletionTimestamp, deletionGracePeriodSeconds: grace } = metadata;
  if (deletionTimestamp === undefined || grace === undefined) return false;
  return now > Date.parse(deletionTimestamp) + grace * 1000;
}
