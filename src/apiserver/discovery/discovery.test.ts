import { describe, expect, test } from "vitest";
import { resourceFacts, schemas } from "../../api/index.ts";
import { ApiError, decodeProtobuf } from "../../apimachinery/index.ts";
import { compareVersions, createDiscovery, isServedByDefault } from "./index.ts";

const widget = {
  group: "example.com",
  version: "v1beta1",
  kind: "Widget",
  plural: "widgets",
  singular: "widget",
  namespaced: true,
  verbs: ["get", "list"],
  stability: "GA" as const,
  storageVersionHash: "abc=",
};
const discovery = createDiscovery({
  resources: [widget, ...resourceFacts.filter(isServedByDefault)],
  stale: [{ group: "metrics.k8s.io", version: "v1beta1" }],
  serverAddress: "10.0.0.1:6443",
});
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

function read<T>(path: string, accept?: string): T {
  return JSON.parse(new TextDecoder().decode(discovery.get(path, accept)?.bytes)) as T;
}

interface Rows {
  readonly resources: readonly { readonly name: string }[];
}

test("the roots", () => {
  expect(read("/api")).toEqual({
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "10.0.0.1:6443" }],
  });
  const { groups } = read<{ groups: { name: string; preferredVersion: object }[] }>("/apis");
  expect(groups.map(({ name }) => name)).toEqual([
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
    "example.com",
    "metrics.k8s.io",
  ]);
  expect(read("/apis/autoscaling/")).toEqual({
    kind: "APIGroup",
    apiVersion: "v1",
    name: "autoscaling",
    versions: [
      { groupVersion: "autoscaling/v2", version: "v2" },
      { groupVersion: "autoscaling/v1", version: "v1" },
    ],
    preferredVersion: { groupVersion: "autoscaling/v2", version: "v2" },
  });
});

test("resources of a group version, with their subresources", () => {
  function check(path: string, name: string, row: object) {
    expect(read<Rows>(path).resources.find((found) => found.name === name)).toEqual({ name, ...row });
  }
  check("/api/v1", "services", {
    singularName: "service",
    namespaced: true,
    kind: "Service",
    verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    shortNames: ["svc"],
    categories: ["all"],
    storageVersionHash: "0/CO1lhkEBI=",
  });
  check("/apis/apps/v1", "deployments/scale", {
    singularName: "",
    namespaced: true,
    group: "autoscaling",
    version: "v1",
    kind: "Scale",
    verbs: ["get", "patch", "update"],
  });
  // Both versions are stored as autoscaling/v2, both kinds of events as core/v1.
  const hash = (path: string) => read<{ resources: { storageVersionHash: string }[] }>(path).resources[0];
  expect(hash("/apis/autoscaling/v1")?.storageVersionHash).toBe("qwQve8ut294=");
  expect(hash("/apis/events.k8s.io/v1")?.storageVersionHash).toBe("r2yiGXH7wu8=");
  const names = read<Rows>("/api/v1").resources.map(({ name }) => name);
  expect(names).toEqual([...names].sort());
  expect(read("/api/v1")).not.toHaveProperty("apiVersion");
  expect(read("/apis/apps/v1")).toMatchObject({ apiVersion: "v1", groupVersion: "apps/v1" });
});

test("all at once", () => {
  const document = discovery.get("/apis", `${aggregated},application/json;q=0.9`);
  expect(document?.contentType).toBe(aggregated);
  expect(discovery.get("/apis", aggregated)).toBe(document);
  interface List {
    items: { metadata: { name?: string }; versions: { freshness: string; resources?: object[] }[] }[];
  }
  const list = read<List>("/apis", aggregated);
  expect(list.items.find(({ metadata }) => metadata.name === "policy")).toEqual({
    metadata: { name: "policy" },
    versions: [
      {
        version: "v1",
        resources: [
          {
            resource: "poddisruptionbudgets",
            responseKind: { group: "policy", version: "v1", kind: "PodDisruptionBudget" },
            scope: "Namespaced",
            singularResource: "poddisruptionbudget",
            verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            shortNames: ["pdb"],
            subresources: [
              {
                subresource: "status",
                responseKind: { group: "policy", version: "v1", kind: "PodDisruptionBudget" },
                verbs: ["get", "patch", "update"],
              },
            ],
          },
        ],
        freshness: "Current",
      },
    ],
  });
  expect(list.items.at(-1)?.versions).toEqual([{ version: "v1beta1", freshness: "Stale" }]);
  expect(read<List>("/api", aggregated).items).toHaveLength(1);
});

describe("negotiation", () => {
  test("protobuf for those who ask", () => {
    for (const path of ["/api", "/apis", "/apis/apps", "/apis/apps/v1", "/api/v1"]) {
      const document = discovery.get(path, "application/vnd.kubernetes.protobuf, application/json;q=0.5");
      expect(document?.contentType).toBe("application/vnd.kubernetes.protobuf");
      const { apiVersion: _, ...expected } = read<{ apiVersion?: string }>(path);
      expect(decodeProtobuf(document!.bytes, schemas), path).toMatchObject(expected);
    }
    const accept = aggregated.replace("application/json", "application/vnd.kubernetes.protobuf");
    expect(decodeProtobuf(discovery.get("/apis", accept)!.bytes, schemas)).toEqual(read("/apis", aggregated));
  });

  test("an unknown form is passed over, or refused", () => {
    const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    expect(discovery.get("/apis", `${table},application/json`)?.contentType).toBe("application/json");
    expect(() => discovery.get("/apis", "text/plain")).toThrow(ApiError);
    expect(discovery.get("/apis/nothing", undefined)).toBeUndefined();
    expect(discovery.get("/apis/apps/v9", undefined)).toBeUndefined();
    expect(discovery.get("/api/v1/pods", undefined)).toBeUndefined();
  });
});

test("versions in order of preference", () => {
  const versions = ["foo", "v1alpha1", "v1", "v10", "v2beta3", "v2beta10", "v2", "bar", "v11alpha2"];
  expect(versions.sort(compareVersions)).toEqual([
    "v10",
    "v2",
    "v1",
    "v2beta10",
    "v2beta3",
    "v11alpha2",
    "v1alpha1",
    "bar",
    "foo",
  ]);
});
