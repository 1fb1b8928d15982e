import { timestampOf } from "../../apimachinery/index.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, fillMissing, mapField, withField } from "../common/fill.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import type { PersistentVolumeSpec, PersistentVolumeStatus } from "../types/core-v1.ts";
import { PersistentVolume } from "../types/core-v1.ts";
import {
  persistentVolumeWarnings,
  validatePersistentVolume,
  validatePersistentVolumeUpdate,
} from "./persistent-volume-validation.ts";
import { accessModesText, storageClassAnnotation } from "./volume-columns.ts";

/** The rules of persistent volumes. */
export const persistentVolumeDefinition = defineResource<PersistentVolume>({
  resource: PersistentVolume,
  repeatedMetadataChecks: ["whole", "whole"],
  returnsDeleted: true,
  defaults: (volume) => ({
    ...volume,
    spec: mapField(
      fillMissing(fill<PersistentVolumeSpec>(volume.spec, { persistentVolumeReclaimPolicy: "Retain" }), {
        volumeMode: "Filesystem",
      }),
      "hostPath",
      (source) => fill(source, { type: "" }),
    ),
    status: fill(volume.status, { phase: "Pending" }),
  }),
  repeatsChecks: true,
  validate: validatePersistentVolume,
  validateUpdate: updateChecks<PersistentVolume>({
    other: validatePersistentVolumeUpdate,
  }),
  warnings: persistentVolumeWarnings,
  prepareForCreate: (volume, { now }) => ({
    ...volume,
    status: { phase: "Pending", lastPhaseTransitionTime: timestampOf(now) },
  }),
  prepareForStatusUpdate: (volume, old, { now }) => ({
    ...volume,
    spec: old.spec,
    status: withTransition(volume.status ?? {}, old.status ?? {}, now),
  }),
  columns: [
    nameColumn,
    column("Capacity", "Size of the volume", { value: ({ spec }) => spec.capacity?.["storage"] ?? "0" }),
    column("Access Modes", "How the volume may be mounted", {
      value: ({ spec }) => accessModesText(spec.accessModes),
    }),
    column("Reclaim Policy", "What happens to the volume after its claim", {
      value: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? "",
    }),
    column("Status", "Where the volume is in its life", {
      value: (volume) =>
        volume.metadata.deletionTimestamp === undefined ? (volume.status?.phase ?? "") : "Terminating",
    }),
    column("Claim", "The claim that the volume is bound to", {
      value: ({ spec }) =>
        spec.claimRef ? `${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}` : "",
    }),
    column("StorageClass", "Class of the storage", {
      value: ({ metadata, spec }) =>
        metadata.annotations?.[storageClassAnnotation] ?? spec.storageClassName ?? "",
    }),
    column("VolumeAttributesClass", "Class of the volume's attributes", {
      value: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>",
    }),
    column("Reason", "Why the volume failed", { value: ({ status }) => status?.reason ?? "" }),
    ageColumn,
    column("VolumeMode", "Filesystem or Block", {
      wide: true,
      value: ({ spec }) => spec.volumeMode ?? "<unset>",
    }),
  ],
  tracksGeneration: false,
});

/** Notes when the phase changed, unless whoever changed it did. */
function withTransition(
  status: PersistentVolumeStatus,
  old: PersistentVolumeStatus,
  now: number,
): PersistentVolumeStatus {
  const { phase, lastPhaseTransitionTime: time } = status;
  if (phase === old.phase) {
    return time === undefined
      ? withField(status, "lastPhaseTransitionTime", old.lastPhaseTransitionTime)
      : status;
  }
  return time === undefined || time === old.lastPhaseTransitionTime
    ? { ...status, lastPhaseTransitionTime: timestampOf(now) }
    : status;
}
