import { apiVersionOf } from "../../apimachinery/index.ts";
import type { OwnerReference } from "../../apimachinery/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import type { PersistentVolumeClaim } from "../../api/types/core-v1.ts";
import { StatefulSet } from "../../api/types/apps-v1.ts";
import { controllerReference } from "../framework/index.ts";
import { ordinalOf } from "./plan.ts";

/** Whether the pod is beyond the replicas that the set is to have. */
export function isCondemned(set: StatefulSet, pod: Pod): boolean {
  const first = set.spec.ordinals?.start ?? 0;
  const ordinal = ordinalOf(set, pod) ?? first;
  return ordinal < first || ordinal >= first + (set.spec.replicas ?? 1);
}

/**
 * The owners that a pod's claim is to have by the set's retention policy, so that garbage collection takes it with
 * the set or with the pod; undefined when it has them, or when others control it.
 */
export function planClaimOwners(
  set: StatefulSet,
  { claim, pod }: { readonly claim: PersistentVolumeClaim; readonly pod: Pod },
): readonly OwnerReference[] | undefined {
  const { whenDeleted = "Retain", whenScaled = "Retain" } =
    set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const owners = claim.metadata.ownerReferences ?? [];
  const ours = ({ uid, kind, name }: OwnerReference) =>
    uid === set.metadata.uid ||
    uid === pod.metadata.uid ||
    // An earlier pod or set of the same name.
    (kind === Pod.kind && name === pod.metadata.name) ||
    (kind === StatefulSet.kind && name === set.metadata.name);
  const others = owners.filter((owner) => !ours(owner));
  if (others.some((owner) => owner.controller === true)) return undefined;
  const wanted =
    whenScaled === "Delete" && isCondemned(set, pod)
      ? [podReference(pod)]
      : whenDeleted === "Delete"
        ? [controllerReference(StatefulSet, set)]
        : [];
  const present = owners.filter((owner) => ours(owner));
  const same =
    present.length === wanted.length && present.every(({ uid }, index) => uid === wanted[index]?.uid);
  return same ? undefined : [...others, ...wanted];
}

function podReference({ metadata }: Pod): OwnerReference {
  const { name, uid } = metadata;
  return {
    apiVersion: apiVersionOf(Pod),
    kind: Pod.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}
