import type { ObjectKey, Resource } from "../../apimachinery/index.ts";

/** Everything that the API server stores lives under this prefix, as upstream's does in etcd. */
export const registryRoot = "/registry/";

/** Prefixes that are not `/registry/{plural}`, for reasons of upstream's history. */
const irregular: Readonly<Record<string, string>> = {
  "/nodes": "minions",
  "/services": "services/specs",
  "/endpoints": "services/endpoints",
  "/replicationcontrollers": "controllers",
  "networking.k8s.io/ingresses": "ingress",
  "events.k8s.io/events": "events",
};

/** Groups whose resources upstream keeps below the group's name. */
const qualified = new Set([
  "apiextensions.k8s.io",
  "apiregistration.k8s.io",
  "scheduling.k8s.io",
  "internal.apiserver.k8s.io",
]);
const plainOf: Readonly<Record<string, true>> = { "scheduling.k8s.io/priorityclasses": true };

/** Groups that upstream stores as JSON, which keeps what is empty. */
const storedAsText: ReadonlySet<string> = new Set(["apiextensions.k8s.io", "apiregistration.k8s.io"]);

/** Whether upstream stores the group's objects as JSON whatever the media type. */
export const isStoredAsText = (group: string): boolean => storedAsText.has(group);

/**
 * The key prefix of a resource's objects, with a slash at its end: `/registry/pods/`. Custom resources live below
 * their group, which no built-in resource does but those of the groups above.
 */
export function storagePrefix(
  resource: Pick<Resource, "group" | "plural">,
  options: { readonly custom?: boolean } = {},
): string {
  const name = `${resource.group}/${resource.plural}`;
  const known = irregular[name];
  if (known !== undefined && !options.custom) return `${registryRoot}${known}/`;
  const below = options.custom || (qualified.has(resource.group) && !plainOf[name]);
  return below ? `${registryRoot}${name}/` : `${registryRoot}${resource.plural}/`;
}

/** The key of an object below its resource's prefix: `default/web`, or `web` for cluster-scoped resources. */
export function storageKey(prefix: string, key: ObjectKey): string {
  return key.namespace ? `${prefix}${key.namespace}/${key.name}` : prefix + key.name;
}
