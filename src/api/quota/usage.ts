import { PersistentVolumeClaim, Pod, Service } from "../types/core-v1.ts";
import { ResourceClaim } from "../types/resource-v1.ts";
import type { DeviceRequest, ExactDeviceRequest } from "../types/resource-v1.ts";
import { compareQuantities, formatQuantity, parseQuantity, qualifiedName } from "../../apimachinery/index.ts";
import type { KubernetesObject, Quantity, Resource, ResourceList } from "../../apimachinery/index.ts";
import { deviceSuffix, plainCounts, storageClassPart } from "./entries.ts";
import { heldResources, isTerminal } from "./pod-resources.ts";

type Named = Pick<Resource, "group" | "plural">;
type Measure = (object: KubernetesObject, now: number) => ResourceList;

/** What is counted of objects of some resources besides their number. */
const measures: readonly (readonly [Named, Measure])[] = [
  [Service, (object) => serviceUsage(object as Service)],
  [PersistentVolumeClaim, (object) => claimUsage(object as PersistentVolumeClaim)],
  [ResourceClaim, (object) => deviceUsage(object as unknown as ResourceClaim)],
];

/** What an object takes of a quota at a time, which matters of pods that should be gone. */
export function quotaUsage(resource: Resource, object: KubernetesObject, now: number): ResourceList {
  const counts: Record<string, string> = { [`count/${qualifiedName(resource)}`]: "1" };
  if (isSame(resource, Pod)) return { ...counts, ...podUsage(object as Pod, now) };
  if (resource.group === "" && plainCounts.has(resource.plural)) counts[resource.plural] = "1";
  const measure = measures.find(([named]) => isSame(resource, named))?.[1];
  return measure ? { ...counts, ...measure(object, now) } : counts;
}

const isSame = (one: Named, other: Named): boolean =>
  one.group === other.group && one.plural === other.plural;

/** A pod that is over counts as an object only. */
function podUsage(pod: Pod, now: number): ResourceList {
  if (isTerminal(pod, now)) return {};
  const usage: Record<string, string> = { [Pod.plural]: "1" };
  for (const [name, amount] of Object.entries(heldResources(pod, "requests"))) {
    usage[`requests.${name}`] = amount;
    // Extended resources are counted with their prefix only.
    if (!name.includes("/")) usage[name] = amount;
  }
  for (const [name, amount] of Object.entries(heldResources(pod, "limits"))) {
    if (limitedNames.has(name)) usage[`limits.${name}`] = amount;
  }
  return usage;
}

/** Limits that quotas know. */
const limitedNames = new Set(["cpu", "memory", "ephemeral-storage"]);

function serviceUsage(service: Service): ResourceList {
  const { type, ports = [], allocateLoadBalancerNodePorts } = service.spec ?? {};
  const numbered = String(ports.length);
  switch (type) {
    case "NodePort":
      return { "services.nodeports": numbered, "services.loadbalancers": "0" };
    case "LoadBalancer":
      return {
        "services.nodeports":
          allocateLoadBalancerNodePorts === false
            ? String(ports.filter((port) => port.nodePort).length)
            : numbered,
        "services.loadbalancers": "1",
      };
    default:
      return { "services.nodeports": "0", "services.loadbalancers": "0" };
  }
}

const classAnnotation = "volume.beta.kubernetes.io/storage-class";

function claimUsage(claim: PersistentVolumeClaim): ResourceList {
  const size = storageOf(claim);
  const storageClass = claim.metadata.annotations?.[classAnnotation] ?? claim.spec.storageClassName;
  const prefix = `${storageClass ?? ""}${storageClassPart}`;
  return {
    ...(size === undefined ? {} : { "requests.storage": size }),
    ...(storageClass
      ? {
          [`${prefix}persistentvolumeclaims`]: "1",
          ...(size === undefined ? {} : { [`${prefix}requests.storage`]: size }),
        }
      : {}),
  };
}

/** What is asked for, or what was set aside while it grew if that is more; in whole bytes. */
function storageOf({ spec, status }: PersistentVolumeClaim): string | undefined {
  const asked = spec.resources?.requests?.["storage"];
  if (asked === undefined) return undefined;
  const allocated = status?.allocatedResources?.["storage"];
  const larger =
    allocated !== undefined && compareQuantities(parseQuantity(allocated), parseQuantity(asked)) > 0;
  return wholeBytes(larger ? allocated : asked);
}

const nanosPerByte = 1_000_000_000n;

function wholeBytes(text: string): string {
  const quantity: Quantity = parseQuantity(text);
  if (quantity.nanos % nanosPerByte === 0n) return text;
  const nanos = (quantity.nanos / nanosPerByte + 1n) * nanosPerByte;
  return formatQuantity({ nanos, format: quantity.format });
}

/** Devices that a request for all of them may get at most. */
const mostDevices = 32;

function deviceUsage(claim: ResourceClaim): ResourceList {
  const total = new Map<string, number>();
  for (const request of claim.spec.devices.requests ?? []) {
    for (const [name, count] of devicesOf(request)) total.set(name, (total.get(name) ?? 0) + count);
  }
  return Object.fromEntries([...total].map(([name, count]) => [`${name}${deviceSuffix}`, String(count)]));
}

/** Devices by class; of alternatives the worst case counts. */
function devicesOf({ exactly, firstAvailable }: DeviceRequest): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  for (const one of firstAvailable?.length ? firstAvailable : exactly ? [exactly] : []) {
    most.set(one.deviceClassName, Math.max(most.get(one.deviceClassName) ?? 0, countOf(one)));
  }
  return most;
}

function countOf({ allocationMode, count }: Pick<ExactDeviceRequest, "allocationMode" | "count">): number {
  if (allocationMode === "All") return mostDevices;
  return allocationMode === undefined || allocationMode === "ExactCount" ? (count ?? 1) : 0;
}
