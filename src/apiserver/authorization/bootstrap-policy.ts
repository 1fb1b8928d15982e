import type { KubernetesObject, New, Resource } from "../../apimachinery/index.ts";
import { createUnlessPresent } from "../../api/index.ts";
import type { Client } from "../../api/index.ts";
import { Namespace } from "../../api/types/core-v1.ts";
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "../../api/types/rbac-v1.ts";
import type { PolicyRule, Subject } from "../../api/types/rbac-v1.ts";
import { controllerRoles, namespaceRoles } from "./bootstrap-controllers.ts";
import { systemRoles, userRoles } from "./bootstrap-roles.ts";
import type { PathRow, ResourceRow, RoleRow } from "./bootstrap-roles.ts";
import { uncoveredRules } from "./rules.ts";

/** The roles and bindings that every cluster has from the start. */
export interface BootstrapPolicy {
  readonly clusterRoles: readonly New<ClusterRole>[];
  readonly clusterRoleBindings: readonly New<ClusterRoleBinding>[];
  readonly roles: readonly New<Role>[];
  readonly roleBindings: readonly New<RoleBinding>[];
}

const rbacGroup = "rbac.authorization.k8s.io";
const autoupdate = "rbac.authorization.kubernetes.io/autoupdate";
const aggregationLabel = (to: string) => `${rbacGroup}/aggregate-to-${to}`;

const words = (text: string): string[] => text.split(" ").sort();
const groupNames = (text: string): string[] =>
  text
    .split(" ")
    .map((group) => (group === "core" ? "" : group))
    .sort();

/** The rule that a row of the tables stands for. */
export function ruleOf(row: ResourceRow | PathRow): PolicyRule {
  if (row.length === 2) return { verbs: words(row[0]), nonResourceURLs: words(row[1]) };
  const [verbs, groups, resources, names] = row;
  return {
    verbs: words(verbs),
    apiGroups: groupNames(groups),
    resources: words(resources),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
  };
}

function metadataOf(names: { name: string; namespace?: string; aggregateTo?: string | undefined }) {
  const { name, namespace, aggregateTo } = names;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    annotations: { [autoupdate]: "true" },
    labels: {
      "kubernetes.io/bootstrapping": "rbac-defaults",
      ...(aggregateTo === undefined ? {} : { [aggregationLabel(aggregateTo)]: "true" }),
    },
  };
}

function clusterRoleOf(row: RoleRow): New<ClusterRole> {
  return {
    metadata: metadataOf({ name: row.name, aggregateTo: row.aggregateTo }),
    ...(row.aggregates === undefined
      ? {}
      : {
          aggregationRule: {
            clusterRoleSelectors: [{ matchLabels: { [aggregationLabel(row.aggregates)]: "true" } }],
          },
        }),
    rules: row.rules?.map(ruleOf) ?? [],
  };
}

const group = (name: string): Subject => ({ kind: "Group", apiGroup: rbacGroup, name });
const user = (name: string): Subject => ({ kind: "User", apiGroup: rbacGroup, name });
const serviceAccount = (name: string): Subject => ({
  kind: "ServiceAccount",
  name,
  namespace: "kube-system",
});

function clusterBinding(role: string, ...subjects: readonly Subject[]): New<ClusterRoleBinding> {
  return {
    metadata: metadataOf({ name: role }),
    subjects,
    roleRef: { apiGroup: rbacGroup, kind: "ClusterRole", name: role },
  };
}

const userBindings = (): New<ClusterRoleBinding>[] => [
  clusterBinding("cluster-admin", group("system:masters")),
  clusterBinding("system:monitoring", group("system:monitoring")),
  clusterBinding("system:discovery", group("system:authenticated")),
  clusterBinding("system:basic-user", group("system:authenticated")),
  clusterBinding("system:public-info-viewer", group("system:authenticated"), group("system:unauthenticated")),
  clusterBinding("system:node-proxier", user("system:kube-proxy")),
  clusterBinding("system:kube-controller-manager", user("system:kube-controller-manager")),
  clusterBinding("system:kube-dns", serviceAccount("kube-dns")),
  clusterBinding("system:kube-scheduler", user("system:kube-scheduler")),
  clusterBinding("system:volume-scheduler", user("system:kube-scheduler")),
  clusterBinding("system:service-account-issuer-discovery", group("system:serviceaccounts")),
  // Nodes are let in by the node authorizer; the binding stays for administrators who add subjects.
  clusterBinding("system:node"),
];

/** Upstream's default roles and bindings. */
export function bootstrapPolicy(): BootstrapPolicy {
  const controllers = Object.entries(controllerRoles);
  return {
    clusterRoles: [
      ...[...userRoles, ...systemRoles].map(clusterRoleOf),
      ...controllers.map(([name, rules]) => clusterRoleOf({ name: `system:controller:${name}`, rules })),
    ],
    clusterRoleBindings: [
      ...userBindings(),
      ...controllers.map(([name]) => clusterBinding(`system:controller:${name}`, serviceAccount(name))),
    ],
    roles: namespaceRoles.map(({ name, namespace, rules }) => ({
      metadata: metadataOf({ name, namespace }),
      rules: rules.map(ruleOf),
    })),
    roleBindings: namespaceRoles.map((row) => ({
      metadata: metadataOf({ name: row.binding ?? row.name, namespace: row.namespace }),
      subjects: [...(row.users ?? []).map(user), ...(row.serviceAccounts ?? []).map(serviceAccount)],
      roleRef: { apiGroup: rbacGroup, kind: "Role", name: row.name },
    })),
  };
}

/**
 * Creates what is missing of the default policy and adds missing rules and subjects to what is there, unless its
 * autoupdate annotation is `"false"`. Rules and subjects that an administrator added stay.
 */
