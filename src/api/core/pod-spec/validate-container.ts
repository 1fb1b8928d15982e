import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import { inRange, invalidFor, oneOf } from "../../common/checks.ts";
import { isDNS1123Label, isValidPortName, isValidPortNum } from "../../../apimachinery/index.ts";
import type {
  Container,
  ContainerPort,
  EphemeralContainer,
  SecurityContext,
  VolumeMount,
} from "../../types/core-v1.ts";
import { validateEnvironment } from "./validate-environment.ts";
import { validateHandler, validateProbes } from "./validate-probe.ts";
import { validateResources } from "./resources.ts";

const pullPolicies = ["Always", "IfNotPresent", "Never"];
const messagePolicies = ["FallbackToLogsOnError", "File"];
const protocols = ["SCTP", "TCP", "UDP"];
const largestId = 2147483647;

/** What a container's rules know of its pod. */
export interface ContainerSurroundings {
  readonly volumeNames: ReadonlySet<string>;
  readonly hostNetwork: boolean;
  readonly type: "regular" | "init" | "ephemeral";
}

/** Checks one container. */
export function validateContainer(
  container: Container | EphemeralContainer,
  path: FieldPath,
  surroundings: ContainerSurroundings,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!container.name) errors.push(fieldErrors.required(path.child("name")));
  else errors.push(...invalidFor(path.child("name"), container.name, isDNS1123Label(container.name)));
  const image = container.image ?? "";
  if (image.trim() !== image) {
    errors.push(
      fieldErrors.invalid(path.child("image"), image, "must not have leading or trailing whitespace"),
    );
  }
  if (container.lifecycle?.postStart) {
    errors.push(...validateHandler(container.lifecycle.postStart, path.child("lifecycle", "postStart")));
  }
  if (container.lifecycle?.preStop) {
    errors.push(...validateHandler(container.lifecycle.preStop, path.child("lifecycle", "preStop")));
  }
  errors.push(
    ...validateProbes(container, path, surroundings.type),
    ...oneOf(path.child("terminationMessagePolicy"), container.terminationMessagePolicy, messagePolicies),
    ...validatePorts(container.ports ?? [], path.child("ports"), surroundings),
    ...validateEnvironment(container, path),
    ...validateMounts(container.volumeMounts ?? [], path.child("volumeMounts"), surroundings.volumeNames),
    ...oneOf(path.child("imagePullPolicy"), container.imagePullPolicy, pullPolicies),
    ...validateResources(container.resources, path.child("resources")),
    ...validateSecurityContext(container.securityContext, path.child("securityContext")),
  );
  if (surroundings.type === "ephemeral") {
    for (const field of ["ports", "lifecycle"] as const) {
      if (container[field] === undefined) continue;
      errors.push(fieldErrors.forbidden(path.child(field), "cannot be set for an Ephemeral Container"));
    }
  }
  return errors;
}

function validatePorts(
  ports: readonly ContainerPort[],
  path: FieldPath,
  surroundings: ContainerSurroundings,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = path.index(index);
    if (port.name) {
      const problems = invalidFor(at.child("name"), port.name, isValidPortName(port.name));
      if (problems.length > 0) errors.push(...problems);
      else if (names.has(port.name)) errors.push(fieldErrors.duplicate(at.child("name"), port.name));
      else names.add(port.name);
    }
    if (!port.containerPort) errors.push(fieldErrors.required(at.child("containerPort")));
    else {
      errors.push(
        ...invalidFor(at.child("containerPort"), port.containerPort, isValidPortNum(port.containerPort)),
      );
    }
    if (port.hostPort) {
      errors.push(...invalidFor(at.child("hostPort"), port.hostPort, isValidPortNum(port.hostPort)));
    }
    errors.push(...oneOf(at.child("protocol"), port.protocol, protocols));
    // Templates may leave the port open: pods get it by default.
    if (surroundings.hostNetwork && port.hostPort && port.hostPort !== port.containerPort) {
      const why = "must match `hostPort` when `hostNetwork` is true";
      errors.push(fieldErrors.invalid(at.child("containerPort"), port.containerPort, why));
    }
  }
  return errors;
}

function validateMounts(
  mounts: readonly VolumeMount[],
  path: FieldPath,
  volumeNames: ReadonlySet<string>,
): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const at = path.index(index);
    if (!mount.name) errors.push(fieldErrors.required(at.child("name")));
    else if (!volumeNames.has(mount.name)) errors.push(fieldErrors.notFound(at.child("name"), mount.name));
    if (!mount.mountPath) errors.push(fieldErrors.required(at.child("mountPath")));
    else if (paths.has(mount.mountPath)) {
      errors.push(fieldErrors.invalid(at.child("mountPath"), mount.mountPath, "must be unique"));
    }
    paths.add(mount.mountPath);
    if (mount.subPath) errors.push(...validateLocalPath(mount.subPath, at.child("subPath")));
    if (mount.subPathExpr) {
      if (mount.subPath) {
        errors.push(
          fieldErrors.invalid(
            at.child("subPathExpr"),
            mount.subPathExpr,
            "subPathExpr and subPath are mutually exclusive",
          ),
        );
      }
      errors.push(...validateLocalPath(mount.subPathExpr, at.child("subPathExpr")));
    }
    if (mount.mountPropagation !== undefined) {
      errors.push(
        ...oneOf(at.child("mountPropagation"), mount.mountPropagation, [
          "Bidirectional",
          "HostToContainer",
          "None",
        ]),
      );
    }
  }
  return errors;
}

/** Checks a path that must stay beneath where it starts. */
export function validateLocalPath(value: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (value.startsWith("/")) errors.push(fieldErrors.invalid(path, value, "must be a relative path"));
  if (value.split("/").includes("..")) errors.push(fieldErrors.invalid(path, value, "must not contain '..'"));
  return errors;
}

function validateSecurityContext(context: SecurityContext | undefined, path: FieldPath): FieldError[] {
  if (context === undefined) return [];
  const ids = { from: 0, to: largestId };
  const errors = [
    ...inRange(path.child("runAsUser"), context.runAsUser, ids),
    ...inRange(path.child("runAsGroup"), context.runAsGroup, ids),
  ];
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) {
      errors.push(
        fieldErrors.invalid(
          path,
          context,
          "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
        ),
      );
    }
    if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
      errors.push(
        fieldErrors.invalid(
          path,
          context,
          "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN",
        ),
      );
    }
  }
  return errors;
}
