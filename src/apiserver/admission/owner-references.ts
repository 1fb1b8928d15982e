import { semanticallyEqual } from "../../api/index.ts";
import type { KubernetesObject, OwnerReference, Resource } from "../../apimachinery/index.ts";
import type { Authorizer, Decision } from "../authorization/authorizer.ts";
import type { ServedTable } from "../registry/served.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { refused } from "./request.ts";

/** Which resources a kind may be of. */
export type FindKinds = (apiVersion: string, kind: string) => readonly Resource[];

/** Finds kinds among all that is served. */
export const kindFinder =
  (served: ServedTable): FindKinds =>
  (apiVersion, kind) =>
    [...served.inGroup(apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "")]
      .filter(({ resource, apiVersion: own }) => resource.kind === kind && own === apiVersion)
      .map(({ resource }) => resource);

/** Owners are set by those who may delete the object, and block their deletion by those who may write their finalizers. */
export function ownerReferencesPermissionEnforcement(options: {
  readonly authorizer: Authorizer;
  readonly findKinds: FindKinds;
}): AdmissionPlugin {
  const { authorizer, findKinds } = options;
  return {
    name: "OwnerReferencesPermissionEnforcement",
    operations: ["CREATE", "UPDATE"],
    validate(request) {
      const { object, old } = request;
      if (!object || isStatusOfPod(request)) return;
      if (semanticallyEqual(object.metadata.ownerReferences, old?.metadata.ownerReferences)) return;
      if (old) {
        const decision = authorizer.authorize(
          attributesOf(request, {
            verb: "delete",
            resource: request.resource,
            subresource: request.subresource,
            name: request.name,
          }),
        );
        refuseUnless(request, decision, "cannot set an ownerRef on a resource you can't delete");
      }
      for (const owner of newlyBlocked(object, old)) {
        const resources = findKinds(owner.apiVersion, owner.kind);
        if (resources.length === 0) {
          throw refused(
            request,
            `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${owner.apiVersion} Kind ${owner.kind}: no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`,
          );
        }
        for (const resource of resources) {
          const asked = { verb: "update", resource, subresource: "finalizers", name: owner.name };
          refuseUnless(
            request,
            authorizer.authorize(attributesOf(request, asked)),
            "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on",
          );
        }
      }
    },
  };
}

/** Nothing but the status of pods changes there. */
const isStatusOfPod = ({ resource, subresource }: AdmissionRequest): boolean =>
  resource.group === "" && resource.plural === "pods" && subresource === "status";

function attributesOf(
  request: AdmissionRequest,
  asked: { verb: string; resource: Resource; subresource: string; name: string },
) {
  const { verb, resource, subresource, name } = asked;
  const { group, version, plural } = resource;
  const namespace = resource.namespaced ? request.namespace : "";
  const { user } = request;
  return {
    type: "resource",
    user,
    verb,
    group,
    version,
    resource: plural,
    subresource,
    namespace,
    name,
  } as const;
}

function refuseUnless(request: AdmissionRequest, decision: Decision, why: string): void {
  if (decision.type === "allow") return;
  throw refused(request, `${why}: ${decision.reason}, <nil>`);
}

/** Owners whose deletion the object begins to block. */
function newlyBlocked(
  object: KubernetesObject,
  old: KubernetesObject | undefined,
): readonly OwnerReference[] {
  const blocking = (value: KubernetesObject | undefined) =>
    (value?.metadata.ownerReferences ?? []).filter(({ blockOwnerDeletion }) => blockOwnerDeletion);
  const before = new Set(blocking(old).map(({ uid }) => uid));
  return blocking(object).filter(({ uid }) => !before.has(uid));
}
