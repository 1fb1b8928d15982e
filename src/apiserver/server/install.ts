import { apiVersionOf, resource as resourceHandle } from "../../apimachinery/index.ts";
import type { KubernetesObject, Resource, ResourceFacts, SchemaRegistry } from "../../apimachinery/index.ts";
import { deprecationOf } from "../../api/index.ts";
import type { ResourceDefinition } from "../../api/index.ts";
import { invariant } from "../../base/index.ts";
import type { AnyObject } from "../registry/entry.ts";
import { ComputedCache } from "../registry/cache.ts";
import type { CacheSet } from "../registry/cache-set.ts";
import { withoutEmptyLists } from "../registry/empty-lists.ts";
import { restamp } from "../registry/served.ts";
import type { ServedTable, ServedVersion } from "../registry/served.ts";
import { isStoredAsText, storagePrefix } from "../registry/storage-path.ts";

/** Changes an object between two versions of its resource. */
export type Convert = (object: AnyObject, from: Resource, to: Resource) => AnyObject;

export interface BuiltIns {
  readonly facts: readonly ResourceFacts[];
  readonly schemas: SchemaRegistry;
  readonly definitionOf: (resource: Resource) => ResourceDefinition;
  readonly convert: Convert;
  readonly storageVersionOf: (resource: Resource) => Resource;
  /** Resources that nobody stores, by `group/plural`: their objects are made when they are asked for. */
  readonly computed?: Readonly<Record<string, () => readonly AnyObject[]>>;
}

/** Serves versions that share one storage: the built-in resources of one prefix, or a custom resource's versions. */
export async function install(
  into: { readonly served: ServedTable; readonly caches: CacheSet },
  options: {
    readonly versions: readonly ServedVersion[];
    readonly stored: Resource;
    readonly convert: Convert;
    readonly custom?: boolean;
    readonly compute?: (() => readonly AnyObject[]) | undefined;
  },
): Promise<void> {
  const { versions, stored, convert, compute } = options;
  const custom = options.custom ?? false;
  const prefix = storagePrefix(stored, { custom });
  const cache = compute ? new ComputedCache(prefix, compute) : await into.caches.open(prefix);
  const storage = { prefix, cache, stored, storedApiVersion: apiVersionOf(stored) };
  for (const version of versions) {
    const same = version.resource.group === stored.group && version.resource.version === stored.version;
    into.served.add({
      ...version,
      apiVersion: apiVersionOf(version.resource),
      custom,
      storage,
      ...(same || version.remote
        ? {}
        : {
            toStored: (object) => convert(version.toStored(object), version.resource, stored),
            fromStored: convertOnce((object) => convert(object, stored, version.resource)),
          }),
    });
  }
}

/** Converts each shared object once, however many ask for it in that version. */
function convertOnce(convert: (object: AnyObject) => AnyObject): (object: AnyObject) => AnyObject {
  const converted = new WeakMap<AnyObject, AnyObject>();
  return (object) => {
    const known = converted.get(object);
    if (known) return known;
    const made = convert(object);
    converted.set(object, made);
    return made;
  };
}

/** Serves all built-in resources. */
export async function installBuiltIns(
  into: { readonly served: ServedTable; readonly caches: CacheSet },
  builtIns: BuiltIns,
): Promise<void> {
  const byPrefix = new Map<string, ResourceFacts[]>();
  for (const facts of builtIns.facts) {
    const prefix = storagePrefix({ group: facts.group, plural: facts.plural });
    byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), facts]);
  }
  for (const rows of byPrefix.values()) {
    const versions = rows.map((facts) => versionOf(facts, builtIns));
    const [first] = versions;
    if (!first) continue;
    const stored = builtIns.storageVersionOf(first.resource);
    const compute = builtIns.computed?.[`${stored.group}/${stored.plural}`];
    await install(into, { versions, stored, convert: builtIns.convert, compute });
  }
}

function versionOf(facts: ResourceFacts, builtIns: BuiltIns): ServedVersion {
  const { group, version, kind, plural, namespaced, gvk_hash } = facts;
  const resource = resourceHandle<KubernetesObject>({ group, version, kind, plural, namespaced });
  const type = builtIns.schemas.typeOf(resource);
  invariant(type !== undefined, `no type of ${apiVersionOf(resource)} ${kind}`);
  const definition = builtIns.definitionOf(resource);
  const subresources = facts.subresources ?? [];
  const same = (object: AnyObject) => restamp(object, resource);
  const deprecation = deprecationOf(resource);
  return {
    resource,
    singular: facts.singular,
    shortNames: facts.shortnames ?? [],
    categories: facts.categories ?? [],
    verbs: facts.verbs,
    subresources,
    listKind: `${kind}List`,
    type,
    definition,
    hasStatus: subresources.some((subresource) => subresource.name === "status"),
    scale: definition.scale,
    toStored: isStoredAsText(group) ? same : (object) => withoutEmptyLists(same(object), type),
    fromStored: same,
    ...(deprecation === undefined ? {} : { deprecationWarning: deprecation.warning }),
    ...(gvk_hash === undefined ? {} : { versionHash: () => gvk_hash }),
  };
}
