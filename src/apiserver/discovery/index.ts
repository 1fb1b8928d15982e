export { createDiscovery, type Discovery, type DiscoveryPage } from "./discovery.ts";
export {
  compareVersions,
  isServedByDefault,
  type Priorities,
  type RemoteVersion,
  type ServedResource,
} from "./group-versions.ts";
export { accepts, parseAccept, type MediaRange } from "./accept.ts";
export { contentHash } from "./content-hash.ts";
