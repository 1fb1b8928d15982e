import { describe, expect, test } from "vitest";
import { decide } from "./policy.ts";
import type { AuditPolicy, AuditRule } from "./policy.ts";
import { readAuditPolicy } from "./read-policy.ts";

const user = { name: "jane", groups: ["devs", "system:authenticated"] };
const pod = {
  type: "resource",
  user,
  verb: "get",
  group: "",
  version: "v1",
  resource: "pods",
  subresource: "",
  namespace: "n",
  name: "web",
} as const;
const path = { type: "path", user, verb: "get", path: "/healthz/etcd" } as const;

describe("rules", () => {
  test.each<[string, Omit<AuditRule, "level">, boolean, boolean]>([
    ["no condition", {}, true, true],
    ["the user", { users: ["jane"] }, true, true],
    ["another user", { users: ["bob"] }, false, false],
    ["a group", { userGroups: ["x", "devs"] }, true, true],
    ["the verb", { verbs: ["list", "get"] }, true, true],
    ["another verb", { verbs: ["create"] }, false, false],
    ["the namespace", { namespaces: ["n"] }, true, false],
    ["no namespace", { namespaces: [""] }, false, false],
    ["the group of resources", { resources: [{ group: "" }] }, true, false],
    ["another group", { resources: [{ group: "apps" }] }, false, false],
    ["the resource", { resources: [{ resources: ["pods"] }] }, true, false],
    ["all resources", { resources: [{ resources: ["*"] }] }, true, false],
    ["its subresources", { resources: [{ resources: ["pods/log"] }] }, false, false],
    ["it and its subresources", { resources: [{ resources: ["pods/*"] }] }, true, false],
    ["the name", { resources: [{ resources: ["pods"], resourceNames: ["web"] }] }, true, false],
    ["another name", { resources: [{ resources: ["pods"], resourceNames: ["x"] }] }, false, false],
    ["the path", { nonResourceURLs: ["/healthz/etcd"] }, false, true],
    ["paths that begin so", { nonResourceURLs: ["/healthz*"] }, false, true],
    ["all paths", { nonResourceURLs: ["*"] }, false, true],
    ["another path", { nonResourceURLs: ["/healthz"] }, false, false],
  ])("%s", (_, rule, ofPod, ofPath) => {
    const policy: AuditPolicy = { rules: [{ level: "Request", ...rule }] };
    expect(decide(policy, pod).level).toBe(ofPod ? "Request" : "None");
    expect(decide(policy, path).level).toBe(ofPath ? "Request" : "None");
  });

  test("subresources", () => {
    const log = { ...pod, subresource: "log" };
    const level = (pattern: string) =>
      decide({ rules: [{ level: "Request", resources: [{ resources: [pattern] }] }] }, log).level;
    expect(["pods", "pods/log", "*/log", "pods/*", "*"].map(level)).toEqual([
      "None",
      "Request",
      "Request",
      "Request",
      "Request",
    ]);
  });

  test("the first that matches decides; stages add up, the rule's word on managed fields counts", () => {
    const policy: AuditPolicy = {
      omitStages: ["RequestReceived"],
      omitManagedFields: true,
      rules: [
        { level: "None", users: ["bob"] },
        { level: "Metadata", omitStages: ["Panic"], omitManagedFields: false },
        { level: "Request" },
      ],
    };
    const omitStages = ["RequestReceived", "Panic"];
    expect(decide(policy, pod)).toEqual({ level: "Metadata", omitStages, omitManagedFields: false });
  });
});

describe("files", () => {
  const head = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";

  test("a policy", async () => {
    const text = `${head}rules:\n- level: Metadata\n  resources: [{group: "", resources: [secrets]}]\n- level: None\n`;
    expect((await readAuditPolicy(text)).rules).toEqual([
      { level: "Metadata", resources: [{ group: "", resources: ["secrets"] }] },
      { level: "None" },
    ]);
  });

  test.each([
    ["", "unknown group version field , Kind= in policy"],
    ["kind: [", "failed decoding: "],
    [head, "loaded illegal policy with 0 rules"],
    [`${head}rules: [{}]`, "rules[0].level: Required value"],
    [
      `${head}rules: [{level: All}]`,
      'rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", "Request", "RequestResponse"',
    ],
    [
      `${head}rules: [{level: None, omitStages: [Done]}]`,
      'rules[0].omitStages[0]: Invalid value: "Done": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic',
    ],
    [
      `${head}rules: [{level: None, nonResourceURLs: [x], namespaces: [n]}]`,
      "[rules[0].nonResourceURLs[0]: Invalid value: \"x\": non-resource URL rules must begin with a '/' character, " +
        'rules[0].nonResourceURLs: Invalid value: ["x"]: rules cannot apply to both regular resources and non-resource URLs]',
    ],
    [
      `${head}rules: [{level: None, resources: [{group: apps/v1, resourceNames: [x]}]}]`,
      "rules[0].resources[0].group: Invalid value",
    ],
  ])("%j is refused", async (text, message) => {
    await expect(readAuditPolicy(text)).rejects.toThrow(message);
  });
});
