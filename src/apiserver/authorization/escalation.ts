import { ApiError } from "../../apimachinery/index.ts";
import type { KubernetesObject } from "../../apimachinery/index.ts";
import type { ClusterRole, PolicyRule, Role, RoleBinding } from "../../api/types/rbac-v1.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission/plugin.ts";
import type { Authorizer } from "./authorizer.ts";
import { joinErrors } from "./rbac.ts";
import type { RbacAuthorizer } from "./rbac.ts";
import { compactRules, describeRule, describeUser, uncoveredRules } from "./rules.ts";

const rbacGroup = "rbac.authorization.k8s.io";
const fullAuthority: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

/** Keeps users from granting more than they hold, unless they may `escalate` the role or `bind` it. */
export function createEscalationGuard(options: {
  readonly rbac: RbacAuthorizer;
  readonly authorizer: Authorizer;
}): AdmissionPlugin {
  return {
    name: "RBACEscalation",
    operations: ["CREATE", "UPDATE"],
    validate(request) {
      if (request.resource.group !== rbacGroup || request.subresource !== "" || !request.object) return;
      if (request.user.groups.includes("system:masters")) return;
      if (sameGrant(request.object, request.old)) return;
      switch (request.resource.plural) {
        case "roles":
        case "clusterroles":
          return checkRole(request, { ...options, role: request.object as Role | ClusterRole });
        case "rolebindings":
        case "clusterrolebindings":
          return checkBinding(request, { ...options, binding: request.object as RoleBinding });
        default:
      }
    },
  };
}

/** Whether an update changes no more than metadata. */
function sameGrant(object: KubernetesObject, old: KubernetesObject | undefined): boolean {
  if (!old) return false;
  const grant = (value: KubernetesObject) => {
    const { rules, aggregationRule, subjects, roleRef } = value as Partial<ClusterRole & RoleBinding>;
    return JSON.stringify([rules ?? [], aggregationRule, subjects ?? [], roleRef]);
  };
  return grant(object) === grant(old);
}

interface Deciders {
  readonly rbac: RbacAuthorizer;
  readonly authorizer: Authorizer;
}

function may(
  request: AdmissionRequest,
  authorizer: Authorizer,
  what: {
    verb: string;
    resource: string;
    name: string;
  },
): boolean {
  const decision = authorizer.authorize({
    type: "resource",
    user: request.user,
    group: rbacGroup,
    version: "*",
    subresource: "",
    namespace: request.namespace,
    ...what,
  });
  return decision.type === "allow";
}

function checkRole(
  request: AdmissionRequest,
  deciders: Deciders & { readonly role: Role | ClusterRole },
): void {
  const { role, authorizer } = deciders;
  const resource = request.resource.plural;
  if (may(request, authorizer, { verb: "escalate", resource, name: role.metadata.name ?? "" })) return;
  const problem = escalationProblem(request, { rbac: deciders.rbac, rules: role.rules ?? [] });
  if (problem !== undefined) throw refusal(request, problem);
  const aggregates = "aggregationRule" in role && role.aggregationRule !== undefined;
  if (aggregates && escalationProblem(request, { rbac: deciders.rbac, rules: fullAuthority }) !== undefined) {
    throw refusal(request, "must have cluster-admin privileges to use the aggregationRule");
  }
}

function checkBinding(
  request: AdmissionRequest,
  deciders: Deciders & { readonly binding: RoleBinding },
): void {
  const { roleRef } = deciders.binding;
  const resource = roleRef.kind === "ClusterRole" ? "clusterroles" : "roles";
  if (may(request, deciders.authorizer, { verb: "bind", resource, name: roleRef.name })) return;
  const rules = deciders.rbac.rulesOf(roleRef, request.namespace);
  if (!rules)
    throw ApiError.notFound({ group: rbacGroup, resource: roleRef.kind.toLowerCase() }, roleRef.name);
  const problem = escalationProblem(request, { rbac: deciders.rbac, rules });
  if (problem !== undefined) throw refusal(request, problem);
}

/** Why the user may not grant the rules; undefined when he may. */
function escalationProblem(
  request: AdmissionRequest,
  grant: { readonly rbac: RbacAuthorizer; readonly rules: readonly PolicyRule[] },
): string | undefined {
  const held = grant.rbac.rulesFor(request.user, request.namespace);
  const missing = uncoveredRules(held.rules, grant.rules);
  if (missing.length === 0) return undefined;
  const lines = [...new Set(compactRules(missing).map(describeRule))].sort().join("\n");
  const head = `${describeUser(request.user)} is attempting to grant RBAC permissions not currently held:\n${lines}`;
  return held.errors.length === 0 ? head : `${head}; resolution errors: ${joinErrors(held.errors)}`;
}

function refusal(request: AdmissionRequest, why: string): ApiError {
  const { group, plural } = request.resource;
  const name = request.object?.metadata.name ?? request.name;
  return ApiError.forbidden({ group, resource: plural }, name, why);
}
