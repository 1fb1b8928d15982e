import { expect, test } from "vitest";
import { resourceFacts } from "../../api/index.ts";
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
  custom: true,
};
const discovery = createDiscovery({
  resources: [widget, ...resourceFacts.filter(isServedByDefault)],
  remote: [{ group: "metrics.k8s.io", version: "v1beta1", resources: [], stale: true }],
  serverAddress: "10.0.0.1:6443",
});

const read = <T>(path: string): T => discovery.page(path)?.document as T;
const readAll = <T>(path: string): T => discovery.page(path)?.aggregated?.document as T;

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
  // Both versions are stored as autoscaling/v2, both kinds of events as core/v1; what is new waits a release.
  const hash = (path: string) => read<{ resources: { storageVersionHash: string }[] }>(path).resources[0];
  expect(hash("/apis/autoscaling/v1")?.storageVersionHash).toBe("qwQve8ut294=");
  expect(hash("/apis/events.k8s.io/v1")?.storageVersionHash).toBe("r2yiGXH7wu8=");
  const policy = resourceFacts.find(
    ({ version, plural }) => version === "v1beta1" && plural === "mutatingadmissionpolicies",
  );
  expect(hash("/apis/admissionregistration.k8s.io/v1")?.storageVersionHash).toBe(policy?.gvk_hash);
  const names = read<Rows>("/api/v1").resources.map(({ name }) => name);
  expect(names).toEqual([...names].sort());
  expect(read("/api/v1")).not.toHaveProperty("apiVersion");
  expect(read("/apis/apps/v1")).toMatchObject({ apiVersion: "v1", groupVersion: "apps/v1" });
});

test("all at once", () => {
  expect(discovery.page("/apis/")).toBe(discovery.page("/apis"));
  interface List {
    items: { metadata: { name?: string }; versions: { freshness: string; resources?: object[] }[] }[];
  }
  const list = readAll<List>("/apis");
  expect(list.items.find(({ metadata }) => metadata.name === "policy")).toEqual({
    metadata: { name: "policy" },
    versions: [
      {
        version: "v1",
        resources: [
          {
            resource: "poddisruptionbudgets",
            responseKind: { group: "", version: "", kind: "PodDisruptionBudget" },
            scope: "Namespaced",
            singularResource: "poddisruptionbudget",
            verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            shortNames: ["pdb"],
            subresources: [
              {
                subresource: "status",
                responseKind: { group: "", version: "", kind: "PodDisruptionBudget" },
                verbs: ["get", "patch", "update"],
              },
            ],
          },
        ],
        freshness: "Current",
      },
    ],
  });
  interface Found {
    resource: string;
    responseKind: object;
    subresources?: { responseKind: object }[];
  }
  const found = (group: string, resource: string) => {
    const resources = list.items.find(({ metadata }) => metadata.name === group)?.versions[0]?.resources;
    return (resources as Found[] | undefined)?.find((one) => one.resource === resource);
  };
  expect(found("apps", "deployments")?.subresources?.[0]?.responseKind).toEqual({
    group: "autoscaling",
    version: "v1",
    kind: "Scale",
  });
  // Custom resources say it in full.
  expect(found("example.com", "widgets")?.responseKind).toEqual({
    group: "example.com",
    version: "v1beta1",
    kind: "Widget",
  });
  expect(list.items.at(-1)?.versions).toEqual([{ version: "v1beta1", freshness: "Stale" }]);
  expect(readAll<List>("/api").items).toHaveLength(1);
});

test("pages that are not there", () => {
  for (const path of ["/", "/apis/nothing", "/apis/apps/v9", "/api/v1/pods", "/api/v9", "/apis//v1"])
    expect(discovery.page(path), path).toBeUndefined();
});

test("the paths of all pages lead to one", () => {
  const paths = discovery.paths();
  expect(paths).toEqual(expect.arrayContaining(["/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1"]));
  const [elsewhere, here] = [true, false].map((is) =>
    paths.filter((path) => /metrics.*v1/.test(path) === is),
  );
  expect(elsewhere?.map((path) => discovery.page(path))).toEqual([undefined]);
  for (const path of here ?? []) expect(discovery.page(path), path).toBeDefined();
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
