import type { ServedResource } from "../discovery/index.ts";
import type { ServedTable } from "../registry/served.ts";

/** What is served, as discovery lists it. */
export function discoveryRows(served: ServedTable): readonly ServedResource[] {
  return Array.from(served.all(), (row) => {
    const { group, version, kind, plural, namespaced } = row.resource;
    const facts: ServedResource = {
      group,
      version,
      kind,
      plural,
      namespaced,
      singular: row.singular,
      shortnames: row.shortNames,
      categories: row.categories,
      verbs: row.verbs,
      subresources: row.subresources,
      stability: /alpha/.test(version) ? "alpha" : /beta/.test(version) ? "beta" : "GA",
      ...(row.custom ? { custom: true } : {}),
      ...(row.versionHash === undefined ? {} : { gvk_hash: row.versionHash }),
    };
    return facts;
  });
}
