import { apiVersionOf } from "../../apimachinery/index.ts";
import type { ObjectKey, Resource } from "../../apimachinery/index.ts";

/** Query parameters; those undefined are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The path of a resource's collection, or of one object, or of its subresource. */
export function pathOf(
  resource: Resource<object>,
  to: { namespace?: string | undefined; name?: string; subresource?: string | undefined } = {},
): string {
  const root = `${resource.group === "" ? "/api" : "/apis"}/${apiVersionOf(resource)}`;
  const within = resource.namespaced && to.namespace ? `/namespaces/${encodeURIComponent(to.namespace)}` : "";
  const name = to.name === undefined ? "" : `/${encodeURIComponent(to.name)}`;
  const subresource = to.subresource === undefined ? "" : `/${to.subresource}`;
  return `${root}${within}/${resource.plural}${name}${subresource}`;
}

export function objectPath(resource: Resource<object>, key: ObjectKey, subresource?: string): string {
  return pathOf(resource, { ...key, subresource });
}

/** `?a=b&c=d`, or nothing. */
export function queryString(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.append(name, String(value));
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}
