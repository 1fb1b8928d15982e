import { describe, expect, test } from "vitest";
import { ApiError, keyOf, keyString } from "../../apimachinery/index.ts";
import type { KubernetesObject, Resource } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import { ClusterRole, ClusterRoleBinding } from "../../api/types/rbac-v1.ts";
import { bootstrapPolicy, reconcileBootstrapPolicy } from "./bootstrap-policy.ts";
import { memoryReader } from "./memory-reader.ts";
import { createNodeAuthorizer } from "./node.ts";
import { createRbacAuthorizer } from "./rbac.ts";

/** A client that keeps objects in a memory reader and counts writes. */
function storeClient() {
  const reader = memoryReader();
  const writes: string[] = [];
  const put = (verb: string) => async (resource: Resource, object: KubernetesObject) => {
    if (verb === "create" && reader.get(resource, keyOf(object))) {
      throw ApiError.alreadyExists(
        { group: resource.group, resource: resource.plural },
        object.metadata.name,
      );
    }
    writes.push(`${verb} ${resource.plural} ${keyString(keyOf(object))}`);
    reader.put(resource, object);
    return object;
  };
  const client = {
    list: async (resource: Resource) => ({ metadata: {}, items: reader.list(resource) }),
    create: put("create"),
    update: put("update"),
  } as unknown as Client;
  return { client, reader, writes };
}

describe("the default policy", () => {
  test("names each role once, and each binding's role exists", () => {
    const { clusterRoles, clusterRoleBindings, roles } = bootstrapPolicy();
    const names = clusterRoles.map((role) => role.metadata?.name);
    expect(new Set(names).size).toBe(names.length);
    for (const binding of clusterRoleBindings) expect(names).toContain(binding.roleRef?.name);
    expect(roles).toHaveLength(7);
  });

  test("is created once, then left alone", async () => {
    const { client, reader, writes } = storeClient();
    await reconcileBootstrapPolicy(client);
    const view = reader.get(ClusterRole, { name: "view" });
    const admin = reader.get(ClusterRole, { name: "admin" });
    expect(view?.rules).toContainEqual({
      verbs: ["get", "list", "watch"],
      apiGroups: [""],
      resources: ["namespaces"],
    });
    expect((admin?.rules ?? []).length).toBeGreaterThan((view?.rules ?? []).length);
    const before = writes.length;
    await reconcileBootstrapPolicy(client);
    expect(writes.slice(before)).toEqual([]);
  });

  test("missing rules and subjects come back; what was added stays; autoupdate false is honoured", async () => {
    const { client, reader, writes } = storeClient();
    await reconcileBootstrapPolicy(client);
    const own = { verbs: ["get"], apiGroups: ["example.com"], resources: ["things"] };
    const strip = (name: string, annotations: Record<string, string>) => {
      const role = reader.get(ClusterRole, { name });
      if (role)
        reader.put(ClusterRole, { ...role, metadata: { ...role.metadata, annotations }, rules: [own] });
    };
    strip("system:kube-dns", {});
    strip("system:discovery", { "rbac.authorization.kubernetes.io/autoupdate": "false" });
    const binding = reader.get(ClusterRoleBinding, { name: "cluster-admin" });
    if (binding) reader.put(ClusterRoleBinding, { ...binding, subjects: [] });
    writes.length = 0;
    await reconcileBootstrapPolicy(client);
    expect(writes.sort()).toEqual([
      "update clusterrolebindings cluster-admin",
      "update clusterroles system:kube-dns",
    ]);
    expect(reader.get(ClusterRole, { name: "system:kube-dns" })?.rules).toHaveLength(2);
  });

  test("controllers get what they need from it", async () => {
    const { client, reader } = storeClient();
    await reconcileBootstrapPolicy(client);
    const rbac = createRbacAuthorizer({ reader });
    const may = (controller: string, verb: string, resource: string) =>
      rbac.authorize({
        type: "resource",
        user: { name: `system:serviceaccount:kube-system:${controller}`, groups: ["system:serviceaccounts"] },
        verb,
        group: "",
        version: "v1",
        resource,
        subresource: "",
        namespace: "default",
        name: "",
      }).type;
    expect(may("replicaset-controller", "create", "pods")).toBe("allow");
    expect(may("replicaset-controller", "create", "secrets")).toBe("noOpinion");
    expect(may("generic-garbage-collector", "delete", "secrets")).toBe("allow");
  });
});

describe("the node authorizer", () => {
  const reader = memoryReader();
  const metadata = { name: "web", namespace: "shop", uid: "1", resourceVersion: "1", creationTimestamp: "" };
  reader.put(Pod, {
    metadata,
    spec: {
      nodeName: "one",
      serviceAccountName: "bot",
      containers: [{ name: "c", envFrom: [{ configMapRef: { name: "settings" } }] }],
      volumes: [{ name: "s", secret: { secretName: "key" } }],
    },
    status: {},
  } as unknown as Pod);
  const authorizer = createNodeAuthorizer({ reader });
  const cases: [string, string, string, string, string, boolean][] = [
    ["one", "get", "secrets", "shop", "key", true],
    ["one", "get", "secrets", "shop", "other", false],
    ["one", "get", "secrets", "default", "key", false],
    ["two", "get", "secrets", "shop", "key", false],
    ["one", "list", "secrets", "shop", "", false],
    ["one", "watch", "configmaps", "shop", "settings", true],
    ["one", "create", "serviceaccounts/token", "shop", "bot", true],
    ["two", "create", "serviceaccounts/token", "shop", "bot", false],
    ["one", "get", "nodes", "", "one", true],
    ["one", "get", "nodes", "", "two", false],
    ["one", "patch", "nodes/status", "", "one", true],
    ["one", "delete", "nodes", "", "one", false],
    ["one", "list", "pods", "", "", true],
    ["one", "patch", "pods/status", "shop", "web", true],
    ["one", "create", "events", "shop", "", true],
    ["one", "delete", "services", "shop", "x", false],
  ];
  test.each(cases)("node %s: %s %s in %s named %s", (node, verb, target, namespace, name, allowed) => {
    const [resource = "", subresource = ""] = target.split("/");
    const decision = authorizer.authorize({
      type: "resource",
      user: { name: `system:node:${node}`, groups: ["system:nodes"] },
      verb,
      group: "",
      version: "v1",
      resource,
      subresource,
      namespace,
      name,
    });
    expect(decision.type === "allow").toBe(allowed);
  });
});
