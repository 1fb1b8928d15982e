import { PersistentVolume, PersistentVolumeClaim } from "../../api/types/core-v1.ts";
import { StorageClass } from "../../api/types/storage-v1.ts";
import { Ingress, IngressClass } from "../../api/types/networking-v1.ts";
import { compareQuantities, parseQuantity } from "../../apimachinery/index.ts";
import type { KubernetesObject } from "../../apimachinery/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { concerns, objectAs, refused } from "./request.ts";

const protections = [
  { resource: PersistentVolume, finalizer: "kubernetes.io/pv-protection" },
  { resource: PersistentVolumeClaim, finalizer: "kubernetes.io/pvc-protection" },
] as const;

/** Keeps volumes and claims from vanishing while they are in use. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  operations: ["CREATE"],
  resources: [PersistentVolume, PersistentVolumeClaim],
  admit(request) {
    const { object } = request;
    const protection = protections.find(({ resource }) => concerns(request, resource));
    if (!protection || object.metadata.finalizers?.includes(protection.finalizer)) return object;
    const finalizers = [...(object.metadata.finalizers ?? []), protection.finalizer];
    return { ...object, metadata: { ...object.metadata, finalizers } };
  },
};

/** The newest of the objects that are annotated as the default; the first by name of several as new. */
function defaultOf<T extends KubernetesObject>(
  objects: readonly T[],
  annotations: readonly string[],
): T | undefined {
  const defaults = objects.filter((object) =>
    annotations.some((annotation) => object.metadata.annotations?.[annotation] === "true"),
  );
  return defaults.sort((left, right) => {
    const age = Date.parse(right.metadata.creationTimestamp) - Date.parse(left.metadata.creationTimestamp);
    return age || (left.metadata.name < right.metadata.name ? -1 : 1);
  })[0];
}

/** Gives claims that name no storage class the default one. */
export function defaultStorageClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "DefaultStorageClass",
    operations: ["CREATE"],
    resources: [PersistentVolumeClaim],
    admit(request) {
      const claim = objectAs(request, PersistentVolumeClaim);
      if (!claim || claim.spec.storageClassName !== undefined) return request.object;
      if (claim.metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] !== undefined) {
        return request.object;
      }
      const chosen = defaultOf(reader.list(StorageClass), [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
      ]);
      if (!chosen) return request.object;
      return { ...claim, spec: { ...claim.spec, storageClassName: chosen.metadata.name } };
    },
  };
}

/** Lets claims grow only where their storage class allows it. */
export function persistentVolumeClaimResize(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "PersistentVolumeClaimResize",
    operations: ["UPDATE"],
    resources: [PersistentVolumeClaim],
    validate(request) {
      const claim = objectAs(request, PersistentVolumeClaim);
      const old = request.old as PersistentVolumeClaim | undefined;
      if (!claim) return;
      const size = claim.spec.resources?.requests?.["storage"];
      const oldSize = old?.spec.resources?.requests?.["storage"];
      if (size === undefined || oldSize === undefined) return;
      if (compareQuantities(parseQuantity(size), parseQuantity(oldSize)) <= 0) return;
      if (old?.status?.phase !== "Bound") {
        throw refused(request, "Only bound persistent volume claims can be expanded");
      }
      const name = claim.spec.storageClassName;
      if (name && reader.get(StorageClass, { name })?.allowVolumeExpansion) return;
      throw refused(
        request,
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
      );
    },
  };
}

/** Gives ingresses that name no class the default one. */
export function defaultIngressClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "DefaultIngressClass",
    operations: ["CREATE"],
    resources: [Ingress],
    admit(request) {
      const ingress = objectAs(request, Ingress);
      if (!ingress || ingress.spec?.ingressClassName !== undefined) return request.object;
      if (ingress.metadata.annotations?.["kubernetes.io/ingress.class"] !== undefined) return request.object;
      const chosen = defaultOf(reader.list(IngressClass), ["ingressclass.kubernetes.io/is-default-class"]);
      if (!chosen) return request.object;
      return { ...ingress, spec: { ...ingress.spec, ingressClassName: chosen.metadata.name } };
    },
  };
}
