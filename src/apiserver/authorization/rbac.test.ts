import { describe, expect, test } from "vitest";
import type { SubjectAccessReviewSpec } from "../../api/types/authorization-v1.ts";
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "../../api/types/rbac-v1.ts";
import type { PolicyRule, Subject } from "../../api/types/rbac-v1.ts";
import type { Attributes } from "./authorizer.ts";
import { administratorAuthorizer, forbiddenError, unionAuthorizer } from "./decide.ts";
import { createEscalationGuard } from "./escalation.ts";
import { memoryReader } from "./memory-reader.ts";
import { createRbacAuthorizer } from "./rbac.ts";
import { evaluateSelfSubjectRulesReview, evaluateSubjectAccessReview } from "./reviews.ts";

const meta = (name: string, namespace?: string) => ({
  name,
  uid: name,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  ...(namespace === undefined ? {} : { namespace }),
});
const roleRef = (kind: "Role" | "ClusterRole", name: string) => ({
  apiGroup: "rbac.authorization.k8s.io",
  kind,
  name,
});
const user = (name: string): Subject => ({ kind: "User", name });

function ask(text: string, options: { user?: string; groups?: string[]; name?: string } = {}): Attributes {
  const [verb = "", target = "", namespace = ""] = text.split(" ");
  const who = { name: options.user ?? "ann", groups: options.groups ?? ["system:authenticated"] };
  if (target.startsWith("/")) return { type: "path", user: who, verb, path: target };
  const [full = "", ...group] = target.split(".");
  const [resource = "", subresource = ""] = full.split("/");
  return {
    type: "resource",
    user: who,
    verb,
    group: group.join("."),
    version: "v1",
    resource,
    subresource,
    namespace,
    name: options.name ?? "",
  };
}

function clusterOf(rules: readonly PolicyRule[], subject: Subject = user("ann")) {
  const reader = memoryReader();
  const rbac = createRbacAuthorizer({ reader });
  reader.put(ClusterRole, { metadata: meta("role"), rules });
  reader.put(ClusterRoleBinding, {
    metadata: meta("binding"),
    subjects: [subject],
    roleRef: roleRef("ClusterRole", "role"),
  });
  return { reader, rbac };
}

describe("rule matching", () => {
  const pods = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };
  const cases: [string, PolicyRule, Attributes, boolean][] = [
    ["the very resource", pods, ask("get pods default"), true],
    ["another verb", pods, ask("list pods default"), false],
    ["another group", pods, ask("get pods.metrics.k8s.io default"), false],
    ["a subresource is not the resource", pods, ask("get pods/log default"), false],
    ["a named subresource", { ...pods, resources: ["pods/log"] }, ask("get pods/log d"), true],
    [
      "any resource's scale",
      { ...pods, apiGroups: ["*"], resources: ["*/scale"] },
      ask("get deployments/scale.apps d"),
      true,
    ],
    ["scale alone", { ...pods, resources: ["*/scale"] }, ask("get pods d"), false],
    ["everything", { verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, ask("delete a/b.c d"), true],
    ["a name that is listed", { ...pods, resourceNames: ["web"] }, ask("get pods d", { name: "web" }), true],
    ["a name that is not", { ...pods, resourceNames: ["web"] }, ask("get pods d", { name: "db" }), false],
    ["no name where names are listed", { ...pods, resourceNames: ["web"] }, ask("get pods d"), false],
    ["a path", { verbs: ["get"], nonResourceURLs: ["/healthz"] }, ask("get /healthz"), true],
    ["a path below", { verbs: ["get"], nonResourceURLs: ["/healthz"] }, ask("get /healthz/etcd"), false],
    ["a path by prefix", { verbs: ["get"], nonResourceURLs: ["/api/*"] }, ask("get /api/v1"), true],
    ["any path", { verbs: ["*"], nonResourceURLs: ["*"] }, ask("post /x"), true],
  ];
  test.each(cases)("%s", (_, rule, attributes, allowed) => {
    const { rbac } = clusterOf([rule]);
    expect(rbac.authorize(attributes).type).toBe(allowed ? "allow" : "noOpinion");
  });
});

