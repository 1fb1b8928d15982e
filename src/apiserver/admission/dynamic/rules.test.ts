import { expect, test } from "vitest";
import { isExempt, matchesRule } from "./rules.ts";

test.each([
  { resource: "pods", subject: {}, matches: true },
  { resource: "*", subject: {}, matches: true },
  { resource: "*", subject: { subresource: "status" }, matches: false },
  { resource: "*/*", subject: { subresource: "status" }, matches: true },
  { resource: "pods/*", subject: {}, matches: true },
  { resource: "pods/exec", subject: { subresource: "exec" }, matches: true },
  { resource: "*/scale", subject: { subresource: "exec" }, matches: false },
  { resource: "pods", subject: { operation: "UPDATE" as const }, matches: false },
  { resource: "pods", subject: { group: "apps" }, matches: false },
  { resource: "pods", subject: { version: "v2" }, matches: false },
  { resource: "pods", scope: "Namespaced", subject: {}, matches: true },
  { resource: "pods", scope: "Cluster", subject: {}, matches: false },
  { resource: "*", scope: "Cluster", subject: { plural: "namespaces" }, matches: true },
  { resource: "*", scope: "Namespaced", subject: { plural: "namespaces" }, matches: false },
])(
  "a rule for $resource $scope matches $subject: $matches",
  ({ resource, scope = "*", subject, matches }) => {
    const rule = {
      operations: ["CREATE"],
      apiGroups: [""],
      apiVersions: ["v1"],
      resources: [resource],
      scope,
    };
    const pods = { group: "", version: "v1", plural: "pods", subresource: "", namespace: "shop" };
    expect(matchesRule(rule, { operation: "CREATE", ...pods, ...subject })).toBe(matches);
  },
);

test.each([
  { group: "admissionregistration.k8s.io", plural: "validatingwebhookconfigurations", exempt: true },
  { group: "admissionregistration.k8s.io", plural: "mutatingadmissionpolicies", exempt: true },
  { group: "", plural: "configmaps", exempt: false },
])("$plural are exempt: $exempt", ({ exempt, ...resource }) => {
  expect(isExempt(resource)).toBe(exempt);
});
