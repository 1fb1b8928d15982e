import { ApiError } from "../../../apimachinery/index.ts";
import type { KubernetesObject } from "../../../apimachinery/index.ts";
import { scaleOf, withReplicas } from "../../registry/scale.ts";
import type { AnyObject } from "../../registry/entry.ts";
import type { ServedResource, ServedTable } from "../../registry/served.ts";
import type { AdmissionRequest } from "../plugin.ts";
import type { RuleSubject } from "./rules.ts";

/** Group, version and kind of an object. */
export interface ObjectKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** A request as webhooks and policies are told of it. */
export interface Attributes {
  readonly request: AdmissionRequest;
  readonly served: ServedResource;
  readonly namespace: string;
  readonly kind: ObjectKind;
  /** In the version of the request; a Scale where the request is about one. */
  readonly object?: KubernetesObject | undefined;
  readonly old?: KubernetesObject | undefined;
}

/** The resource, perhaps in another version than the request's, in which objects are shown. */
export interface Shown {
  readonly served: ServedResource;
  readonly kind: ObjectKind;
}

/** A request as webhooks and policies are told of it; undefined where nobody serves its resource any more. */
export function attributesOf(request: AdmissionRequest, table: ServedTable): Attributes | undefined {
  const served = table.of(request.resource);
  if (!served) return undefined;
  const { resource } = served;
  const isNamespace = resource.group === "" && resource.plural === "namespaces";
  const shape = (object: KubernetesObject | undefined) =>
    object && isScale(request) ? scaleOf(served, object as AnyObject) : object;
  return {
    request,
    served,
    namespace: isNamespace ? request.name : request.namespace,
    kind: kindOf(served, request.subresource),
    object: shape(request.object),
    old: shape(request.old),
  };
}

const isScale = ({ subresource, operation }: AdmissionRequest): boolean =>
  subresource === "scale" && operation === "UPDATE";

/** What a changed object makes of the object of the request: a Scale only says how many replicas there are. */
export function requestObject({ request, served }: Attributes, object: KubernetesObject): KubernetesObject {
  if (!isScale(request) || !request.object) return object;
  const { replicas = 0 } =
    (object as unknown as { readonly spec?: { readonly replicas?: number } }).spec ?? {};
  return withReplicas(served, request.object as AnyObject, replicas);
}

/** The kind of the objects that requests for a resource, or for one of its subresources, carry. */
export function kindOf({ resource, subresources }: ServedResource, subresource: string): ObjectKind {
  const { group, version, kind } = resource;
  const found = subresource === "" ? undefined : subresources.find(({ name }) => name === subresource);
  if (!found) return { group, version, kind };
  return { group: found.group ?? group, version: found.version ?? version, kind: found.kind };
}

/** What was found of a table until it changes. */
const equivalents = new WeakMap<ServedTable, Map<ServedResource, readonly ServedResource[]>>();

/** The other versions in which the same objects are served. */
export function equivalentsOf(table: ServedTable, served: ServedResource): readonly ServedResource[] {
  const known = equivalents.get(table) ?? remembering(table);
  const found =
    known.get(served) ??
    [...table.all()].filter(
      (other) => other !== served && other.storage.prefix === served.storage.prefix && isTop(other),
    );
  known.set(served, found);
  return found;
}

function remembering(table: ServedTable): Map<ServedResource, readonly ServedResource[]> {
  const made = new Map<ServedResource, readonly ServedResource[]>();
  equivalents.set(table, made);
  table.onChange(() => made.clear());
  return made;
}

const isTop = ({ verbs }: ServedResource) => verbs.length > 0;

/** What rules are compared with, in one version of the resource. */
export const ruleSubjectOf = (
  { request, namespace }: Attributes,
  { resource }: ServedResource,
): RuleSubject => ({
  operation: request.operation,
  group: resource.group,
  version: resource.version,
  plural: resource.plural,
  subresource: request.subresource,
  namespace,
});

const isOf = ({ apiVersion, resource }: ServedResource, object: AnyObject) =>
  object.apiVersion === apiVersion && object["kind"] === resource.kind;

/** What must be waited for until objects can be had in another version; undefined where no webhook converts. */
export function untilConverted(
  objects: readonly (KubernetesObject | undefined)[],
  { from, to }: { readonly from: ServedResource; readonly to: ServedResource },
): Promise<void> | undefined {
  if (from === to || !from.remote) return undefined;
  const own = objects.flatMap((object) => (object as AnyObject | undefined) ?? []);
  const converting = from.remote.until(
    own.filter((object) => isOf(from, object)),
    to.apiVersion,
  );
  return converting?.catch((error: unknown) => {
    throw error instanceof ApiError ? ApiError.internal(error.message) : error;
  });
}

/**
 * An object in another version; what is no object of the resource, as a Scale, is the same in all. Throws `Unconverted`
 * where a webhook converts and has not been asked.
 */
export function convertedTo<T extends KubernetesObject>(
  object: T | undefined,
  from: ServedResource,
  to: ServedResource,
): T | undefined {
  if (!object || from === to) return object;
  const own = object as unknown as AnyObject;
  if (!isOf(from, own)) return object;
  const converted = from.remote ? from.remote.as(own, to.apiVersion) : to.fromStored(from.toStored(own));
  return converted as unknown as T;
}
