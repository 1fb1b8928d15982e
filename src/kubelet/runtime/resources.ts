import type { LinuxContainerResources } from "../../cri/index.ts";
import type { Container, Pod, ResourceList } from "../../api/types/core-v1.ts";
import { milliValue, quantityValue, wholeValue } from "../quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const sharesPerCpu = 1024;
const minimumShares = 2;
const maximumShares = 262_144;
const quotaPeriod = 100_000;
const minimumQuota = 1000;

/** Control group values of processor time. */
export const cpuShares = (milli: number) =>
  Math.min(maximumShares, Math.max(minimumShares, Math.floor((milli * sharesPerCpu) / 1000)));
export const cpuQuota = (milli: number) => Math.max(minimumQuota, Math.floor((milli * quotaPeriod) / 1000));
export const cpuPeriod = quotaPeriod;

const computeResources = ["cpu", "memory"] as const;

/** The pod's class of service, from the requests and limits of all its containers. */
export function qosClass(pod: Pod): QosClass {
  if (pod.status?.qosClass) return pod.status.qosClass;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const set = (list: ResourceList | undefined, name: string) => quantityValue(list?.[name] ?? "0") > 0;
  const all = pod.spec.resources ? [{ resources: pod.spec.resources }] : containers;
  const any = all.some(({ resources }) =>
    computeResources.some((name) => set(resources?.requests, name) || set(resources?.limits, name)),
  );
  if (!any) return "BestEffort";
  const guaranteed = all.every(({ resources }) =>
    computeResources.every((name) => {
      const limit = resources?.limits?.[name];
      const request = resources?.requests?.[name] ?? limit;
      return set(resources?.limits, name) && quantityValue(request ?? "0") === quantityValue(limit ?? "0");
    }),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}

const guaranteedAdjust = -997;
const bestEffortAdjust = 1000;
const criticalPriority = 2_000_000_000;

/** How readily the kernel kills a container when the node's memory runs out. */
export function oomScoreAdjust(
  pod: Pod,
  { container, memoryCapacity }: { container: Container; memoryCapacity: number },
): number {
  if ((pod.spec.priority ?? 0) >= criticalPriority) return guaranteedAdjust;
  const qos = qosClass(pod);
  if (qos === "Guaranteed") return guaranteedAdjust;
  if (qos === "BestEffort") return bestEffortAdjust;
  const request = quantityValue(container.resources?.requests?.["memory"] ?? "0");
  const adjust = Math.floor(1000 - (1000 * request) / memoryCapacity);
  if (adjust < 1000 + guaranteedAdjust) return 1000 + guaranteedAdjust;
  return adjust === bestEffortAdjust ? adjust - 1 : adjust;
}

/** A container's limits as the runtime sets them. */
export function linuxResources(
  pod: Pod,
  options: { container: Container; memoryCapacity: number; unified: boolean },
): LinuxContainerResources {
  const { limits = {}, requests = {} } = options.container.resources ?? {};
  const requested = requests["cpu"] ?? limits["cpu"];
  const cpuLimit = limits["cpu"] === undefined ? 0 : milliValue(limits["cpu"]);
  return {
    cpuShares: cpuShares(milliValue(requested ?? "0")),
    ...(cpuLimit > 0 ? { cpuPeriod: quotaPeriod, cpuQuota: cpuQuota(cpuLimit) } : {}),
    memoryLimitInBytes: wholeValue(limits["memory"] ?? "0"),
    oomScoreAdj: oomScoreAdjust(pod, options),
    ...(options.unified ? { unified: { "memory.oom.group": "1" } } : {}),
  };
}

/** What a pod asks for of one resource: the larger of its containers' sum and what initialization needs, and its overhead. */
export function podRequest(pod: Pod, name: string): number {
  const own = pod.spec.resources?.requests?.[name];
  const total =
    own === undefined
      ? podTotal(pod, (container) => {
          const { requests, limits } = container.resources ?? {};
          return quantityValue(requests?.[name] ?? limits?.[name] ?? "0");
        })
      : quantityValue(own);
  return total + overheadOf(pod, name);
}

const overheadOf = ({ spec }: Pod, name: string) => quantityValue(spec.overhead?.[name] ?? "0");

/** The resources that a pod asks for, those of every node first. */
export function requestedNames({ spec }: Pod): string[] {
  const names = new Set<string>(["cpu", "memory", "ephemeral-storage"]);
  for (const { resources } of [...(spec.initContainers ?? []), ...spec.containers])
    for (const name of Object.keys(resources?.requests ?? {})) names.add(name);
  return [...names];
}

/** A pod's limit of one resource; undefined when a container has none. */
export function podLimit(pod: Pod, name: "cpu" | "memory"): number | undefined {
  const own = pod.spec.resources?.limits?.[name];
  if (own !== undefined) return quantityValue(own) + overheadOf(pod, name);
  const limited = pod.spec.containers.every(({ resources }) => resources?.limits?.[name] !== undefined);
  if (!limited) return undefined;
  const total = podTotal(pod, ({ resources }) => quantityValue(resources?.limits?.[name] ?? "0"));
  return total + overheadOf(pod, name);
}

function podTotal(pod: Pod, of: (container: Container) => number): number {
  let sidecars = 0;
  let peak = 0;
  for (const container of pod.spec.initContainers ?? []) {
    if (container.restartPolicy === "Always") sidecars += of(container);
    peak = Math.max(peak, sidecars + (container.restartPolicy === "Always" ? 0 : of(container)));
  }
  const running = pod.spec.containers.reduce((sum, container) => sum + of(container), sidecars);
  return Math.max(running, peak);
}
