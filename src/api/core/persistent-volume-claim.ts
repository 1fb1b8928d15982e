import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, fillMissing } from "../common/fill.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import type { PersistentVolumeClaimSpec } from "../types/core-v1.ts";
import { PersistentVolumeClaim } from "../types/core-v1.ts";
import { withOneSource } from "./claim-sources.ts";
import {
  claimWarnings,
  validateClaim,
  validateClaimStatus,
  validateClaimUpdate,
} from "./claim-validation.ts";
import { accessModesText, storageClassAnnotation } from "./volume-columns.ts";

/** Fills in what a claim leaves open. */
export function defaultClaim(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const spec = fillMissing<PersistentVolumeClaimSpec>(claim.spec, { volumeMode: "Filesystem" });
  return { ...claim, spec, status: fill(claim.status, { phase: "Pending" }) };
}

/** The rules of claims for volumes. */
export const persistentVolumeClaimDefinition = defineResource<PersistentVolumeClaim>({
  resource: PersistentVolumeClaim,
  repeatedMetadataChecks: ["whole", "change", "whole"],
  returnsDeleted: true,
  defaults: defaultClaim,
  validate: (claim) => validateClaim(claim, undefined),
  validateUpdate: updateChecks<PersistentVolumeClaim>({
    // Upstream checks the whole twice over.
    other: (claim, old) => [...validateClaim(claim, old), ...validateClaimUpdate(claim, old)],
    status: validateClaimStatus,
  }),
  warnings: claimWarnings,
  prepareForCreate: (claim) => ({
    ...claim,
    spec: withOneSource(claim.spec, undefined),
    status: { phase: "Pending" },
  }),
  prepareForUpdate: (claim, old) => ({ ...claim, spec: withOneSource(claim.spec, old.spec) }),
  prepareForStatusUpdate: (claim, old) => ({ ...claim, spec: old.spec }),
  columns: [
    nameColumn,
    column("Status", "Whether the claim is bound", {
      value: (claim) =>
        claim.metadata.deletionTimestamp === undefined ? (claim.status?.phase ?? "") : "Terminating",
    }),
    column("Volume", "The volume bound to the claim", { value: ({ spec }) => spec.volumeName ?? "" }),
    column("Capacity", "Size of the bound volume", {
      value: ({ spec, status }) => (spec.volumeName ? (status?.capacity?.["storage"] ?? "0") : ""),
    }),
    column("Access Modes", "How the bound volume may be mounted", {
      value: ({ spec, status }) => (spec.volumeName ? accessModesText(status?.accessModes) : ""),
    }),
    column("StorageClass", "Class of the storage", {
      value: ({ metadata, spec }) =>
        metadata.annotations?.[storageClassAnnotation] ?? spec.storageClassName ?? "",
    }),
    column("VolumeAttributesClass", "Class of the volume's attributes", {
      value: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>",
    }),
    ageColumn,
    column("VolumeMode", "Filesystem or Block", {
      wide: true,
      value: ({ spec }) => spec.volumeMode ?? "<unset>",
    }),
  ],
  tracksGeneration: false,
});
