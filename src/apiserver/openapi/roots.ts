import type { GroupVersion } from "./definitions.ts";
import { capitalized, groupParts, groupVersionName, rootOf, tagOf, type Operation } from "./operations.ts";

const metaPackage = "io.k8s.apimachinery.pkg.apis.meta.v1";

interface Root {
  readonly path: string;
  readonly id: string;
  readonly tag: string;
  readonly description: string;
  readonly answer: Operation["answer"];
}

const fixed: readonly Root[] = [
  {
    path: "/.well-known/openid-configuration",
    id: "getServiceAccountIssuerOpenIDConfiguration",
    tag: "WellKnown",
    description: "How others find the keys of the issuer of service accounts' tokens.",
    answer: "configuration",
  },
  {
    path: "/api",
    id: "getCoreAPIVersions",
    tag: "core",
    description: "Lists the versions of the core group.",
    answer: { definition: `${metaPackage}.APIVersions` },
  },
  {
    path: "/apis",
    id: "getAPIVersions",
    tag: "apis",
    description: "Lists the groups with their versions.",
    answer: { definition: `${metaPackage}.APIGroupList` },
  },
  {
    path: "/openid/v1/jwks",
    id: "getServiceAccountIssuerOpenIDKeyset",
    tag: "openid",
    description: "The public keys that verify tokens of service accounts.",
    answer: "keys",
  },
  {
    path: "/version",
    id: "getCodeVersion",
    tag: "version",
    description: "The version of the server.",
    answer: { definition: "io.k8s.apimachinery.pkg.version.Info" },
  },
];

/** The documents that are no resources, by their paths without the slash in front: discovery, version, keys. */
export function rootOperations(served: readonly GroupVersion[]): ReadonlyMap<string, Operation> {
  const groups = [...new Set(served.map(({ group }) => group))].filter((group) => group !== "");
  const roots = [
    ...fixed,
    ...groups.map((group) => ({
      path: `/apis/${group}`,
      id: `get${groupParts(group).map(capitalized).join("")}APIGroup`,
      tag: tagOf({ group }),
      description: "Tells of the group.",
      answer: { definition: `${metaPackage}.APIGroup` },
    })),
    ...served.map(({ group, version }) => ({
      path: rootOf({ group, version }),
      id: `get${groupVersionName({ group, version })}APIResources`,
      tag: tagOf({ group, version }),
      description: "Lists the resources.",
      answer: { definition: `${metaPackage}.APIResourceList` },
    })),
  ];
  return new Map(
    roots.map(({ path, ...root }) => [
      path.slice(1),
      { ...root, path: `${path}/`, method: "get", query: [], codes: [200] },
    ]),
  );
}
