import { apiVersionOf, keyOf } from "../../apimachinery/index.ts";
import { ClusterRole } from "../../api/types/rbac-v1.ts";
import type { PolicyRule } from "../../api/types/rbac-v1.ts";
import { canonicalJson, equalJson, matchesSelector, observed, settled, watch } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";

const fieldManager = "clusterrole-aggregation-controller";

/** Gives each ClusterRole with an aggregation rule the rules of those that it selects. */
export function clusterRoleAggregationController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const roles = informers.informer(ClusterRole);
  return {
    name: "clusterrole-aggregation",
    watches: [
      watch(roles, (_change, wake) => {
        for (const role of roles.list()) if (role.aggregationRule) wake(keyOf(role));
      }),
    ],
    async reconcile(key, signal) {
      const role = roles.get(key);
      if (!role?.aggregationRule) return settled;
      const rules = planRules(role, roles.list());
      if (equalJson(rules, role.rules ?? [])) return settled;
      const { kind } = ClusterRole;
      const body = { apiVersion: apiVersionOf(ClusterRole), kind, metadata: { name: key.name }, rules };
      const patch = { type: "apply", body, force: true } as const;
      const written = await client.patch<ClusterRole>(ClusterRole, key, patch, { fieldManager });
      await observed(roles, { stored: [written] }, { clock, signal });
      return settled;
    },
  };
}

/** The rules of all that the role selects, in order of their names, each once. */
export function planRules(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] {
  const rules = new Map<string, PolicyRule>();
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selected = all
      .filter(
        ({ metadata }) => metadata.name !== role.metadata.name && matchesSelector(selector, metadata.labels),
      )
      .sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
    for (const rule of selected.flatMap((source) => source.rules ?? [])) {
      const text = canonicalJson(rule);
      if (!rules.has(text)) rules.set(text, rule);
    }
  }
  return [...rules.values()];
}
