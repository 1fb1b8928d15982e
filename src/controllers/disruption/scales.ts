import type { KubernetesObject, OwnerReference, Resource } from "../../apimachinery/index.ts";
import { qualifiedName } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { Deployment, ReplicaSet, StatefulSet } from "../../api/types/apps-v1.ts";
import { ReplicationController } from "../../api/types/core-v1.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import { controllerOf } from "../framework/index.ts";
import type { CatalogEntry, ControllerContext } from "../framework/index.ts";
import type { PodScale } from "./plan.ts";

type Scaled = KubernetesObject & { readonly spec?: { readonly replicas?: number } };

/** Finds how many pods a pod's controller is to have; the scale of a ReplicaSet is that of its Deployment. */
export class Scales {
  readonly views;
  private readonly context: ControllerContext;

  constructor(context: ControllerContext) {
    this.context = context;
    const { informers } = context;
    this.views = [
      informers.informer(ReplicationController),
      informers.informer(Deployment),
      informers.informer(ReplicaSet),
      informers.informer(StatefulSet),
    ] as unknown as readonly SharedInformer<Scaled>[];
  }

  /** Makes the views of unusual controllers ready; the four of core and apps always are. */
  async prepare(pods: readonly Pod[], signal: AbortSignal): Promise<void> {
    for (const pod of pods) {
      const owner = controllerOf(pod);
      if (owner === undefined || this.view(owner)) continue;
      const entry = this.catalogEntry(owner);
      if (entry?.scale) await this.context.informers.informer(entry.resource).whenSynced(signal);
    }
  }

  of(pod: Pod): PodScale {
    const owner = controllerOf(pod);
    if (owner === undefined) return { type: "unmanaged" };
    const { namespace } = pod.metadata;
    const view = this.view(owner);
    if (view) {
      const object = this.find(view, owner, namespace);
      if (object) return { type: "controller", uid: object.metadata.uid, scale: object.spec?.replicas ?? 1 };
      return notFound(pod);
    }
    const entry = this.catalogEntry(owner);
    if (!entry)
      return { type: "unknown", why: `no matches for kind "${owner.kind}" in version "${owner.apiVersion}"` };
    if (!entry.scale) {
      return {
        type: "unknown",
        why: `${qualifiedName(entry.resource)} does not implement the scale subresource`,
      };
    }
    const object = this.context.informers.informer(entry.resource).get({ namespace, name: owner.name });
    if (object?.metadata.uid !== owner.uid) return notFound(pod);
    return { type: "controller", uid: owner.uid, scale: numberAt(object, entry.scale.specReplicas) };
  }

  private find(
    view: SharedInformer<Scaled>,
    owner: OwnerReference,
    namespace: string | undefined,
  ): Scaled | undefined {
    const object = view.get({ ...(namespace === undefined ? {} : { namespace }), name: owner.name });
    if (object?.metadata.uid !== owner.uid) return undefined;
    const above = controllerOf(object);
    if (above?.kind !== Deployment.kind || !above.apiVersion.startsWith("apps/")) return object;
    const next = this.view(above);
    return next && this.find(next, above, namespace);
  }

  private view(owner: OwnerReference): SharedInformer<Scaled> | undefined {
    const [group] = owner.apiVersion.includes("/") ? owner.apiVersion.split("/") : [""];
    return this.views.find(
      ({ resource }) => resource.kind === owner.kind && (resource as Resource).group === group,
    );
  }

  private catalogEntry(owner: OwnerReference): CatalogEntry | undefined {
    const [group] = owner.apiVersion.includes("/") ? owner.apiVersion.split("/") : [""];
    return this.context.settings.catalog
      .list()
      .find(({ resource }) => resource.kind === owner.kind && resource.group === group);
  }
}

const notFound = (pod: Pod): PodScale => ({
  type: "unknown",
  why: `found no controllers for pod "${pod.metadata.name}"`,
});

/** The number at a path like `.spec.replicas`. */
function numberAt(object: unknown, path: string): number {
  let value = object;
  for (const name of path.split(".").filter((part) => part !== "")) {
    value =
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return typeof value === "number" ? value : 0;
}
