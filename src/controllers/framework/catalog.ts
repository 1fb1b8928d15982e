import { resource } from "../../apimachinery/index.ts";
import type { KubernetesObject, Resource } from "../../apimachinery/index.ts";

/** A resource of the API with the verbs it serves. */
export interface CatalogEntry {
  readonly resource: Resource;
  readonly verbs: readonly string[];
  /** Where its objects say how many replicas they are to have, if they can be scaled. */
  readonly scale?: { readonly specReplicas: string } | undefined;
}

/** What has come, perhaps in another form than before, or has gone. */
export interface CatalogChange {
  readonly type: "added" | "removed";
  readonly entry: CatalogEntry;
}

/** All that an API server serves, at its preferred versions; changes as custom resources come and go. */
export interface Catalog {
  list(): readonly CatalogEntry[];
  /** Group versions, like `apps/v1`, whose servers did not tell of late what they serve. */
  stale(): readonly string[];
  /** Calls at each change; returns what ends it. */
  onChange(listener: (change: CatalogChange) => void): () => void;
}

const allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** A catalog that never changes. */
export function fixedCatalog(resources: readonly Resource[]): Catalog {
  const entries = resources.map((entry) => ({
    resource: resource<KubernetesObject>(entry),
    verbs: allVerbs,
  }));
  return { list: () => entries, stale: () => [], onChange: () => () => undefined };
}
