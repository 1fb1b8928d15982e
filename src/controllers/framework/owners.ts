import { unlessMissing } from "../../api/index.ts";
import { apiVersionOf, keyOf, versionNamed } from "../../apimachinery/index.ts";
import type { KubernetesObject, ObjectKey, OwnerReference, Resource } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import type { SharedInformer } from "../../client/index.ts";

/** The owner that manages the object, if it has one. */
export function controllerOf(object: KubernetesObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** What makes `owner` the controller of an object. */
export function controllerReference(resource: Resource<object>, owner: KubernetesObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The key of the object's controller if that is of the resource's kind. */
export function controllerKey(object: KubernetesObject, resource: Resource<object>): ObjectKey | undefined {
  const owner = controllerOf(object);
  if (owner?.kind !== resource.kind || versionNamed(owner.apiVersion).group !== resource.group)
    return undefined;
  return { ...(resource.namespaced ? { namespace: object.metadata.namespace } : {}), name: owner.name };
}

const controllerIndex = "controllerUid";
const orphanPrefix = "orphan/";

/** Objects of the namespace that `uid` controls, or that no one does. */
function ownedOrOrphaned<T extends KubernetesObject>(
  informer: SharedInformer<T>,
  of: { namespace?: string | undefined; uid: string },
): readonly T[] {
  const orphans = informer.byIndex(controllerIndex, orphanPrefix + (of.namespace ?? ""));
  return [...informer.byIndex(controllerIndex, of.uid), ...orphans];
}

/** Objects that `uid` controls. */
export function ownedBy<T extends KubernetesObject>(informer: SharedInformer<T>, uid: string): readonly T[] {
  return informer.byIndex(controllerIndex, uid);
}

/** Makes `ownedBy` and `ownedOrOrphaned` work. */
export function indexByController<T extends KubernetesObject>(
  informer: SharedInformer<T>,
): SharedInformer<T> {
  if (!informer.hasIndex(controllerIndex)) {
    informer.addIndex(controllerIndex, (object) => [
      controllerOf(object)?.uid ?? orphanPrefix + (object.metadata.namespace ?? ""),
    ]);
  }
  return informer;
}

export interface Claims<T> {
  readonly owned: readonly T[];
  readonly adopt: readonly T[];
  readonly release: readonly T[];
}

/** Which objects an owner keeps, takes over and lets go. */
export function planClaims<T extends KubernetesObject>(
  owner: KubernetesObject,
  candidates: readonly T[],
  matches: (object: T) => boolean,
): Claims<T> {
  const owned: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const leaving = owner.metadata.deletionTimestamp !== undefined;
  for (const object of candidates) {
    const controller = controllerOf(object);
    if (controller !== undefined && controller.uid !== owner.metadata.uid) continue;
    const matching = matches(object);
    if (controller !== undefined) {
      if (matching || leaving) owned.push(object);
      else release.push(object);
    } else if (matching && !leaving && object.metadata.deletionTimestamp === undefined) {
      adopt.push(object);
    }
  }
  return { owned, adopt, release };
}

/** Takes over orphans that match, and lets go of what no longer does; answers what the owner then has. */
export function claimOwned<T extends KubernetesObject, O extends KubernetesObject>(
  owner: O,
  of: {
    readonly client: Client;
    /** With `indexByController`. */
    readonly informer: SharedInformer<T>;
    readonly resource: Resource<T>;
    readonly ownerResource: Resource<O>;
    readonly matches: (object: T) => boolean;
    /** Which orphans are worth having; default all. */
    readonly adoptable?: (object: T) => boolean;
  },
): Promise<readonly T[]> {
  const { client, resource, ownerResource, matches, adoptable = () => true } = of;
  const candidates = ownedOrOrphaned(of.informer, owner.metadata).filter(
    (object) => controllerOf(object) !== undefined || adoptable(object),
  );
  const claims = planClaims(owner, candidates, matches);
  return performClaims(claims, { client, resource, ownerResource, owner });
}

/** Adopts and releases as planned; answers what the owner then has. */
async function performClaims<T extends KubernetesObject, O extends KubernetesObject>(
  claims: Claims<T>,
  context: { client: Client; resource: Resource<T>; ownerResource: Resource<O>; owner: O },
): Promise<readonly T[]> {
  const { client, resource, ownerResource, owner } = context;
  const kept = [...claims.owned];
  if (claims.adopt.length > 0) {
    // The view may be old: never adopt for an owner that has been replaced or is going.
    const fresh = await client.get(ownerResource, keyOf(owner));
    if (fresh.metadata.uid !== owner.metadata.uid || fresh.metadata.deletionTimestamp !== undefined)
      return kept;
  }
  for (const object of claims.adopt) {
    const references = object.metadata.ownerReferences ?? [];
    const ownerReferences = [...references, controllerReference(ownerResource, owner)];
    const adopted = await rewriteOwners({ client, resource }, object, ownerReferences);
    if (adopted) kept.push(adopted);
  }
  for (const object of claims.release) {
    const references = object.metadata.ownerReferences ?? [];
    await rewriteOwners(
      { client, resource },
      object,
      references.filter(({ uid }) => uid !== owner.metadata.uid),
    );
  }
  return kept;
}

async function rewriteOwners<T extends KubernetesObject>(
  context: { client: Client; resource: Resource<T> },
  object: T,
  ownerReferences: readonly OwnerReference[],
): Promise<T | undefined> {
  const { uid, resourceVersion } = object.metadata;
  const metadata = { uid, resourceVersion, ownerReferences: ownerReferences.length ? ownerReferences : null };
  const { client, resource } = context;
  return unlessMissing(client.patch(resource, keyOf(object), { type: "merge", body: { metadata } }));
}
