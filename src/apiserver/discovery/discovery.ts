import { encodeJson } from "../../apimachinery/index.ts";
import { contentHash } from "./content-hash.ts";
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions } from "./documents.ts";
import { groupsOf, type Priorities, type RemoteVersion, type ServedResource } from "./group-versions.ts";

/** What is to be seen at a path, before it is encoded. */
export interface DiscoveryPage {
  readonly document: object;
  /** Whether upstream's router stands before it, which lets through no method but GET. */
  readonly routed: boolean;
  /** Everything below the path at once, for those who ask for it. */
  readonly aggregated?: AggregatedPage;
}

/** All groups with their resources. */
export interface AggregatedPage {
  readonly document: object;
  /** With quotes, as the header has it. The same for each encoding. */
  readonly etag: string;
}

/** What the server serves, as pages. Made anew when that changes. */
export interface Discovery {
  /** The page of a path; undefined when there is none. */
  page(path: string): DiscoveryPage | undefined;
  /** The paths of all pages, as the index of paths has them. */
  paths(): readonly string[];
}

export interface DiscoveryOptions {
  /** All resources that are served, custom ones too. */
  readonly resources: readonly ServedResource[];
  /** Group versions that extension servers serve. */
  readonly remote?: readonly RemoteVersion[] | undefined;
  /** Default: built-in groups before others. */
  readonly priorities?: Priorities | undefined;
  /** `host:port` that `/api` names. */
  readonly serverAddress: string;
}

export function createDiscovery(options: DiscoveryOptions): Discovery {
  const groups = groupsOf(options);
  // Only what exists is kept: the map is bounded by the groups there are.
  const pages = new Map<string, DiscoveryPage>();

  function aggregatedOf(path: "/api" | "/apis"): AggregatedPage {
    const document = aggregatedDiscovery(groups.filter(({ name }) => (name === "") === (path === "/api")));
    return { document, etag: `"${contentHash(encodeJson(document))}"` };
  }

  function pageOf(path: string): DiscoveryPage | undefined {
    const [root, first, second, ...rest] = path.slice(1).split("/");
    if (rest.length > 0) return undefined;
    const list = (group: string, version: string | undefined) => {
      const served = groups
        .find(({ name }) => name === group)
        ?.versions.find((candidate) => candidate.version === version);
      // Of what extension servers serve they tell themselves.
      if (!served || served.remote) return undefined;
      return { document: apiResourceList(served), routed: true };
    };
    if (root === "api" && second === undefined) {
      if (first !== undefined) return list("", first);
      const aggregated = aggregatedOf("/api");
      return { document: apiVersions(options.serverAddress), routed: true, aggregated };
    }
    if (root !== "apis") return undefined;
    if (first === undefined) {
      return { document: apiGroupList(groups), routed: false, aggregated: aggregatedOf("/apis") };
    }
    if (second !== undefined) return first === "" ? undefined : list(first, second);
    const group = groups.find(({ name }) => name === first && name !== "");
    return group && { document: apiGroup(group), routed: false };
  }

  return {
    page(path) {
      const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
      const known = pages.get(trimmed);
      if (known !== undefined) return known;
      const made = pageOf(trimmed);
      if (made !== undefined) pages.set(trimmed, made);
      return made;
    },
    paths: () => [
      "/api",
      "/apis",
      "/apis/",
      ...groups.flatMap(({ name, versions }) => {
        const root = name === "" ? "/api" : `/apis/${name}`;
        return [...(name === "" ? [] : [root]), ...versions.map(({ version }) => `${root}/${version}`)];
      }),
    ],
  };
}
