import { ApiError, isPathSegmentName } from "../../apimachinery/index.ts";
import type { ServedResource } from "../registry/served.ts";
import type { ResourceInfo } from "./request-info.ts";

/** Refuses paths and methods that the resource does not have, before anything of the request is looked at. */
export function checkRoute(served: ServedResource, info: ResourceInfo, method: string): void {
  const methods = methodsOf(served, info);
  const { group, plural: resource } = served.resource;
  if (methods.length === 0) {
    const hasPart = served.subresources.some(({ name }) => name === info.subresource);
    if (served.custom && info.subresource !== "" && !hasPart) {
      throw ApiError.notFound({ group, resource }, info.name);
    }
    throw ApiError.noSuchPath();
  }
  if (!methods.includes(method)) {
    if (served.custom && info.route.depth === 1) throw ApiError.badRequest("name must be provided");
    if (served.custom) throw ApiError.methodNotSupported({ group, resource }, info.verb);
    throw ApiError.noSuchMethod();
  }
  if (info.route.prefix !== "" || info.route.depth < 2) return;
  const problems = isPathSegmentName(info.name);
  if (problems.length === 0) return;
  throw ApiError.badRequest(`Name parameter invalid: ${JSON.stringify(info.name)}: ${problems.join(";")}`);
}

/** Whether a path has a namespace that the custom resource has not, or lacks one that it has: it is nobody's then. */
export function isMisplaced({ custom, resource }: ServedResource, { route, verb }: ResourceInfo): boolean {
  if (!custom || route.scoped === resource.namespaced) return false;
  return route.scoped || (verb !== "list" && verb !== "watch");
}

const collectionMethods: readonly (readonly [verb: string, method: string])[] = [
  ["list", "GET"],
  ["create", "POST"],
  ["deletecollection", "DELETE"],
];
const objectMethods: readonly (readonly [verb: string, method: string])[] = [
  ["get", "GET"],
  ["create", "POST"],
  ["update", "PUT"],
  ["patch", "PATCH"],
  ["delete", "DELETE"],
];

const methodsFor = (table: typeof objectMethods, allowed: readonly string[]) =>
  table.filter(([verb]) => allowed.includes(verb)).map(([, method]) => method);

/** The methods that a path of the resource takes; none where there is no such path. */
export function methodsOf(
  served: Pick<ServedResource, "verbs" | "subresources"> & {
    readonly resource: { readonly namespaced: boolean };
  },
  { route, subresource }: Pick<ResourceInfo, "route" | "subresource">,
): readonly string[] {
  const { scoped, depth, prefix } = route;
  const { namespaced } = served.resource;
  // What was once proxied through a word before the resource is now a subresource.
  if ((scoped && !namespaced) || prefix === "proxy") return [];
  // A namespaced resource without a namespace: that is all namespaces, to be read only.
  const everywhere = namespaced && !scoped;
  if (depth > 1 && everywhere) return [];
  if (prefix === "watch") return depth < 3 && served.verbs.includes("watch") ? ["GET"] : [];
  if (depth === 1) {
    const verbs = everywhere ? served.verbs.filter((verb) => verb === "list") : served.verbs;
    if (everywhere && verbs.length > 0) return ["GET"];
    return methodsFor(collectionMethods, verbs);
  }
  if (depth === 2) {
    return methodsFor(
      objectMethods,
      served.verbs.filter((verb) => verb !== "create"),
    );
  }
  const found = served.subresources.find(({ name }) => name === subresource);
  if (!found) return [];
  const methods = methodsFor(objectMethods, found.verbs);
  // What takes every verb passes requests on: all methods, and what lies below.
  if (methods.length === objectMethods.length) return [...methods, "HEAD", "OPTIONS"];
  return depth === 3 ? methods : [];
}
