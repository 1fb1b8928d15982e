import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import { nanosOf } from "../../common/amounts.ts";
import { inRange, invalidFor, optionalOneOf } from "../../common/checks.ts";
import { isDNS1123Label } from "../../../apimachinery/index.ts";
import type { DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection } from "../../types/core-v1.ts";
import { validateLocalPath } from "./validate-container.ts";
import { validateFieldRef, validateResourceFieldRef } from "./validate-environment.ts";

const largestMode = 0o777;
const modeProblem = "must be a number between 0 and 0777 (octal), both inclusive";
const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
const shortestTokenSeconds = 600;
const longestTokenSeconds = 2 ** 32;

/** Checks a pod's volumes. */
export function validateVolumes(volumes: readonly Volume[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const at = path.index(index);
    errors.push(...validateVolume(volume, at));
    if (!volume.name) errors.push(fieldErrors.required(at.child("name")));
    else {
      const problems = invalidFor(at.child("name"), volume.name, isDNS1123Label(volume.name));
      errors.push(...problems);
      if (problems.length === 0 && names.has(volume.name)) {
        errors.push(fieldErrors.duplicate(at.child("name"), volume.name));
      }
    }
    names.add(volume.name);
  }
  return errors;
}

function validateVolume(volume: Volume, path: FieldPath): FieldError[] {
  const kinds = (Object.keys(volume) as (keyof Volume)[]).filter(
    (key) => key !== "name" && volume[key] !== undefined,
  );
  const first = kinds[0];
  if (first === undefined) return [fieldErrors.required(path, "must specify a volume type")];
  return [
    ...validateSource(volume, path.child(first)),
    ...kinds
      .slice(1)
      .map((kind) => fieldErrors.forbidden(path.child(kind), "may not specify more than 1 volume type")),
  ];
}

