import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { nanosOf } from "../common/amounts.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { fill, withField } from "../common/fill.ts";
import { validateLabelSelector } from "../common/selectors.ts";
import { defineResource } from "../definition.ts";
import type { PersistentVolumeClaimSpec } from "../types/core-v1.ts";
import { PersistentVolumeClaim } from "../types/core-v1.ts";
import { accessModesText, storageClassAnnotation, validateAccessModes } from "./volume-columns.ts";

/** Fills in what a claim leaves open. */
export function defaultClaim(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  let spec = fill<PersistentVolumeClaimSpec>(claim.spec, { volumeMode: "Filesystem" });
  // Either of the two sources may be given; the other follows.
  if (spec.dataSource !== undefined && spec.dataSourceRef === undefined) {
    spec = { ...spec, dataSourceRef: spec.dataSource };
  }
  return { ...claim, spec, status: fill(claim.status, { phase: "Pending" }) };
}

/** The rules of claims for volumes. */
export const persistentVolumeClaimDefinition = defineResource<PersistentVolumeClaim>({
  resource: PersistentVolumeClaim,
  repeatedMetadataChecks: ["whole", "change", "whole"],
  returnsDeleted: true,
  defaults: defaultClaim,
  validate,
  validateUpdate,
  prepareForCreate: (claim) => ({ ...claim, status: { phase: "Pending" } }),
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

function validate(claim: PersistentVolumeClaim): readonly FieldError[] {
  const { spec } = claim;
  const path = FieldPath.root("spec");
  const errors = [
    ...validateAccessModes(spec.accessModes, path.child("accessModes")),
    ...validateLabelSelector(spec.selector, path.child("selector")),
  ];
  const storage = spec.resources?.requests?.["storage"];
  const at = path.child("resources").key("storage");
  if (storage === undefined) errors.push(fieldErrors.required(at));
  else if ((nanosOf(storage) ?? 0n) <= 0n) {
    errors.push(fieldErrors.invalid(at, storage, "must be greater than zero"));
  }
  if (spec.volumeMode !== undefined && spec.volumeMode !== "Block" && spec.volumeMode !== "Filesystem") {
    errors.push(fieldErrors.notSupported(path.child("volumeMode"), spec.volumeMode, ["Block", "Filesystem"]));
  }
  return errors;
}

const classAnnotation = "volume.beta.kubernetes.io/storage-class";

function validateUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): readonly FieldError[] {
  const path = FieldPath.root("spec");
  let munged = claim.spec;
  if (!old.spec.volumeName) munged = withField(munged, "volumeName", old.spec.volumeName);
  // A claim made before there was a default class may be given one.
  if (old.spec.storageClassName === undefined && old.metadata.annotations?.[classAnnotation] === undefined) {
    munged = withField(munged, "storageClassName", undefined);
  }
  munged = withField(munged, "volumeAttributesClassName", old.spec.volumeAttributesClassName);
  if (old.status?.phase === "Bound") {
    munged = withField(munged, "resources", {
      ...munged.resources,
      ...(old.spec.resources?.requests ? { requests: old.spec.resources.requests } : {}),
    });
  }
  const errors: FieldError[] = [];
  if (!semanticallyEqual(munged, old.spec)) {
    const why =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    errors.push(fieldErrors.forbidden(path, why));
  }
  const [before, after] = [
    old.spec.resources?.requests?.["storage"],
    claim.spec.resources?.requests?.["storage"],
  ];
  if (before !== undefined && after !== undefined && (nanosOf(after) ?? 0n) < (nanosOf(before) ?? 0n)) {
    const capacity = old.status?.capacity?.["storage"];
    if (capacity === undefined || (nanosOf(after) ?? 0n) <= (nanosOf(capacity) ?? 0n)) {
      const why = "field can not be less than status.capacity";
      errors.push(fieldErrors.forbidden(path.child("resources", "requests", "storage"), why));
    }
  }
  return errors;
}
