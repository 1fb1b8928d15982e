import type { ServedResource } from "../discovery/index.ts";
import type { ServedResource as ServedRow, ServedTable } from "../registry/served.ts";

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
      ...hashOf(row),
    };
    return facts;
  });
}

/** What a row says of the version that is stored: of built-in kinds the table knows more. */
function hashOf({ versionHash, custom }: Pick<ServedRow, "versionHash" | "custom">): Partial<ServedResource> {
  if (versionHash === undefined) return {};
  return custom ? { storageVersionHash: versionHash } : { gvk_hash: versionHash };
}