/** Checks the first source of a volume, which `path` names. */
function validateSource(volume: Volume, path: FieldPath): FieldError[] {
  const { emptyDir, hostPath, secret, configMap, downwardAPI, projected, persistentVolumeClaim, nfs, csi } =
    volume;
  if (emptyDir) {
    const size = emptyDir.sizeLimit === undefined ? 0n : (nanosOf(emptyDir.sizeLimit) ?? 0n);
    return size < 0n
      ? [fieldErrors.forbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity")]
      : [];
  }
  if (hostPath) {
    if (!hostPath.path) return [fieldErrors.required(path.child("path"))];
    return [
      ...(hostPath.path.split("/").includes("..")
        ? [fieldErrors.invalid(path.child("path"), hostPath.path, "must not contain '..'")]
        : []),
      ...optionalOneOf(path.child("type"), hostPath.type, hostPathTypes),
    ];
  }
  if (secret) {
    return [
      ...(secret.secretName ? [] : [fieldErrors.required(path.child("secretName"))]),
      ...validateMode(path.child("defaultMode"), secret.defaultMode),
      ...validateKeys(secret.items, path.child("items")),
    ];
  }
  if (configMap) {
    return [
      ...(configMap.name ? [] : [fieldErrors.required(path.child("name"))]),
      ...validateMode(path.child("defaultMode"), configMap.defaultMode),
      ...validateKeys(configMap.items, path.child("items")),
    ];
  }
  if (downwardAPI) {
    return [
      ...validateMode(path.child("defaultMode"), downwardAPI.defaultMode),
      ...validateFiles(downwardAPI.items, path),
    ];
  }
  if (projected) {
    return [
      ...validateMode(path.child("defaultMode"), projected.defaultMode),
      ...(projected.sources ?? []).flatMap((source, index) =>
        validateProjection(source, path.child("sources").index(index)),
      ),
    ];
  }
  if (persistentVolumeClaim) {
    return persistentVolumeClaim.claimName ? [] : [fieldErrors.required(path.child("claimName"))];
  }
  if (nfs) {
    return [
      ...(nfs.server ? [] : [fieldErrors.required(path.child("server"))]),
      ...(nfs.path ? [] : [fieldErrors.required(path.child("path"))]),
      ...(nfs.path && !nfs.path.startsWith("/")
        ? [fieldErrors.invalid(path.child("path"), nfs.path, "must be an absolute path")]
        : []),
    ];
  }
  if (csi) return csi.driver ? [] : [fieldErrors.required(path.child("driver"))];
  return [];
}

function validateProjection(projection: VolumeProjection, path: FieldPath): FieldError[] {
  const kinds = Object.entries(projection).filter(([, source]) => source !== undefined);
  const errors: FieldError[] = kinds
    .slice(1)
    .map(([kind]) => fieldErrors.forbidden(path.child(kind), "may not specify more than 1 volume type"));
  if (kinds.length === 0) errors.push(fieldErrors.required(path, "must specify a volume type"));
  for (const field of ["secret", "configMap"] as const) {
    const source = projection[field];
    if (!source) continue;
    if (!source.name) errors.push(fieldErrors.required(path.child(field, "name")));
    errors.push(...validateKeys(source.items, path.child(field, "items")));
  }
  if (projection.downwardAPI) {
    errors.push(...validateFiles(projection.downwardAPI.items, path.child("downwardAPI")));
  }
  const token = projection.serviceAccountToken;
  if (token) {
    const at = path.child("serviceAccountToken");
    const seconds = token.expirationSeconds ?? 0;
    if (seconds < shortestTokenSeconds) {
      errors.push(
        fieldErrors.invalid(
          at.child("expirationSeconds"),
          seconds,
          "may not specify a duration less than 10 minutes",
        ),
      );
    }
    if (seconds > longestTokenSeconds) {
      errors.push(
        fieldErrors.invalid(
          at.child("expirationSeconds"),
          seconds,
          "may not specify a duration larger than 2^32 seconds",
        ),
      );
    }
    if (!token.path) errors.push(fieldErrors.required(at.child("path")));
    else errors.push(...validateLocalPath(token.path, at.child("path")));
  }
  return errors;
}

function validateKeys(items: readonly KeyToPath[] | undefined, path: FieldPath): FieldError[] {
  return (items ?? []).flatMap((item, index) => {
    const at = path.index(index);
    return [
      ...(item.key ? [] : [fieldErrors.required(at.child("key"))]),
      ...(item.path
        ? validateLocalPath(item.path, at.child("path"))
        : [fieldErrors.required(at.child("path"))]),
      ...validateMode(at.child("mode"), item.mode),
    ];
  });
}

function validateFiles(files: readonly DownwardAPIVolumeFile[] | undefined, path: FieldPath): FieldError[] {
  return (files ?? []).flatMap((file) => {
    const errors: FieldError[] = [];
    if (!file.path) errors.push(fieldErrors.required(path.child("path")));
    else errors.push(...validateLocalPath(file.path, path.child("path")));
    if (file.fieldRef) {
      errors.push(...validateFieldRef(file.fieldRef, path.child("fieldRef"), { from: "volume" }));
      if (file.resourceFieldRef) {
        const why = "fieldRef and resourceFieldRef can not be specified simultaneously";
        errors.push(fieldErrors.invalid(path, "resource", why));
      }
    } else if (file.resourceFieldRef) {
      errors.push(
        ...validateResourceFieldRef(file.resourceFieldRef, path.child("resourceFieldRef"), {
          from: "volume",
        }),
      );
    } else {
      errors.push(fieldErrors.required(path, "one of fieldRef and resourceFieldRef is required"));
    }
    return [...errors, ...validateMode(path.child("mode"), file.mode)];
  });
}

function validateMode(path: FieldPath, mode: number | undefined): FieldError[] {
  return inRange(path, mode, { from: 0, to: largestMode }).map(() =>
    fieldErrors.invalid(path, mode, modeProblem),
  );
}
