import {
  compareQuantities,
  labelSelectorOf,
  parseQuantity,
  selectorMatches,
} from "../../apimachinery/index.ts";
import type { KubernetesObject } from "../../apimachinery/index.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/types/core-v1.ts";

export const bindCompletedAnnotation = "pv.kubernetes.io/bind-completed";
export const boundByControllerAnnotation = "pv.kubernetes.io/bound-by-controller";
export const provisionedByAnnotation = "pv.kubernetes.io/provisioned-by";
export const provisionerAnnotations = [
  "volume.beta.kubernetes.io/storage-provisioner",
  "volume.kubernetes.io/storage-provisioner",
] as const;
export const selectedNodeAnnotation = "volume.kubernetes.io/selected-node";
const classAnnotation = "volume.beta.kubernetes.io/storage-class";

export const hasAnnotation = ({ metadata }: KubernetesObject, name: string): boolean =>
  metadata.annotations?.[name] !== undefined;

/** The storage class of a volume or claim; "" for none. */
export function classOf(object: PersistentVolume | PersistentVolumeClaim): string {
  return object.metadata.annotations?.[classAnnotation] ?? object.spec.storageClassName ?? "";
}

/** Whether a claim neither names a class nor refuses one. */
export function wantsDefaultClass(claim: PersistentVolumeClaim): boolean {
  return claim.spec.storageClassName === undefined && !hasAnnotation(claim, classAnnotation);
}

/** Whether the volume is reserved for the claim, or bound to it. */
export function isBoundTo({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { claimRef } = spec;
  if (claimRef?.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false;
  return !claimRef.uid || claimRef.uid === metadata.uid;
}

/** Why a volume cannot serve a claim, in upstream's words; undefined when it can. */
export function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (isTooSmall(volume, claim)) return "requested PV is too small";
  if (classOf(volume) !== classOf(claim)) return "storageClassName does not match";
  if (!sameAttributesClass(volume, claim)) return "VolumeAttributesClassName does not match";
  if (!sameMode(volume, claim)) return "incompatible volumeMode";
  if (!offersModes(volume, claim)) return "incompatible accessMode";
  return undefined;
}

const sizeOf = (text: string | undefined) => parseQuantity(text ?? "0");

function isTooSmall(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const wanted = sizeOf(claim.spec.resources?.requests?.["storage"]);
  return compareQuantities(sizeOf(volume.spec.capacity?.["storage"]), wanted) < 0;
}

const sameMode = (volume: PersistentVolume, claim: PersistentVolumeClaim) =>
  (volume.spec.volumeMode ?? "Filesystem") === (claim.spec.volumeMode ?? "Filesystem");

const sameAttributesClass = (volume: PersistentVolume, claim: PersistentVolumeClaim) =>
  (volume.spec.volumeAttributesClassName ?? "") === (claim.spec.volumeAttributesClassName ?? "");

function offersModes(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode));
}

/** The volume reserved for a claim, or else, unless binding waits for a pod, the smallest free one that will do. */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  { delayed }: { readonly delayed: boolean },
): PersistentVolume | undefined {
  const { selector } = claim.spec;
  const matcher = selector === undefined ? undefined : labelSelectorOf(selector);
  let smallest: PersistentVolume | undefined;
  for (const volume of volumes) {
    const ours = isBoundTo(volume, claim);
    if (volume.spec.claimRef !== undefined && !ours) continue;
    if (isTooSmall(volume, claim) || !sameMode(volume, claim) || !sameAttributesClass(volume, claim))
      continue;
    if (!offersModes(volume, claim) || volume.metadata.deletionTimestamp !== undefined) continue;
    if (ours) return volume;
    if (delayed || volume.status?.phase !== "Available" || classOf(volume) !== classOf(claim)) continue;
    if (matcher && !selectorMatches(matcher, volume.metadata.labels)) continue;
    const size = (of: PersistentVolume) => sizeOf(of.spec.capacity?.["storage"]);
    if (!smallest || compareQuantities(size(volume), size(smallest)) < 0) smallest = volume;
  }
  return smallest;
}
