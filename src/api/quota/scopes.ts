import { PersistentVolumeClaim, Pod } from "../types/core-v1.ts";
import type { PodAffinityTerm, ResourceQuota, ScopedResourceSelectorRequirement } from "../types/core-v1.ts";
import type { KubernetesObject, Resource } from "../../apimachinery/index.ts";
import { isBestEffort } from "./pod-resources.ts";

/** What must be true of an object for a quota to count it. */
export type ScopeRequirement = ScopedResourceSelectorRequirement;

/** An object and what it is one of. */
export interface ScopedObject {
  readonly resource: Pick<Resource, "group" | "plural">;
  readonly object: KubernetesObject;
}

/** What the quota's scopes require. */
export const scopesOf = ({ spec }: ResourceQuota): readonly ScopeRequirement[] => [
  ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" as const })),
  ...(spec?.scopeSelector?.matchExpressions ?? []),
];

/** Whether the quota's scopes take the object in. */
export const quotaMatches = (quota: ResourceQuota, scoped: ScopedObject): boolean =>
  scopesOf(quota).every((requirement) => scopeMatches(requirement, scoped));

/** Whether one requirement is true of the object; of most kinds none is. */
export function scopeMatches(requirement: ScopeRequirement, { resource, object }: ScopedObject): boolean {
  if (resource.group !== "") return false;
  if (resource.plural === Pod.plural) return podMatches(requirement, object as Pod);
  if (resource.plural !== PersistentVolumeClaim.plural) return false;
  return (
    requirement.scopeName === "VolumeAttributesClass" &&
    namesMatch(requirement, attributesClassesOf(object as PersistentVolumeClaim))
  );
}

/** Whether a pod that has begun may still change what counts it. */
export const isTerminating = ({ spec }: Pod): boolean =>
  spec.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds >= 0;

function podMatches(requirement: ScopeRequirement, pod: Pod): boolean {
  switch (requirement.scopeName) {
    case "Terminating":
      return isTerminating(pod);
    case "NotTerminating":
      return !isTerminating(pod);
    case "BestEffort":
      return isBestEffort(pod);
    case "NotBestEffort":
      return !isBestEffort(pod);
    case "CrossNamespacePodAffinity":
      return reachesOtherNamespaces(pod);
    case "PriorityClass":
      return namesMatch(requirement, pod.spec.priorityClassName ? [pod.spec.priorityClassName] : []);
    default:
      return false;
  }
}

function namesMatch({ operator, values = [] }: ScopeRequirement, names: readonly string[]): boolean {
  switch (operator) {
    case "In":
      return names.some((name) => values.includes(name));
    case "NotIn":
      return names.length === 0 || names.some((name) => !values.includes(name));
    case "Exists":
      return names.length > 0;
    case "DoesNotExist":
      return names.length === 0;
  }
}

/** Every attributes class that a claim has, had or shall have: it counts for all of them. */
const attributesClassesOf = ({ spec, status }: PersistentVolumeClaim): readonly string[] =>
  [
    spec.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].flatMap((name) => name || []);

function reachesOtherNamespaces(pod: Pod): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const reaches = ({ namespaces, namespaceSelector }: PodAffinityTerm) =>
    (namespaces?.length ?? 0) > 0 || namespaceSelector !== undefined;
  return [podAffinity, podAntiAffinity].some(
    (affinity) =>
      affinity?.requiredDuringSchedulingIgnoredDuringExecution?.some(reaches) ||
      affinity?.preferredDuringSchedulingIgnoredDuringExecution?.some(({ podAffinityTerm }) =>
        reaches(podAffinityTerm),
      ),
  );
}
