import type { ServedResource } from "../discovery/index.ts";
import type { ServedResource as ServedRow, ServedTable } from "../registry/served.ts";

/** What has been made of rows: what does not change is the same object, however often others come and go. */
const made = new WeakMap<ServedRow, ServedResource>();

/** What is served, as discovery lists it. */
export const discoveryRows = (served: ServedTable): readonly ServedResource[] =>
  Array.from(served.all(), (row) => {
    const known = made.get(row) ?? rowOf(row);
    made.set(row, known);
    return known;
  });

function rowOf(row: ServedRow): ServedResource {
  const { group, version, kind, plural, namespaced } = row.resource;
  return {
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
}

/** What a row says of the version that is stored: of built-in kinds the table knows more. */
function hashOf({ versionHash, custom }: Pick<ServedRow, "versionHash" | "custom">): Partial<ServedResource> {
  if (versionHash === undefined) return {};
  return custom ? { storageVersionHash: versionHash() } : { gvk_hash: versionHash() };
}
