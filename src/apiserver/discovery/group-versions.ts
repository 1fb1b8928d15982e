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
  /** What an extension server serves; undefined for what is served here. */
  readonly remote: RemoteVersion | undefined;
}

/** A group version that an extension server serves. */
export interface RemoteVersion {
  readonly group: string;
  readonly version: string;
  /** Its resources, as aggregated discovery has them. */
  readonly resources: readonly object[];
  /** Whether the server did not answer of late. */
  readonly stale: boolean;
}

/** Which groups, and which of their versions, clients prefer: the higher the more; undefined for those of custom resources. */
export interface Priorities {
  group(name: string): number | undefined;
  version(group: string, version: string): number | undefined;
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

/** What upstream registers custom resources with. */
const customPriority = { group: 1_000, version: 100 };

const noPriorities: Priorities = { group: () => undefined, version: () => undefined };

/** The groups of served resources in the order of discovery. */
export function groupsOf(options: {
  readonly resources: readonly ServedResource[];
  readonly remote?: readonly RemoteVersion[] | undefined;
  readonly priorities?: Priorities | undefined;
}): readonly ServedGroup[] {
  const { resources, remote = [], priorities = noPriorities } = options;
  const groups = new Map<string, Map<string, ServedResource[]>>();
  const rowsOf = (group: string, version: string) => {
    const versions = groups.get(group) ?? new Map<string, ServedResource[]>();
    groups.set(group, versions);
    const rows = versions.get(version) ?? [];
    versions.set(version, rows);
    return rows;
  };
  for (const resource of resources) rowsOf(resource.group, resource.version).push(resource);
  for (const { group, version } of remote) rowsOf(group, version);
  const elsewhere = new Map(remote.map((one) => [`${one.group}/${one.version}`, one]));
  const versionPriority = (group: string, version: string) =>
    priorities.version(group, version) ?? customPriority.version;
  return [...groups]
    .sort(([a], [b]) => compareGroups(a, b, priorities))
    .map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([a], [b]) => versionPriority(name, b) - versionPriority(name, a) || compareVersions(a, b))
        .map(([version, rows]) => ({
          group: name,
          version,
          remote: elsewhere.get(`${name}/${version}`),
          resources: rows.sort((a, b) => (a.plural < b.plural ? -1 : 1)),
        })),
    }));
}

function compareGroups(a: string, b: string, priorities: Priorities): number {
  const [left, right] = [groupOrder.indexOf(a), groupOrder.indexOf(b)];
  if (left >= 0 && right >= 0) return left - right;
  const priorityOf = (name: string, place: number) =>
    priorities.group(name) ?? (place >= 0 ? Infinity : customPriority.group);
  const [mine, other] = [priorityOf(a, left), priorityOf(b, right)];
  if (mine !== other) return mine > other ? -1 : 1;
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