export async function reconcileBootstrapPolicy(client: Client): Promise<void> {
  const policy = bootstrapPolicy();
  const namespaces = [...new Set(namespaceRoles.map((row) => row.namespace))];
  const [clusterRoles, clusterRoleBindings, roles, roleBindings] = await Promise.all([
    client.list(ClusterRole),
    client.list(ClusterRoleBinding),
    client.list(Role),
    client.list(RoleBinding),
    ...namespaces.map((name) => createUnlessPresent(client, Namespace, { metadata: { name } })),
  ]);
  const wantedRoles = withAggregatedRules(policy.clusterRoles, clusterRoles.items);
  await Promise.all([
    ...reconcile<ClusterRole>(client, ClusterRole, {
      wanted: wantedRoles,
      present: clusterRoles.items,
      merge: mergeRules,
    }),
    ...reconcile<ClusterRoleBinding>(client, ClusterRoleBinding, {
      wanted: policy.clusterRoleBindings,
      present: clusterRoleBindings.items,
      merge: mergeSubjects,
    }),
    ...reconcile<Role>(client, Role, { wanted: policy.roles, present: roles.items, merge: mergeRules }),
    ...reconcile<RoleBinding>(client, RoleBinding, {
      wanted: policy.roleBindings,
      present: roleBindings.items,
      merge: mergeSubjects,
    }),
  ]);
}

function reconcile<T extends KubernetesObject>(
  client: Client,
  resource: Resource<T>,
  sets: {
    readonly wanted: readonly New<T>[];
    readonly present: readonly T[];
    /** The object with what it lacks of the wanted one; undefined when it lacks nothing. */
    readonly merge: (present: T, wanted: T) => T | undefined;
  },
): Promise<unknown>[] {
  const presentByName = new Map(sets.present.map((object) => [nameIn(object.metadata), object]));
  return sets.wanted.flatMap((wanted): Promise<unknown>[] => {
    const { metadata } = wanted as unknown as KubernetesObject;
    const present = presentByName.get(nameIn(metadata));
    if (!present) return [createUnlessPresent(client, resource, wanted)];
    if (present.metadata.annotations?.[autoupdate] === "false") return [];
    const merged = sets.merge(present, wanted as unknown as T);
    return merged ? [client.update(resource, merged)] : [];
  });
}

const nameIn = (metadata: { readonly namespace?: string; readonly name: string }) =>
  `${metadata.namespace ?? ""}/${metadata.name}`;

function mergeRules<T extends ClusterRole | Role>(present: T, wanted: T): T | undefined {
  const { rules, metadata } = wanted;
  // The rules of an aggregated role are the aggregation controller's business.
  const aggregated = "aggregationRule" in present && present.aggregationRule !== undefined;
  const held = new Set((present.rules ?? []).map(ruleKey));
  const lacking = aggregated
    ? []
    : (rules ?? []).filter(
        (rule) => !held.has(ruleKey(rule)) && uncoveredRules(present.rules ?? [], [rule]).length > 0,
      );
  const labels = { ...metadata.labels, ...present.metadata.labels };
  const unlabelled = Object.keys(labels).length !== Object.keys(present.metadata.labels ?? {}).length;
  if (lacking.length === 0 && !unlabelled) return undefined;
  return {
    ...present,
    metadata: { ...present.metadata, labels },
    ...(lacking.length === 0 ? {} : { rules: [...(present.rules ?? []), ...lacking] }),
  };
}

/** Equal for rules that say the same in the same order, however their fields are ordered. */
const ruleKey = (rule: PolicyRule): string =>
  JSON.stringify([rule.verbs, rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs]);

function mergeSubjects<T extends ClusterRoleBinding | RoleBinding>(present: T, wanted: T): T | undefined {
  const subjectKey = (subject: Subject) => `${subject.kind}/${subject.namespace ?? ""}/${subject.name}`;
  const held = new Set((present.subjects ?? []).map(subjectKey));
  const missing = (wanted.subjects ?? []).filter((subject) => !held.has(subjectKey(subject)));
  if (missing.length === 0) return undefined;
  return { ...present, subjects: [...(present.subjects ?? []), ...missing] };
}

/** Fills in what aggregated roles hold, so that they work before the aggregation controller first runs. */
function withAggregatedRules(
  wanted: readonly New<ClusterRole>[],
  present: readonly ClusterRole[],
): readonly New<ClusterRole>[] {
  const presentNames = new Set(present.map((role) => role.metadata.name));
  const all = [
    ...present,
    ...(wanted as readonly ClusterRole[]).filter((role) => !presentNames.has(role.metadata.name)),
  ].sort((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1));
  const rulesOf = (role: ClusterRole, depth: number): readonly PolicyRule[] =>
    role.aggregationRule && depth < deepestAggregation ? aggregatedRules(role, depth) : (role.rules ?? []);
  const aggregatedRules = (role: ClusterRole, depth: number): readonly PolicyRule[] => {
    const rules = new Map<string, PolicyRule>();
    for (const source of all) {
      if (source.metadata.name === role.metadata.name || !selects(role, source)) continue;
      for (const rule of rulesOf(source, depth + 1)) rules.set(JSON.stringify(rule), rule);
    }
    return [...rules.values()];
  };
  return (wanted as readonly ClusterRole[]).map((role) =>
    role.aggregationRule ? { ...role, rules: aggregatedRules(role, 0) } : role,
  );
}

/** admin takes in edit, which takes in view. */
const deepestAggregation = 4;

const selects = (role: ClusterRole, source: ClusterRole): boolean =>
  (role.aggregationRule?.clusterRoleSelectors ?? []).some((selector) =>
    Object.entries(selector.matchLabels ?? {}).every(
      ([name, value]) => source.metadata.labels?.[name] === value,
    ),
  );