describe("bindings", () => {
  const rules = [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }];

  test("reasons name the binding, the role and the subject", () => {
    const { rbac } = clusterOf(rules);
    expect(rbac.authorize(ask("get pods default")).reason).toBe(
      'RBAC: allowed by ClusterRoleBinding "binding" of ClusterRole "role" to User "ann"',
    );
  });

  test("a role binding grants in its namespace only, to service accounts of its own namespace too", () => {
    const reader = memoryReader();
    reader.put(Role, { metadata: meta("reader", "shop"), rules });
    reader.put(RoleBinding, {
      metadata: meta("readers", "shop"),
      subjects: [{ kind: "ServiceAccount", name: "bot" }],
      roleRef: roleRef("Role", "reader"),
    });
    const rbac = createRbacAuthorizer({ reader });
    const bot = { user: "system:serviceaccount:shop:bot" };
    expect(rbac.authorize(ask("get pods shop", bot))).toEqual({
      type: "allow",
      reason: 'RBAC: allowed by RoleBinding "readers/shop" of Role "reader" to ServiceAccount "bot/shop"',
    });
    expect(rbac.authorize(ask("get pods other", bot)).type).toBe("noOpinion");
    expect(rbac.authorize(ask("get pods", bot)).type).toBe("noOpinion");
  });

  test("changes count at once", () => {
    const { reader, rbac } = clusterOf(rules, { kind: "Group", name: "devs" });
    const dev = { groups: ["devs"] };
    expect(rbac.authorize(ask("get pods a", dev)).type).toBe("allow");
    reader.put(ClusterRoleBinding, {
      metadata: meta("binding"),
      subjects: [user("bob")],
      roleRef: roleRef("ClusterRole", "role"),
    });
    expect(rbac.authorize(ask("get pods a", dev)).type).toBe("noOpinion");
    expect(rbac.authorize(ask("get pods a", { user: "bob" })).type).toBe("allow");
    reader.remove(ClusterRoleBinding, { name: "binding" });
    expect(rbac.authorize(ask("get pods a", { user: "bob" })).type).toBe("noOpinion");
  });

  test("a missing role is told", () => {
    const { reader, rbac } = clusterOf(rules);
    reader.remove(ClusterRole, { name: "role" });
    expect(rbac.authorize(ask("get pods a")).reason).toBe(
      'RBAC: clusterrole.rbac.authorization.k8s.io "role" not found',
    );
  });

  test("system:masters needs no role; refusals say who, what and where", () => {
    const { rbac } = clusterOf([]);
    const authorizer = unionAuthorizer([administratorAuthorizer, rbac]);
    expect(authorizer.authorize(ask("delete nodes", { groups: ["system:masters"] })).type).toBe("allow");
    const attributes = ask("list deployments.apps shop");
    expect(forbiddenError(attributes, authorizer.authorize(attributes)).message).toBe(
      'deployments.apps is forbidden: User "ann" cannot list resource "deployments" in API group "apps" in the namespace "shop"',
    );
    const path = ask("get /metrics");
    expect(forbiddenError(path, authorizer.authorize(path)).message).toBe(
      'forbidden: User "ann" cannot get path "/metrics"',
    );
  });
});

describe("reviews", () => {
  const { rbac } = clusterOf([
    { verbs: ["get"], apiGroups: [""], resources: ["pods"] },
    { verbs: ["get"], nonResourceURLs: ["/healthz"] },
  ]);

  const ask = (spec: SubjectAccessReviewSpec, metadata = {}) =>
    evaluateSubjectAccessReview(rbac, { metadata, spec });

  test("a subject access review answers for another user", () => {
    const asked = { resourceAttributes: { verb: "get", resource: "pods", namespace: "a" } };
    expect(ask({ ...asked, user: "ann" }).allowed).toBe(true);
    expect(ask({ ...asked, user: "bob" })).toEqual({ allowed: false });
    expect(() => ask({ user: "ann" })).toThrow(
      'spec.resourceAttributes: Invalid value: "null": exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  });

  test("a malformed review is refused in upstream's words, without a kind", () => {
    const questions = {
      resourceAttributes: {
        fieldSelector: {},
        labelSelector: { requirements: [{ key: "", operator: "In" }] },
      },
    };
    const problems = [
      'spec.user: Invalid value: "": at least one of user or group must be specified',
      "spec.resourceAttributes.fieldSelector.requirements: Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required",
      "spec.resourceAttributes.labelSelector.requirements[0].key: Required value: must be specified",
      "spec.resourceAttributes.labelSelector.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      'metadata: Invalid value: {"name":"x"}: must be empty',
    ];
    expect(() => ask(questions, { name: "x" })).toThrow(
      `.authorization.k8s.io "" is invalid: [${problems.join(", ")}]`,
    );
  });

  test("a rules review lists what is held", () => {
    expect(
      evaluateSelfSubjectRulesReview(rbac, { user: { name: "ann", groups: [] }, namespace: "a" }),
    ).toEqual({
      resourceRules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }],
      nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }],
      incomplete: false,
    });
  });
});

describe("escalation", () => {
  const held: PolicyRule[] = [{ verbs: ["get", "list"], apiGroups: [""], resources: ["pods"] }];
  const grant = (rules: PolicyRule[], extra: PolicyRule[] = []) => {
    const { reader, rbac } = clusterOf([...held, ...extra]);
    reader.put(ClusterRole, { metadata: meta("wanted"), rules });
    const guard = createEscalationGuard({ rbac, authorizer: rbac });
    const common = {
      operation: "CREATE",
      subresource: "",
      namespace: "shop",
      name: "wanted",
      user: { name: "ann", groups: ["devs", "system:authenticated"] },
      dryRun: false,
    } as const;
    return {
      role: () =>
        guard.validate?.({
          ...common,
          resource: Role,
          object: { metadata: meta("wanted", "shop"), rules } as never,
        }),
      binding: () =>
        guard.validate?.({
          ...common,
          resource: RoleBinding,
          object: { metadata: meta("b", "shop"), roleRef: roleRef("ClusterRole", "wanted") } as never,
        }),
    };
  };
  const tooMuch: PolicyRule[] = [
    { verbs: ["get", "create", "delete"], apiGroups: [""], resources: ["pods"] },
  ];

  test("what is held may be granted", () => {
    expect(
      grant([{ verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["web"] }]).role(),
    ).toBe(undefined);
  });

  test("what is not held is listed", () => {
    expect(grant(tooMuch).role).toThrow(
      'roles.rbac.authorization.k8s.io "wanted" is forbidden: user "ann" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["create" "delete"]}',
    );
    expect(grant(tooMuch).binding).toThrow("is attempting to grant RBAC permissions not currently held");
  });

  test("escalate and bind lift the check", () => {
    const lift = (verb: string, resource: string): PolicyRule[] => [
      { verbs: [verb], apiGroups: ["rbac.authorization.k8s.io"], resources: [resource] },
    ];
    expect(grant(tooMuch, lift("escalate", "roles")).role()).toBe(undefined);
    expect(grant(tooMuch, lift("bind", "clusterroles")).binding()).toBe(undefined);
    expect(grant(tooMuch, lift("bind", "clusterroles")).role).toThrow("not currently held");
  });
});
