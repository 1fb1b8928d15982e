import type { JsonObject } from "./json.ts";
import type { ListMeta, ObjectMeta } from "./generated/meta-v1.ts";

/** What every stored object has. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** A list as the API returns it. */
export interface ObjectList<T> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ListMeta;
  readonly items: readonly T[];
}

/** An object as a client may write it: the server fills in the rest. */
export type New<T> = T extends readonly (infer E)[]
  ? readonly New<E>[]
  : T extends JsonObject
    ? T
    : T extends object
      ? { readonly [K in keyof T]?: New<T[K]> | undefined }
      : T;

/** Where an object is; `namespace` is absent for cluster-scoped resources. */
export interface ObjectKey {
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** Names a resource of the API; `T` is the type of its objects. Clients need no more than this. */
export interface Resource<T extends object = KubernetesObject> extends GroupVersionKind {
  /** Plural, lower-case name as in paths, e.g. `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set; ties the handle to its type. */
  readonly example?: T;
}

export function resource<T extends object>(names: Omit<Resource<T>, "example">): Resource<T> {
  return Object.freeze(names);
}

/** `v1` for the core group, else `group/version`. */
export function apiVersionOf(names: { readonly group: string; readonly version: string }): string {
  return names.group === "" ? names.version : `${names.group}/${names.version}`;
}

/** Group and version of `v1` or `group/version`: what `apiVersionOf` writes. */
export function versionNamed(apiVersion: string): { readonly group: string; readonly version: string } {
  const cut = apiVersion.indexOf("/");
  return { group: cut < 0 ? "" : apiVersion.slice(0, cut), version: apiVersion.slice(cut + 1) };
}

/** `pods` for the core group, else `deployments.apps`: how errors name a resource. */
export function qualifiedName(names: { readonly group: string; readonly plural: string }): string {
  return names.group === "" ? names.plural : `${names.plural}.${names.group}`;
}

export function keyOf(object: {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}): ObjectKey {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === "" ? { name } : { namespace, name };
}

/** `namespace/name`, or `name` alone: a string for maps and queues. */
export function keyString(key: ObjectKey): string {
  return key.namespace === undefined ? key.name : `${key.namespace}/${key.name}`;
}

export function parseKeyString(text: string): ObjectKey {
  const slash = text.indexOf("/");
  return slash < 0 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}
