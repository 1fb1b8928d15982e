import { resourceFacts, storageVersionOf } from "../../api/index.ts";
import type { ResourceFacts } from "../../apimachinery/index.ts";

/** A resource that is served: a row of the facts, or of a custom resource. */
export interface ServedResource extends ResourceFacts {
  /** Of the version in which objects are stored. */
  readonly storageVersionHash?: string;
  /** Whether it is a custom resource; default: false. */
  readonly custom?: boolean;
}

export interface ServedVersion {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly ServedResource[];
  /** Whether the server of an aggregated API did not answer of late. */
  readonly stale: boolean;
}

export interface ServedGroup {
  readonly name: string;
  /** Preferred version first. */
  readonly versions: readonly ServedVersion[];
}

/**
 * Whether upstream v1.36 serves a resource without being told to: GA versions only. Beta versions are off by
 * default since 1.24 (KEP-3136), and the older ones that were exempt have all been removed; alpha versions are off.
 */
export function isServedByDefault(facts: ResourceFacts): boolean {
  return facts.stability === "GA";
}

/** Groups in order of their priority; those that are not here come after, by name. */
const groupOrder = [
  "",
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "resource.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "internal.apiserver.k8s.io",
  "storagemigration.k8s.io",
];

/** The groups of served resources in the order of discovery. */
export function groupsOf(
  resources: readonly ServedResource[],
  stale: readonly { readonly group: string; readonly version: string }[] = [],
): readonly ServedGroup[] {
  const groups = new Map<string, Map<string, ServedResource[]>>();
  const rowsOf = (group: string, version: string) => {
    const versions = groups.get(group) ?? new Map<string, ServedResource[]>();
    groups.set(group, versions);
    const rows = versions.get(version) ?? [];
    versions.set(version, rows);
    return rows;
  };
  for (const resource of resources) rowsOf(resource.group, resource.version).push(resource);
  for (const { group, version } of stale) rowsOf(group, version);
  const isStale = new Set(stale.map(({ group, version }) => `${group}/${version}`));
  return [...groups]
    .sort(([a], [b]) => compareGroups(a, b))
    .map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, rows]) => ({
          group: name,
          version,
          stale: isStale.has(`${name}/${version}`),
          resources: rows.sort((a, b) => (a.plural < b.plural ? -1 : 1)),
        })),
    }));
}

function compareGroups(a: string, b: string): number {
  const [left, right] = [groupOrder.indexOf(a), groupOrder.indexOf(b)];
  if (left >= 0 && right >= 0) return left - right;
  if (left >= 0) return -1;
  if (right >= 0) return 1;
  return a < b ? -1 : 1;
}

const kubernetesVersion = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/;

/** Newest stable version first, then betas, then alphas, then whatever else by name. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [kubernetesVersion.exec(a), kubernetesVersion.exec(b)];
  if (left === null || right === null) {
    if (left !== null) return -1;
    if (right !== null) return 1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  const rank = (match: RegExpExecArray) => (match[2] === undefined ? 0 : match[2] === "beta" ? 1 : 2);
  return (
    rank(left) - rank(right) ||
    Number(right[1]) - Number(left[1]) ||
    Number(right[3] ?? 0) - Number(left[3] ?? 0)
  );
}

const hashes = new Map(resourceFacts.map((row) => [rowName(row), row.gvk_hash]));

/** The hash of the version in which a resource is stored, which need not be one that is served. */
export function storageHashOf(resource: ServedResource): string | undefined {
  const stored = storageVersionOf(resource);
  return resource.storageVersionHash ?? (stored && hashes.get(rowName(stored)));
}

function rowName({ group, version, plural }: Pick<ResourceFacts, "group" | "version" | "plural">): string {
  return `${group}/${version}/${plural}`;
}
