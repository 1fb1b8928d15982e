import { PersistentVolumeClaim, Pod, Service } from "../types/core-v1.ts";
import type { ResourceQuota } from "../types/core-v1.ts";
import { qualifiedName } from "../../apimachinery/index.ts";
import type { KubernetesObject, Resource, ResourceList } from "../../apimachinery/index.ts";
import { isBestEffort, isTerminal, podResources, resourcesOf } from "./pod-resources.ts";

/** Kinds that quotas also count under their plain plural. */
const plainCounts = new Set([
  "configmaps",
  "persistentvolumeclaims",
  "pods",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
]);

/** What an object takes of a quota. */
export function quotaUsage(resource: Resource, object: KubernetesObject): ResourceList {
  const counts: Record<string, string> = { [`count/${qualifiedName(resource)}`]: "1" };
  if (resource.group !== "") return counts;
  if (plainCounts.has(resource.plural)) counts[resource.plural] = "1";
  switch (resource.plural) {
    case Pod.plural:
      return podUsage(object as Pod, counts);
    case Service.plural:
      return { ...counts, ...serviceUsage(object as Service) };
    case PersistentVolumeClaim.plural:
      return { ...counts, ...claimUsage(object as PersistentVolumeClaim) };
    default:
      return counts;
  }
}

/** A pod that is over counts as an object only. */
function podUsage(pod: Pod, counts: Readonly<Record<string, string>>): ResourceList {
  if (isTerminal(pod)) return { "count/pods": "1" };
  const usage: Record<string, string> = { ...counts };
  for (const [name, amount] of Object.entries(podResources(pod.spec, "requests"))) {
    usage[`requests.${name}`] = amount;
    // Extended resources are counted with their prefix only.
    if (!name.includes("/")) usage[name] = amount;
  }
  for (const [name, amount] of Object.entries(podResources(pod.spec, "limits"))) {
    if (!name.includes("/")) usage[`limits.${name}`] = amount;
  }
  return usage;
}

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

function claimUsage(claim: PersistentVolumeClaim): ResourceList {
  const size = claim.spec.resources?.requests?.["storage"];
  const { storageClassName } = claim.spec;
  const prefix = `${storageClassName ?? ""}.storageclass.storage.k8s.io/`;
  return {
    ...(size === undefined ? {} : { "requests.storage": size }),
    ...(storageClassName
      ? {
          [`${prefix}persistentvolumeclaims`]: "1",
          ...(size === undefined ? {} : { [`${prefix}requests.storage`]: size }),
        }
      : {}),
  };
}

/** Whether the quota's scopes take the object in. */
export function quotaMatches(
  quota: ResourceQuota,
  options: {
    readonly resource: Resource;
    readonly object: KubernetesObject;
  },
): boolean {
  const requirements = [
    ...(quota.spec?.scopes ?? []).map((scopeName) => ({
      scopeName,
      operator: "Exists" as const,
      values: [],
    })),
    ...(quota.spec?.scopeSelector?.matchExpressions ?? []),
  ];
  if (requirements.length === 0) return true;
  const { resource, object } = options;
  if (resource.group !== "" || resource.plural !== Pod.plural) return false;
  return requirements.every((requirement) => scopeMatches(requirement, object as Pod));
}

function scopeMatches(
  requirement: { readonly scopeName: string; readonly operator: string; readonly values?: readonly string[] },
  pod: Pod,
): boolean {
  switch (requirement.scopeName) {
    case "Terminating":
      return pod.spec.activeDeadlineSeconds !== undefined && pod.spec.activeDeadlineSeconds >= 0;
    case "NotTerminating":
      return pod.spec.activeDeadlineSeconds === undefined;
    case "BestEffort":
      return isBestEffort(pod);
    case "NotBestEffort":
      return !isBestEffort(pod);
    case "CrossNamespacePodAffinity":
      return reachesOtherNamespaces(pod);
    case "PriorityClass":
      return priorityMatches(requirement, pod.spec.priorityClassName ?? "");
    default:
      return false;
  }
}

function priorityMatches(
  requirement: { readonly operator: string; readonly values?: readonly string[] },
  name: string,
): boolean {
  const listed = (requirement.values ?? []).includes(name);
  switch (requirement.operator) {
    case "In":
      return listed;
    case "NotIn":
      return !listed;
    case "Exists":
      return name !== "";
    default:
      return name === "";
  }
}

function reachesOtherNamespaces(pod: Pod): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  return [podAffinity, podAntiAffinity].some((affinity) =>
    [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
        (term) => term.podAffinityTerm,
      ),
    ].some((term) => (term?.namespaces?.length ?? 0) > 0 || term?.namespaceSelector !== undefined),
  );
}

/** What a pod must state because the quota counts it: `must specify limits.cpu for: web`. */
export function missingStatement(pod: Pod, hard: ResourceList): string | undefined {
  if (isTerminal(pod)) return undefined;
  const missing = new Map<string, string[]>();
  for (const counted of Object.keys(hard)) {
    const [, side, name = ""] = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(counted) ?? [];
    if (name === "" || pod.spec.resources?.[side === "limits" ? "limits" : "requests"]?.[name]) continue;
    const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].filter(
      (container) => resourcesOf(container, side === "limits" ? "limits" : "requests")[name] === undefined,
    );
    if (containers.length > 0) missing.set(counted, containers.map((container) => container.name).sort());
  }
  if (missing.size === 0) return undefined;
  const parts = [...missing.keys()]
    .sort()
    .map((name) => `${name} for: ${missing.get(name)?.join(",") ?? ""}`);
  return `must specify ${parts.join("; ")}`;
}

/** The resource whose objects a quota's entry counts, without its version; undefined when nothing is known to count for it. */
export function countedResource(
  entry: string,
): { readonly group: string; readonly plural: string } | undefined {
  if (entry.startsWith("count/")) {
    const [plural = "", ...group] = entry.slice("count/".length).split(".");
    return { group: group.join("."), plural };
  }
  if (plainCounts.has(entry)) return { group: "", plural: entry };
  if (/^services\.(nodeports|loadbalancers)$/.test(entry)) return { group: "", plural: Service.plural };
  if (entry === "requests.storage" || entry.includes(".storageclass.storage.k8s.io/")) {
    return { group: "", plural: PersistentVolumeClaim.plural };
  }
  return /^((requests|limits)\.|(cpu|memory|ephemeral-storage)$|hugepages-)/.test(entry)
    ? { group: "", plural: Pod.plural }
    : undefined;
}
