import { apiVersionOf, resource } from "../apimachinery/index.ts";
import type { KubernetesObject } from "../apimachinery/index.ts";
import type { RemoteGroups } from "../apiserver/http/index.ts";
import type { ServedResource, ServedTable } from "../apiserver/index.ts";
import type { Catalog, CatalogChange, CatalogEntry } from "../controllers/index.ts";

type Remote = Omit<RemoteGroups, "openApi">;

/** A resource as aggregated discovery tells it. */
interface DiscoveredResource {
  readonly resource?: string;
  readonly responseKind?: { readonly kind?: string };
  readonly scope?: string;
  readonly verbs?: readonly string[];
}

/**
 * All that can be listed and watched, each at the version in which it is stored; then what extension servers told of
 * theirs, each at the version that is preferred.
 */
export function catalogOf(served: ServedTable, remote: Remote): Catalog {
  // There may be thousands, and each owner that is looked up is looked for among them.
  let local: readonly CatalogEntry[] | undefined;
  served.onChange(() => (local = undefined));
  return {
    list: () => [
      ...(local ??= Array.from(served.all()).filter(isStored).map(entryOf)),
      ...remoteEntries(remote).values(),
    ],
    stale: () => remote.versions().flatMap((one) => (one.stale ? [apiVersionOf(one)] : [])),
    onChange(listener) {
      const ends = [
        // A version that is not stored any more is followed no longer, though it is served.
        served.onChange(({ type, served: changed }) =>
          listener({ type: isStored(changed) ? type : "removed", entry: entryOf(changed) }),
        ),
        followRemote(remote, listener),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

const isStored = ({ resource: { group, version }, storage: { stored }, verbs }: ServedResource): boolean =>
  verbs.includes("watch") && version === stored.version && group === stored.group;

const entryOf = ({ resource: handle, verbs, scale }: ServedResource): CatalogEntry => ({
  resource: handle,
  verbs,
  scale,
});

/** By the resource's name with its group version. */
type Entries = ReadonlyMap<string, CatalogEntry>;

function remoteEntries({ versions, priorities }: Remote): Entries {
  const priorityOf = ({ group, version }: { readonly group: string; readonly version: string }) =>
    priorities.version(group, version) ?? 0;
  const told = new Set<string>();
  const entries = new Map<string, CatalogEntry>();
  const inOrder = versions()
    .filter(({ stale }) => !stale)
    .sort((a, b) => priorityOf(b) - priorityOf(a));
  for (const { group, version, resources } of inOrder) {
    for (const each of resources as readonly DiscoveredResource[]) {
      const { resource: plural = "", responseKind: { kind = "" } = {}, scope, verbs = [] } = each;
      const name = `${plural}.${group}`;
      if (told.has(name)) continue;
      told.add(name);
      const namespaced = scope === "Namespaced";
      const handle = resource<KubernetesObject>({ group, version, kind, plural, namespaced });
      entries.set(`${plural}.${apiVersionOf(handle)}`, { resource: handle, verbs });
    }
  }
  return entries;
}

/** Tells what came and went; of servers that do not answer nothing has gone. */
function followRemote(remote: Remote, listener: (change: CatalogChange) => void): () => void {
  let known: Entries = remoteEntries(remote);
  return remote.onChange(() => {
    const found = remoteEntries(remote);
    const stale = new Set(remote.versions().flatMap((one) => (one.stale ? [apiVersionOf(one)] : [])));
    const kept = Array.from(known).filter(
      ([name, entry]) => !found.has(name) && stale.has(apiVersionOf(entry.resource)),
    );
    const before = known;
    known = new Map([...found, ...kept]);
    for (const [name, entry] of before) if (!known.has(name)) listener({ type: "removed", entry });
    for (const [name, entry] of known) if (!before.has(name)) listener({ type: "added", entry });
  });
}
