import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isDNS1123Label, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { invalidFor, optionalOneOf } from "../common/checks.ts";
import { validateLabelSelector } from "../common/selectors.ts";
import type { PersistentVolumeClaimSpec, TypedObjectReference } from "../types/core-v1.ts";
import { compareAmounts, isWhole } from "./resource-names.ts";

const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/** How volumes can be presented. */
export const volumeModes = ["Block", "Filesystem"];

/** Checks access modes: known ones, and the exclusive one alone. */
export function validateAccessModes(modes: readonly string[], path: FieldPath): FieldError[] {
  const errors = modes
    .filter((mode) => !accessModes.includes(mode))
    .map((mode) => fieldErrors.notSupported(path, mode, accessModes));
  const others = modes.some((mode) => mode !== "ReadWriteOncePod" && accessModes.includes(mode));
  if (modes.includes("ReadWriteOncePod") && others) {
    errors.push(fieldErrors.forbidden(path, "may not use ReadWriteOncePod with other access modes"));
  }
  return errors;
}

/** Checks the spec of a claim; groups of data sources that an old spec has already are not looked at again. */
export function validateClaimSpec(
  spec: PersistentVolumeClaimSpec,
  path: FieldPath,
  options: { readonly anyGroup: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  const modes = spec.accessModes ?? [];
  const modesPath = path.child("accessModes");
  if (modes.length === 0) errors.push(fieldErrors.required(modesPath, "at least 1 access mode is required"));
  errors.push(...validateLabelSelector(spec.selector, path.child("selector")));
  errors.push(...validateAccessModes(modes, modesPath));
  const storage = spec.resources?.requests?.["storage"];
  const at = path.child("resources").key("storage");
  if (storage === undefined) errors.push(fieldErrors.required(at));
  else if (compareAmounts(storage, "0") <= 0) {
    errors.push(fieldErrors.invalid(at, storage, "must be greater than zero"));
  }
  errors.push(
    ...className(spec.storageClassName, path.child("storageClassName")),
    ...optionalOneOf(path.child("volumeMode"), spec.volumeMode, volumeModes),
    ...validateSources(spec, path, options),
    ...className(spec.volumeAttributesClassName, path.child("volumeAttributesClassName")),
  );
  return errors;
}

/** Warnings of amounts that are no whole bytes. */
export function claimSpecWarnings(spec: PersistentVolumeClaimSpec, path: FieldPath): string[] {
  return (["requests", "limits"] as const).flatMap((side) => {
    const quantity = spec.resources?.[side]?.["storage"];
    if (quantity === undefined || isWhole(quantity)) return [];
    const at = path.child("resources", side).key("storage").text;
    return [`${at}: fractional byte value "${quantity}" is invalid, must be an integer`];
  });
}

/** A class's name that is given and cannot be one. */
export function className(name: string | undefined, path: FieldPath): FieldError[] {
  return name ? invalidFor(path, name, isDNS1123Subdomain(name)) : [];
}

function validateSources(
  spec: PersistentVolumeClaimSpec,
  path: FieldPath,
  options: { readonly anyGroup: boolean },
): FieldError[] {
  const { dataSource, dataSourceRef } = spec;
  const errors: FieldError[] = [];
  if (dataSource) errors.push(...validateSource(dataSource, path.child("dataSource"), options));
  if (dataSourceRef) {
    const at = path.child("dataSourceRef");
    errors.push(...validateSource(dataSourceRef, at, options));
    if (dataSourceRef.namespace) {
      errors.push(
        ...invalidFor(
          at.child("namespace"),
          dataSourceRef.namespace,
          isDNS1123Label(dataSourceRef.namespace),
        ),
      );
    }
  }
  if (!dataSource || !dataSourceRef) return errors;
  const named = path.child("dataSource").text;
  if (dataSourceRef.namespace) {
    errors.push(
      fieldErrors.invalid(path, named, "may not be specified when dataSourceRef.namespace is specified"),
    );
  } else if (
    dataSource.apiGroup !== dataSourceRef.apiGroup ||
    dataSource.kind !== dataSourceRef.kind ||
    dataSource.name !== dataSourceRef.name
  ) {
    errors.push(fieldErrors.invalid(path, named, "must match dataSourceRef"));
  }
  return errors;
}

function validateSource(
  source: TypedObjectReference,
  path: FieldPath,
  options: { readonly anyGroup: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  const group = source.apiGroup ?? "";
  if (!source.name) errors.push(fieldErrors.required(path.child("name")));
  if (!source.kind) errors.push(fieldErrors.required(path.child("kind")));
  if (group === "" && source.kind !== "PersistentVolumeClaim") {
    const why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(fieldErrors.invalid(path, source.kind ?? "", why));
  }
  if (group !== "" && !options.anyGroup) {
    errors.push(...invalidFor(path.child("apiGroup"), group, isDNS1123Subdomain(group)));
  }
  return errors;
}
