import { apiVersionOf, type SubresourceFacts } from "../../apimachinery/index.ts";
import {
  storageHashOf,
  type ServedGroup,
  type ServedResource,
  type ServedVersion,
} from "./group-versions.ts";

/** `/api`: the versions of the core group. */
export function apiVersions(serverAddress: string): object {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

/** `/apis`: all groups but the core one. */
export function apiGroupList(groups: readonly ServedGroup[]): object {
  return {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: groups.filter((group) => group.name !== "").map(groupBody),
  };
}

/** `/apis/GROUP`. */
export function apiGroup(group: ServedGroup): object {
  return { kind: "APIGroup", apiVersion: "v1", ...groupBody(group) };
}

function groupBody(group: ServedGroup): object {
  const versions = group.versions.map(({ version }) => ({
    groupVersion: apiVersionOf({ group: group.name, version }),
    version,
  }));
  return { name: group.name, versions, preferredVersion: versions[0] };
}

/** `/api/v1` and `/apis/GROUP/VERSION`: resources and subresources by name. */
export function apiResourceList(served: ServedVersion): object {
  const rows = served.resources
    .toSorted((one, other) => (one.plural < other.plural ? -1 : 1))
    .flatMap((resource) => {
      const parts = (resource.subresources ?? []).map((subresource) => subresourceRow(resource, subresource));
      // Those of custom resources come as their definition has them.
      if (!resource.custom) parts.sort((one, other) => (one.name < other.name ? -1 : 1));
      return [resourceRow(resource, storageHashOf(resource)), ...parts];
    });
  return {
    kind: "APIResourceList",
    // Upstream leaves it out for the core group alone.
    ...(served.group === "" ? {} : { apiVersion: "v1" }),
    groupVersion: apiVersionOf(served),
    resources: rows,
  };
}

type Row = { readonly name: string } & Readonly<Record<string, unknown>>;

function resourceRow(resource: ServedResource, hash: string | undefined): Row {
  const { plural: name, singular: singularName, namespaced, kind, verbs, shortnames, categories } = resource;
  return {
    name,
    singularName,
    namespaced,
    kind,
    verbs,
    ...(shortnames?.length ? { shortNames: shortnames } : {}),
    ...(categories?.length ? { categories } : {}),
    ...(hash === undefined || !verbs.includes("list") ? {} : { storageVersionHash: hash }),
  };
}

function subresourceRow(resource: ServedResource, subresource: SubresourceFacts): Row {
  const { group, version, kind, verbs } = subresource;
  return {
    name: `${resource.plural}/${subresource.name}`,
    singularName: "",
    namespaced: resource.namespaced,
    ...(group === undefined && version === undefined
      ? {}
      : { group: group ?? resource.group, version: version ?? resource.version }),
    kind,
    verbs,
  };
}

/** Everything at once: what clients since 1.26 ask for at `/api` and `/apis`. */
export function aggregatedDiscovery(groups: readonly ServedGroup[]): object {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: groups.map((group) => ({
      metadata: group.name === "" ? {} : { name: group.name },
      versions: group.versions.map(discoveredVersion),
    })),
  };
}

function discoveredVersion(served: ServedVersion): object {
  const resources = served.remote?.resources ?? served.resources.map(discoveredResource);
  return {
    version: served.version,
    ...(resources.length === 0 ? {} : { resources }),
    freshness: served.remote?.stale ? "Stale" : "Current",
  };
}

function discoveredResource(resource: ServedResource): object {
  const { kind, subresources = [] } = resource;
  // Upstream leaves the group version of built-in kinds to be that of the list.
  const { group, version } = resource.custom ? resource : { group: "", version: "" };
  return {
    resource: resource.plural,
    responseKind: { group, version, kind },
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortnames?.length ? { shortNames: resource.shortnames } : {}),
    ...(resource.categories?.length ? { categories: resource.categories } : {}),
    ...(subresources.length === 0
      ? {}
      : {
          subresources: subresources.map((subresource) => ({
            subresource: subresource.name,
            responseKind: {
              group: subresource.group ?? group,
              version: subresource.version ?? version,
              kind: subresource.kind,
            },
            verbs: subresource.verbs,
          })),
        }),
  };
}
