import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isQualifiedName } from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";
import { describeDifference } from "../common/difference.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { withField } from "../common/fill.ts";
import { validateLabelSelector } from "../common/selectors.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec, ResourceList } from "../types/core-v1.ts";
import { claimSpecWarnings, validateClaimSpec } from "./claim-spec.ts";
import { compareAmounts, isNativeResource, validateAmount, validateWhole } from "./resource-names.ts";
import { storageClassAnnotation } from "./volume-columns.ts";

const path = FieldPath.root("spec");
const statusPath = FieldPath.root("status");
const resizeStatuses = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
  "NodeResizePending",
];

/** Checks a claim; what an old one had wrong already is let through. */
export function validateClaim(
  { spec }: PersistentVolumeClaim,
  old: PersistentVolumeClaim | undefined,
): readonly FieldError[] {
  const selector = path.child("selector");
  const keepsSelector = old !== undefined && validateLabelSelector(old.spec.selector, selector).length > 0;
  const anyGroup = [old?.spec.dataSource, old?.spec.dataSourceRef].some(
    (source) => source?.apiGroup !== undefined,
  );
  return validateClaimSpec(keepsSelector ? withField(spec, "selector", undefined) : spec, path, { anyGroup });
}

/** Warnings of a claim that says its class in the old way, or asks for parts of bytes. */
export function claimWarnings({ metadata, spec }: PersistentVolumeClaim): readonly string[] {
  const at = FieldPath.root("metadata").child("annotations").key(storageClassAnnotation);
  const why = 'deprecated since v1.8; use "storageClassName" attribute instead';
  return [
    ...(metadata.annotations?.[storageClassAnnotation] === undefined ? [] : [`${at.text}: ${why}`]),
    ...claimSpecWarnings(spec, path),
  ];
}

/** Checks what an update may not change: all but the size and the class of attributes of a bound claim. */
export function validateClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const [was, is] = [classAnnotation(old), classAnnotation(claim)];
  const movesClass = movesClassToField(claim, old);
  if (!movesClass && (was ?? "") !== (is ?? "")) {
    const at = FieldPath.root("metadata").child("annotations", storageClassAnnotation);
    errors.push(fieldErrors.invalid(at, is ?? "", "field is immutable"));
  }
  const [before, after] = [withName(old.spec, claim.spec), withFreeFields(claim, old, { movesClass })];
  if (!semanticallyEqual(before, after)) {
    const why =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    errors.push(
      fieldErrors.forbidden(
        path,
        `${why}\n${describeDifference({ from: before, to: after, type: "io.k8s.api.core.v1.PersistentVolumeClaimSpec" })}`,
      ),
    );
  }
  const size = sizeOf(claim.spec.resources?.requests);
  if (
    compareAmounts(size, sizeOf(old.spec.resources?.requests)) < 0 &&
    compareAmounts(size, sizeOf(old.status?.capacity)) <= 0
  ) {
    const at = path.child("resources", "requests", "storage");
    errors.push(fieldErrors.forbidden(at, "field can not be less than status.capacity"));
  }
  if (claim.spec.volumeMode !== old.spec.volumeMode) {
    // Upstream names the field without its parent.
    const at = FieldPath.root("volumeMode");
    errors.push(fieldErrors.invalid(at, claim.spec.volumeMode ?? null, "field is immutable"));
  }
  return [...errors, ...validateAttributesClass(claim.spec, old.spec)];
}

const classAnnotation = ({ metadata }: PersistentVolumeClaim) =>
  metadata.annotations?.[storageClassAnnotation];

const sizeOf = (amounts: ResourceList | undefined): string => amounts?.["storage"] ?? "0";

/** Whether the class only moves from the annotation to the field. */
function movesClassToField(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const [was, is] = [classAnnotation(old), classAnnotation(claim)];
  return (
    was !== undefined &&
    old.spec.storageClassName === undefined &&
    claim.spec.storageClassName === was &&
    (is === undefined || is === was)
  );
}

/** The volume of a claim may be named once. */
function withName(
  old: PersistentVolumeClaimSpec,
  next: PersistentVolumeClaimSpec,
): PersistentVolumeClaimSpec {
  return old.volumeName ? old : withField(old, "volumeName", next.volumeName);
}

/** The new spec, with the old one's values where it may differ. */
function withFreeFields(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
  { movesClass }: { readonly movesClass: boolean },
): PersistentVolumeClaimSpec {
  let { spec } = claim;
  const was = classAnnotation(old);
  const isNew = spec.storageClassName !== undefined && old.spec.storageClassName === undefined;
  if (movesClass || (isNew && (was === undefined || was === spec.storageClassName))) {
    spec = withField(spec, "storageClassName", old.spec.storageClassName);
  }
  if (claim.status?.phase !== "Bound") return spec;
  if (spec.resources?.requests) {
    const requests = { ...spec.resources.requests, storage: sizeOf(old.spec.resources?.requests) };
    spec = { ...spec, resources: { ...spec.resources, requests } };
  }
  return spec.volumeAttributesClassName === undefined
    ? spec
    : withField(spec, "volumeAttributesClassName", old.spec.volumeAttributesClassName);
}

function validateAttributesClass(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec,
): FieldError[] {
  const name = spec.volumeAttributesClassName;
  if (old.volumeAttributesClassName === undefined || name === old.volumeAttributesClassName || name)
    return [];
  const why = `update from non-nil value to ${name === undefined ? "nil" : "an empty string"} is forbidden`;
  return [fieldErrors.forbidden(path.child("volumeAttributesClassName"), why)];
}

/** Checks what is reported of a claim: sizes, and how far a change of size has come. */
export function validateClaimStatus({ spec, status }: PersistentVolumeClaim): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (!spec.accessModes?.length) {
    errors.push(fieldErrors.required(FieldPath.root("Spec").child("accessModes")));
  }
  for (const [name, quantity] of Object.entries(status?.capacity ?? {})) {
    errors.push(...validateWhole(quantity, statusPath.child("capacity").key(name)));
  }
  const progress = statusPath.child("allocatedResourceStatus");
  for (const [name, state] of Object.entries(status?.allocatedResourceStatuses ?? {})) {
    errors.push(...validateResource(name, progress));
    if (!resizeStatuses.includes(state))
      errors.push(fieldErrors.notSupported(progress, name, resizeStatuses));
  }
  const allocated = statusPath.child("allocatedResources");
  for (const [name, quantity] of Object.entries(status?.allocatedResources ?? {})) {
    const wrong = validateResource(name, allocated);
    const negative = wrong.length > 0 ? wrong : validateWhole(quantity, allocated.key(name));
    errors.push(
      ...(negative.length > 0
        ? negative
        : validateAmount(allocated.key(name), { name: "storage", quantity })),
    );
  }
  return errors;
}

/** Of Kubernetes' own resources, only storage can be resized. */
function validateResource(name: string, at: FieldPath): FieldError[] {
  const errors = invalidFor(at, name, isQualifiedName(name));
  if (errors.length > 0 || !isNativeResource(name) || name === "storage") return errors;
  return [fieldErrors.notSupported(at, name, ["storage"])];
}
