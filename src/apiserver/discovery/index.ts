export { createDiscovery, type CachedDocument, type Discovery, type DiscoveryOptions } from "./discovery.ts";
export { compareVersions, isServedByDefault, type ServedResource } from "./group-versions.ts";
