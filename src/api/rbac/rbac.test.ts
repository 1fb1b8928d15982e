import { describe, expect, test } from "vitest";
import { cells, creationProblems, defaulted, updateProblems } from "../testing/check.ts";
import type { Sketch } from "../testing/check.ts";
import { clusterRoleBindingDefinition, roleBindingDefinition } from "./role-binding.ts";
import { clusterRoleDefinition, roleDefinition } from "./role.ts";

const rule = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };

describe("roles", () => {
  const nobody =
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs';
  test.each([
    ["a good one", rule, []],
    [
      "no verb",
      { ...rule, verbs: [] },
      ["rules[0].verbs: Required value: verbs must contain at least one value"],
    ],
    [
      "no resource",
      { verbs: ["get"] },
      [
        "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        "rules[0].resources: Required value: resource rules must supply at least one resource",
      ],
    ],
  ])("%s", (_, given, problems) => {
    expect(creationProblems(roleDefinition, { rules: [given] })).toEqual(problems);
  });
  test("of namespaces are not for paths; what is wrong with a change is told twice", () => {
    const rules = [{ verbs: ["get"], nonResourceURLs: ["/x"] }];
    expect(creationProblems(roleDefinition, { rules })[0]).toBe(nobody);
    expect(creationProblems(clusterRoleDefinition, { rules })).toEqual([]);
    const changed = updateProblems(roleDefinition, { old: { rules: [rule] }, next: { rules } });
    expect(changed.filter((line) => line === nobody)).toHaveLength(2);
  });
  test("that gather others select some", () => {
    expect(creationProblems(clusterRoleDefinition, { aggregationRule: {} })).toEqual([
      "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil",
    ]);
    const clusterRoleSelectors = [{ matchLabels: { "a b": "" } }];
    expect(
      creationProblems(clusterRoleDefinition, { aggregationRule: { clusterRoleSelectors } }).at(-1),
    ).toMatch(/^aggregationRule.clusterRoleSelectors\[0\]: Invalid value: .*: invalid label selector\.$/);
  });
});

describe("bindings", () => {
  const roleRef = { kind: "ClusterRole", name: "r" };
  const binding = (...subjects: readonly Sketch[]): Sketch => ({ roleRef, subjects });
  test("get the groups of what they name", () => {
    const made = defaulted(
      roleBindingDefinition,
      binding({ kind: "User", name: "a" }, { kind: "ServiceAccount", name: "b" }),
    );
    expect(made.roleRef.apiGroup).toBe("rbac.authorization.k8s.io");
    expect(made.subjects?.map(({ apiGroup }) => apiGroup ?? "")).toEqual(["rbac.authorization.k8s.io", ""]);
  });
  test.each([
    ["a good one", binding({ kind: "User", name: "a" }), []],
    ["nobody", binding({ kind: "User", name: "" }), ["subjects[0].name: Required value"]],
    [
      "an account of the cluster",
      binding({ kind: "ServiceAccount", name: "a" }),
      ["subjects[0].namespace: Required value"],
    ],
    [
      "another kind",
      binding({ kind: "X", name: "a" }),
      ['subjects[0].kind: Unsupported value: "X": supported values: "ServiceAccount", "User", "Group"'],
    ],
  ])("%s", (_, sketch, problems) => {
    expect(creationProblems(clusterRoleBindingDefinition, sketch)).toEqual(problems);
  });
  test("are of roles, and stay with theirs", () => {
    const next = { roleRef: { kind: "Role", name: "r" } };
    expect(creationProblems(clusterRoleBindingDefinition, next)).toEqual([
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    ]);
    expect(updateProblems(roleBindingDefinition, { old: binding(), next })).toEqual([
      'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"r"}: cannot change roleRef',
    ]);
  });
  test("the wide table shows who has the role", () => {
    const subjects = [
      { kind: "User", name: "a" },
      { kind: "User", name: "b" },
      { kind: "ServiceAccount", namespace: "n", name: "c" },
    ];
    expect(cells(roleBindingDefinition, { roleRef, subjects })).toMatchObject({
      Role: "ClusterRole/r",
      Users: "a, b",
      Groups: "",
      ServiceAccounts: "n/c",
    });
  });
});
