/** A row of an APIResourceList, as extension servers without aggregated discovery tell of themselves. */
interface ResourceRow {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced?: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const listOf = (value: unknown, key: string): readonly object[] => {
  const found = (value as Readonly<Record<string, unknown>> | null | undefined)?.[key];
  return Array.isArray(found) ? found.filter((one) => typeof one === "object" && one !== null) : [];
};

const kindOf = ({ group = "", version = "", kind }: ResourceRow) => ({ group, version, kind });

/** The resources of an APIResourceList in the form of aggregated discovery. */
export function discoveredFromList(list: unknown): readonly object[] {
  const rows = listOf(list, "resources") as readonly ResourceRow[];
  const parents = rows.filter(({ name }) => !name.includes("/"));
  return parents.map((row) => {
    const prefix = `${row.name}/`;
    const subresources = rows
      .filter(({ name }) => name.startsWith(prefix))
      .map((sub) => ({
        subresource: sub.name.slice(prefix.length),
        responseKind: kindOf(sub),
        verbs: sub.verbs ?? [],
      }));
    return {
      resource: row.name,
      responseKind: kindOf(row),
      scope: row.namespaced ? "Namespaced" : "Cluster",
      singularResource: row.singularName ?? "",
      verbs: row.verbs ?? [],
      ...(row.shortNames?.length ? { shortNames: row.shortNames } : {}),
      ...(row.categories?.length ? { categories: row.categories } : {}),
      ...(subresources.length > 0 ? { subresources } : {}),
    };
  });
}

/** The resources of a group version in an APIGroupDiscoveryList; undefined when it is not in there. */
export function discoveredFromGroups(
  list: unknown,
  { group, version }: { readonly group: string; readonly version: string },
): readonly object[] | undefined {
  const groups = listOf(list, "items") as readonly { readonly metadata?: { readonly name?: string } }[];
  const found = groups.find(({ metadata }) => (metadata?.name ?? "") === group);
  const versions = listOf(found, "versions") as readonly { readonly version?: string }[];
  const member = versions.find((one) => one.version === version);
  return member && listOf(member, "resources");
}
