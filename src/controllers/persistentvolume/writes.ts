import type { PersistentVolume, PersistentVolumeClaim } from "../../api/types/core-v1.ts";
import { bindCompletedAnnotation, boundByControllerAnnotation, hasAnnotation, isBoundTo } from "./facts.ts";

/** The volume with its reference to the claim. */
export function boundVolume(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { claimRef } = volume.spec;
  if (claimRef?.uid === claim.metadata.uid && isBoundTo(volume, claim)) return volume;
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const reference = {
    kind: "PersistentVolumeClaim",
    apiVersion: "v1",
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  const reserved = claimRef !== undefined;
  const annotations = reserved
    ? volume.metadata.annotations
    : { ...volume.metadata.annotations, [boundByControllerAnnotation]: "yes" };
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(annotations ? { annotations } : {}) },
    spec: { ...volume.spec, claimRef: reference },
  };
}

/** The volume without the claim that it was bound to: only its uid goes if a user reserved it. */
export function unboundVolume(volume: PersistentVolume): PersistentVolume {
  const { claimRef, ...spec } = volume.spec;
  if (!hasAnnotation(volume, boundByControllerAnnotation)) {
    const { uid: _, ...reserved } = claimRef ?? {};
    return { ...volume, spec: { ...spec, claimRef: reserved } };
  }
  const { [boundByControllerAnnotation]: _, ...annotations } = volume.metadata.annotations ?? {};
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec };
}

/** The claim with its volume's name. */
export function boundClaim(claim: PersistentVolumeClaim, volume: PersistentVolume): PersistentVolumeClaim {
  const named = Boolean(claim.spec.volumeName);
  if (named && hasAnnotation(claim, bindCompletedAnnotation)) return claim;
  const annotations = {
    ...claim.metadata.annotations,
    ...(named ? {} : { [boundByControllerAnnotation]: "yes" }),
    [bindCompletedAnnotation]: "yes",
  };
  return {
    ...claim,
    metadata: { ...claim.metadata, annotations },
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  };
}

/** The status of a bound claim. Capacity is the volume's when it is bound first: a resize sets it later. */
export function boundClaimStatus(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): PersistentVolumeClaim["status"] {
  const { status } = claim;
  const fresh = status?.phase !== "Bound" || status.capacity === undefined;
  return {
    ...status,
    phase: "Bound",
    ...(volume.spec.accessModes ? { accessModes: volume.spec.accessModes } : {}),
    ...(fresh && volume.spec.capacity ? { capacity: volume.spec.capacity } : {}),
    ...(volume.spec.volumeAttributesClassName && !status?.currentVolumeAttributesClassName
      ? { currentVolumeAttributesClassName: volume.spec.volumeAttributesClassName }
      : {}),
  };
}
