import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import { optionalOneOf } from "../../common/checks.ts";
import type {
  Container,
  EphemeralContainer,
  Volume,
  VolumeDevice,
  VolumeMount,
} from "../../types/core-v1.ts";
import { validateLocalPath, validateNoBacksteps } from "./paths.ts";

const propagations = ["Bidirectional", "HostToContainer", "None"];
const recursions = ["Disabled", "Enabled", "IfPossible"];

/** Checks where volumes are mounted in a container. */
export function validateMounts(
  container: Container | EphemeralContainer,
  path: FieldPath,
  volumes: ReadonlyMap<string, Volume>,
): FieldError[] {
  const errors: FieldError[] = [];
  const devices = container.volumeDevices ?? [];
  const taken = new Set<string>();
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = path.index(index);
    const name = mount.name ?? "";
    const mountPath = mount.mountPath ?? "";
    if (name === "") errors.push(fieldErrors.required(at.child("name")));
    if (!volumes.has(name)) errors.push(fieldErrors.notFound(at.child("name"), name));
    if (mountPath === "") errors.push(fieldErrors.required(at.child("mountPath")));
    if (taken.has(mountPath)) {
      errors.push(fieldErrors.invalid(at.child("mountPath"), mountPath, "must be unique"));
    }
    taken.add(mountPath);
    if (devices.some((device) => device.name === name)) {
      errors.push(fieldErrors.invalid(at.child("name"), name, "must not already exist in volumeDevices"));
    }
    if (devices.some((device) => device.devicePath === mountPath)) {
      const why = "must not already exist as a path in volumeDevices";
      errors.push(fieldErrors.invalid(at.child("mountPath"), mountPath, why));
    }
    errors.push(...validateSubPaths(mount, at, path), ...validateManner(mount, container, path));
  }
  return errors;
}

/** Upstream names the list, not its entry, where it speaks of what is inside of a mount; so does all below. */
function validateSubPaths(mount: VolumeMount, path: FieldPath, list: FieldPath): FieldError[] {
  const { subPath, subPathExpr } = mount;
  const errors = subPath ? validateLocalPath(subPath, list.child("subPath")) : [];
  if (!subPathExpr) return errors;
  if (subPath) {
    const why = "subPathExpr and subPath are mutually exclusive";
    errors.push(fieldErrors.invalid(path.child("subPathExpr"), subPathExpr, why));
  }
  return [...errors, ...validateLocalPath(subPathExpr, list.child("subPathExpr"))];
}

function validateManner(
  mount: VolumeMount,
  container: Container | EphemeralContainer,
  list: FieldPath,
): FieldError[] {
  const { mountPropagation, recursiveReadOnly } = mount;
  const errors = optionalOneOf(list.child("mountPropagation"), mountPropagation, propagations);
  if (mountPropagation === "Bidirectional" && container.securityContext?.privileged !== true) {
    const why = "Bidirectional mount propagation is available only to privileged containers";
    errors.push(fieldErrors.forbidden(list.child("mountPropagation"), why));
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === "Disabled") return errors;
  const at = list.child("recursiveReadOnly");
  if (!recursions.includes(recursiveReadOnly)) {
    return [...errors, fieldErrors.notSupported(at, recursiveReadOnly, recursions)];
  }
  if (mount.readOnly !== true) {
    errors.push(fieldErrors.forbidden(at, "may only be specified when readOnly is true"));
  }
  if (mountPropagation !== undefined && mountPropagation !== "None") {
    const why = "may only be specified when mountPropagation is None or not specified";
    errors.push(fieldErrors.forbidden(at, why));
  }
  return errors;
}

/** Checks which devices a container gets. */
export function validateDevices(
  container: Container | EphemeralContainer,
  path: FieldPath,
  volumes: ReadonlyMap<string, Volume>,
): FieldError[] {
  const errors: FieldError[] = [];
  const mounts = container.volumeMounts ?? [];
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [index, device] of (container.volumeDevices ?? []).entries()) {
    const at = path.index(index);
    const name = device.name ?? "";
    const devicePath = device.devicePath ?? "";
    if (name === "") errors.push(fieldErrors.required(at.child("name")));
    if (names.has(name)) errors.push(fieldErrors.invalid(at.child("name"), name, "must be unique"));
    errors.push(...validateDevice(device, at, volumes.get(name)));
    if (paths.has(devicePath)) {
      errors.push(fieldErrors.invalid(at.child("devicePath"), devicePath, "must be unique"));
    }
    if (validateNoBacksteps(devicePath, at).length > 0) {
      errors.push(
        fieldErrors.invalid(at.child("devicePath"), devicePath, "can not contain backsteps ('..')"),
      );
    } else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) {
      errors.push(fieldErrors.invalid(at.child("name"), name, "must not already exist in volumeMounts"));
    }
    if (mounts.some((mount) => mount.mountPath === devicePath)) {
      const why = "must not already exist as a path in volumeMounts";
      errors.push(fieldErrors.invalid(at.child("devicePath"), devicePath, why));
    }
    if (name !== "") names.add(name);
  }
  return errors;
}

function validateDevice(device: VolumeDevice, path: FieldPath, volume: Volume | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const at = path.child("name");
  if (volume === undefined) errors.push(fieldErrors.notFound(at, device.name ?? ""));
  else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
    const why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
    errors.push(fieldErrors.invalid(at, device.name, why));
  }
  if (!device.devicePath) errors.push(fieldErrors.required(path.child("devicePath")));
  return errors;
}
