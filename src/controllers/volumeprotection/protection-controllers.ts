import { ignoreMissing } from "../../api/index.ts";
import type { KubernetesObject, ObjectKey, Resource } from "../../apimachinery/index.ts";
import { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import { controllerOf, settled, watch, watchItself } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";

const claimFinalizer = "kubernetes.io/pvc-protection";
const volumeFinalizer = "kubernetes.io/pv-protection";

/** Lets deleted claims go once no pod on a node uses them. */
export function claimProtectionController(context: ControllerContext): Controller {
  const { client, informers } = context;
  const claims = informers.informer(PersistentVolumeClaim);
  const pods = informers.informer(Pod);
  return {
    name: "pvc-protection",
    watches: [
      watchItself(claims),
      watch(pods, ({ type, object }, wake) => {
        const { namespace } = object.metadata;
        if (type === "updated") return;
        for (const name of claimNamesOf(object)) {
          const key: ObjectKey = { ...(namespace === undefined ? {} : { namespace }), name };
          if (claims.get(key)?.metadata.deletionTimestamp !== undefined) wake(key);
        }
      }),
    ],
    async reconcile(key) {
      const claim = claims.get(key);
      if (claim === undefined) return settled;
      const step = planProtection(claim, claimFinalizer, {
        used: () => pods.list(key.namespace).some((pod) => usesClaim(pod, claim)),
      });
      // The view may lag behind a pod that was just bound: ask the server before letting go.
      if (step === "release") {
        const { namespace } = key;
        const { items } = await client.list(Pod, { namespace });
        if (items.some((pod) => usesClaim(pod, claim))) return settled;
      }
      await perform(context, {
        resource: PersistentVolumeClaim,
        object: claim,
        finalizer: claimFinalizer,
        step,
      });
      return settled;
    },
  };
}

/** Lets deleted volumes go once no claim is bound to them. */
export function volumeProtectionController(context: ControllerContext): Controller {
  const volumes = context.informers.informer(PersistentVolume);
  return {
    name: "pv-protection",
    watches: [watchItself(volumes)],
    async reconcile(key) {
      const volume = volumes.get(key);
      if (volume === undefined) return settled;
      const used = () => volume.status?.phase === "Bound";
      const step = planProtection(volume, volumeFinalizer, { used });
      await perform(context, {
        resource: PersistentVolume,
        object: volume,
        finalizer: volumeFinalizer,
        step,
      });
      return settled;
    },
  };
}

type Step = "protect" | "release" | "nothing";

/** What to do with an object's protection. */
export function planProtection(
  { metadata }: KubernetesObject,
  finalizer: string,
  { used }: { readonly used: () => boolean },
): Step {
  const held = metadata.finalizers?.includes(finalizer) === true;
  if (metadata.deletionTimestamp === undefined) return held ? "nothing" : "protect";
  return held && !used() ? "release" : "nothing";
}

async function perform<T extends KubernetesObject>(
  { client }: ControllerContext,
  of: { readonly resource: Resource<T>; readonly object: T; readonly finalizer: string; readonly step: Step },
): Promise<void> {
  const { resource, object, finalizer, step } = of;
  if (step === "nothing") return;
  const others = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  const finalizers = step === "protect" ? [...others, finalizer] : others;
  await ignoreMissing(
    client.update<T>(resource, { ...object, metadata: { ...object.metadata, finalizers } }),
  );
}

/** Names of claims that a pod may use. */
function claimNamesOf({ metadata, spec }: Pod): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName];
    return ephemeral ? [`${metadata.name}-${name}`] : [];
  });
}

/** Whether a pod on a node uses the claim; a kubelet does not start pods whose claim is being deleted. */
export function usesClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (!pod.spec?.nodeName) return false;
  return (pod.spec.volumes ?? []).some(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return persistentVolumeClaim.claimName === claim.metadata.name;
    const own = ephemeral !== undefined && `${pod.metadata.name}-${name}` === claim.metadata.name;
    return own && controllerOf(claim)?.uid === pod.metadata.uid;
  });
}
