import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, timestampOf } from "../../apimachinery/index.ts";
import { nanosOf } from "../common/amounts.ts";
import { optionalOneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { fill, mapField } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import type { PersistentVolumeSpec } from "../types/core-v1.ts";
import { PersistentVolume } from "../types/core-v1.ts";
import { validateNodeSelector } from "./pod-spec/index.ts";
import { accessModesText, storageClassAnnotation, validateAccessModes } from "./volume-columns.ts";

/** Fields of a volume that are not where its storage comes from. */
const commonFields = new Set([
  "capacity",
  "accessModes",
  "claimRef",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "mountOptions",
  "volumeMode",
  "nodeAffinity",
  "volumeAttributesClassName",
]);

/** The rules of persistent volumes. */
export const persistentVolumeDefinition = defineResource<PersistentVolume>({
  resource: PersistentVolume,
  repeatedMetadataChecks: ["whole", "whole"],
  returnsDeleted: true,
  defaults: (volume) => ({
    ...volume,
    spec: mapField(
      fill<PersistentVolumeSpec>(volume.spec, {
        persistentVolumeReclaimPolicy: "Retain",
        volumeMode: "Filesystem",
      }),
      "hostPath",
      (source) => fill(source, { type: "" }),
    ),
    status: fill(volume.status, { phase: "Pending" }),
  }),
  validate,
  validateUpdate,
  prepareForCreate: (volume, { now }) => ({
    ...volume,
    status: {
      phase: "Pending",
      lastPhaseTransitionTime: timestampOf(now),
    },
  }),
  prepareForStatusUpdate: (volume, old) => ({ ...volume, spec: old.spec }),
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

const sourcesOf = (spec: PersistentVolumeSpec) =>
  Object.entries(spec).filter(([field, value]) => value !== undefined && !commonFields.has(field));

function validate(volume: PersistentVolume): readonly FieldError[] {
  const { spec } = volume;
  const path = FieldPath.root("spec");
  const errors = validateAccessModes(spec.accessModes, path.child("accessModes"));
  const capacity = path.child("capacity");
  const storage = spec.capacity?.["storage"];
  if (Object.keys(spec.capacity ?? {}).length === 0) errors.push(fieldErrors.required(capacity));
  if (storage === undefined || Object.keys(spec.capacity ?? {}).length > 1) {
    errors.push(fieldErrors.notSupported(capacity, spec.capacity ?? {}, ["storage"]));
  } else if ((nanosOf(storage) ?? 0n) <= 0n) {
    errors.push(fieldErrors.invalid(capacity.key("storage"), storage, "must be greater than zero"));
  }
  errors.push(
    ...optionalOneOf(path.child("persistentVolumeReclaimPolicy"), spec.persistentVolumeReclaimPolicy, [
      "Delete",
      "Recycle",
      "Retain",
    ]),
  );
  if (spec.nodeAffinity !== undefined) {
    const at = path.child("nodeAffinity", "required");
    const { required } = spec.nodeAffinity;
    errors.push(
      ...(required
        ? validateNodeSelector(required, at)
        : [fieldErrors.required(at, "must specify required node constraints")]),
    );
  }
  const sources = sourcesOf(spec);
  for (const [field] of sources.slice(1)) {
    errors.push(fieldErrors.forbidden(path.child(field), "may not specify more than 1 volume type"));
  }
  if (sources.length === 0) errors.push(fieldErrors.required(path, "must specify a volume type"));
  return errors;
}

function validateUpdate(volume: PersistentVolume, old: PersistentVolume): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [];
  if (
    !semanticallyEqual(Object.fromEntries(sourcesOf(volume.spec)), Object.fromEntries(sourcesOf(old.spec)))
  ) {
    const why = "spec.persistentvolumesource is immutable after creation";
    errors.push(fieldErrors.forbidden(path.child("persistentvolumesource"), why));
  }
  if ((volume.spec.volumeMode ?? "") !== (old.spec.volumeMode ?? "")) {
    errors.push(
      fieldErrors.invalid(path.child("volumeMode"), volume.spec.volumeMode ?? null, "field is immutable"),
    );
  }
  if (
    old.spec.nodeAffinity !== undefined &&
    !semanticallyEqual(volume.spec.nodeAffinity, old.spec.nodeAffinity)
  ) {
    const why = "field is immutable, except for updating from beta label to GA";
    errors.push(fieldErrors.invalid(path.child("nodeAffinity"), volume.spec.nodeAffinity ?? null, why));
  }
  return errors;
}
