import { PersistentVolumeClaim, Pod, Service } from "../types/core-v1.ts";
import { ResourceClaim } from "../types/resource-v1.ts";
import { parseQuantity, qualifiedName } from "../../apimachinery/index.ts";
import type { Resource, ResourceList } from "../../apimachinery/index.ts";
import { resourcesOf } from "./pod-resources.ts";

type Named = Pick<Resource, "group" | "plural">;

/** Kinds that quotas also count under their plain plural. */
export const plainCounts: ReadonlySet<string> = new Set([
  "configmaps",
  "persistentvolumeclaims",
  "pods",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
]);

/** Between a storage class and what is counted of it. */
export const storageClassPart = ".storageclass.storage.k8s.io/";
/** After a device class. */
export const deviceSuffix = ".deviceclass.resource.k8s.io/devices";

const podEntry = /^((requests|limits)\.)?(cpu|memory|ephemeral-storage)$|^(requests\.)?hugepages-/;

/** The resource whose objects a quota's entry counts, without its version; undefined when nothing is known to count for it. */
export function countedResource(
  entry: string,
): { readonly group: string; readonly plural: string } | undefined {
  if (entry.startsWith("count/")) {
    const [plural = "", ...group] = entry.slice("count/".length).split(".");
    return { group: group.join("."), plural };
  }
  if (plainCounts.has(entry)) return { group: "", plural: entry };
  if (/^services\.(nodeports|loadbalancers)$/.test(entry)) return named(Service);
  if (entry === "requests.storage" || entry.includes(storageClassPart)) return named(PersistentVolumeClaim);
  if (entry.endsWith(deviceSuffix)) return named(ResourceClaim);
  const extended = entry.startsWith("requests.") && entry.includes("/");
  return extended || podEntry.test(entry) ? named(Pod) : undefined;
}

const named = ({ group, plural }: Named): Named => ({ group, plural });

/** The entries of a quota that count objects of the resource. */
export const entriesFor = (hard: ResourceList, resource: Named): readonly string[] =>
  Object.keys(hard).filter((entry) => {
    const counted = countedResource(entry);
    return counted !== undefined && qualifiedName(counted) === qualifiedName(resource);
  });

/** What a pod must state because the quota counts it: `must specify limits.cpu for: web`. */
export function missingStatement(pod: Pod, entries: readonly string[]): string | undefined {
  if (hasPodAmounts(pod)) return undefined;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const parts = [...entries].sort().flatMap((entry) => {
    const [, part, name] = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(entry) ?? [];
    if (name === undefined) return [];
    const side = part === "limits" ? "limits" : "requests";
    const silent = containers.filter((container) => resourcesOf(container, side)[name] === undefined);
    const names = [...new Set(silent.map((container) => container.name))].sort();
    return names.length === 0 ? [] : [`${entry} for: ${names.join(",")}`];
  });
  return parts.length === 0 ? undefined : `must specify ${parts.join("; ")}`;
}

/** Whether the pod as a whole states what it takes: then its containers need not. */
const hasPodAmounts = ({ spec }: Pod): boolean =>
  Object.keys({ ...spec.resources?.requests, ...spec.resources?.limits }).length > 0;

/** The entries that an object takes a negative amount of. */
export const negativeEntries = (usage: ResourceList): readonly string[] =>
  Object.keys(usage)
    .filter((name) => parseQuantity(usage[name] ?? "0").nanos < 0n)
    .sort();
