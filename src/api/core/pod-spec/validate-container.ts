import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors, isDNS1123Label, isValidPortName, isValidPortNum } from "../../../apimachinery/index.ts";
import { invalidFor, oneOf } from "../../common/checks.ts";
import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  EphemeralContainer,
  PodSpec,
  Volume,
} from "../../types/core-v1.ts";
import { validateResources } from "./resources.ts";
import { validateEnvironment } from "./validate-environment.ts";
import { validateDevices, validateMounts } from "./validate-mounts.ts";
import type { HandlerRules } from "./validate-probe.ts";
import { validateHandlers } from "./validate-probe.ts";
import { validateContainerSecurity } from "./validate-security.ts";
import { pullPolicies } from "./validate-volumes.ts";

const messagePolicies = ["File", "FallbackToLogsOnError"];
const protocols = ["SCTP", "TCP", "UDP"];
const restartPolicies = ["Always", "Never", "OnFailure"];
const restartActions = ["Restart", "RestartAllContainers"];
const exitCodeOperators = ["In", "NotIn"];
const mostRestartRules = 20;
const mostExitCodes = 255;

/** What a container's rules know of its pod. */
export interface ContainerSurroundings {
  readonly spec: PodSpec;
  /** The pod's valid volumes. */
  readonly volumes: ReadonlyMap<string, Volume>;
  /** Names of the pod's claims. */
  readonly claims: ReadonlySet<string>;
  readonly handlers: HandlerRules;
  readonly hostUsers: boolean;
}

/** Checks the ordinary containers of a pod. */
export function validateContainers(path: FieldPath, surroundings: ContainerSurroundings): FieldError[] {
  const containers = surroundings.spec.containers ?? [];
  if (containers.length === 0) return [fieldErrors.required(path)];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const at = path.index(index);
    errors.push(...validateContainer(container, at, surroundings));
    if (names.has(container.name)) {
      errors.push(fieldErrors.duplicate(at.child("name"), container.name ?? ""));
    }
    names.add(container.name);
    errors.push(
      ...validateHandlers(container, at, surroundings.handlers),
      ...validateRestarts(container, at),
    );
  }
  return [...errors, ...hostPortConflicts(containers, path)];
}

/** Checks the containers that run before the ordinary ones, or start before them and stay. */
export function validateInitContainers(path: FieldPath, surroundings: ContainerSurroundings): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set((surroundings.spec.containers ?? []).map((container) => container.name));
  for (const [index, container] of (surroundings.spec.initContainers ?? []).entries()) {
    const at = path.index(index);
    errors.push(...validateContainer(container, at, surroundings), ...validateRestarts(container, at));
    if (names.has(container.name)) {
      errors.push(fieldErrors.duplicate(at.child("name"), container.name ?? ""));
    } else if (container.name) names.add(container.name);
    errors.push(...hostPortConflicts([container], path));
    const sidecar = container.restartPolicy === "Always";
    if (sidecar) errors.push(...validateHandlers(container, at, surroundings.handlers));
    else errors.push(...validateOnce(container, at));
  }
  return errors;
}

/** What containers that run once before the others may not have. */
function validateOnce(container: Container, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
    if (container[field] === undefined) continue;
    const why = "may not be set for init containers without restartPolicy=Always";
    errors.push(fieldErrors.forbidden(path.child(field), why));
  }
  for (const [index, policy] of (container.resizePolicy ?? []).entries()) {
    if (policy.restartPolicy !== "RestartContainer") continue;
    const at = path.child("resizePolicy").index(index).child("restartPolicy");
    const why = "must not be set to 'RestartContainer' for non-sidecar initContainers";
    errors.push(fieldErrors.invalid(at, policy.restartPolicy, why));
  }
  return errors;
}

const forbiddenForEphemeral = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
] as const;

/** Checks the containers that are added to look into a pod. */
export function validateEphemeralContainers(
  path: FieldPath,
  surroundings: ContainerSurroundings,
): FieldError[] {
  const { spec } = surroundings;
  const errors: FieldError[] = [];
  const ephemeral = spec.ephemeralContainers ?? [];
  if (ephemeral.length === 0) return errors;
  const others = new Set(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name),
  );
  const all = new Set(others);
  for (const [index, container] of ephemeral.entries()) {
    const at = path.index(index);
    errors.push(...validateContainer(container, at, surroundings), ...validateImage(container, at));
    if (all.has(container.name)) errors.push(fieldErrors.duplicate(at.child("name"), container.name));
    all.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.has(target)) {
      errors.push(fieldErrors.notFound(at.child("targetContainerName"), target));
    }
    const why = "cannot be set for an Ephemeral Container";
    for (const field of forbiddenForEphemeral) {
      const value = container[field];
      if (value === undefined || (field === "resources" && Object.keys(value).length === 0)) continue;
      errors.push(fieldErrors.forbidden(at.child(field), why));
    }
    for (const [position, mount] of (container.volumeMounts ?? []).entries()) {
      for (const field of ["subPath", "subPathExpr"] as const) {
        if (!mount[field]) continue;
        errors.push(fieldErrors.forbidden(at.child("volumeMounts").index(position).child(field), why));
      }
    }
  }
  return errors;
}

/** Checks an image's name more strictly than templates want it. */
export function validateImage(container: Container | EphemeralContainer, path: FieldPath): FieldError[] {
  const image = container.image ?? "";
  return image.trim() === image
    ? []
    : [fieldErrors.invalid(path.child("image"), image, "must not have leading or trailing whitespace")];
}

/** Checks what all containers have in common. */
function validateContainer(
  container: Container | EphemeralContainer,
  path: FieldPath,
  surroundings: ContainerSurroundings,
): FieldError[] {
  const { name, terminationMessagePolicy, imagePullPolicy } = container;
  const errors = name
    ? invalidFor(path.child("name"), name, isDNS1123Label(name))
    : [fieldErrors.required(path.child("name"))];
  if (!container.image) errors.push(fieldErrors.required(path.child("image")));
  errors.push(
    ...oneOf(path.child("terminationMessagePolicy"), terminationMessagePolicy, messagePolicies),
    ...validatePorts(container.ports ?? [], path.child("ports")),
    ...validateEnvironment(container, path),
    ...validateMounts(container, path.child("volumeMounts"), surroundings.volumes),
    ...validateDevices(container, path.child("volumeDevices"), surroundings.volumes),
    ...oneOf(path.child("imagePullPolicy"), imagePullPolicy, pullPolicies),
    ...validateResources(container.resources, path.child("resources"), surroundings),
  );
  if (container.resizePolicy) {
    const at = path.child("resizePolicy");
    errors.push(...validateResizePolicy(container.resizePolicy, at, surroundings.spec.restartPolicy));
  }
  if (container.securityContext) {
    const at = path.child("securityContext");
    errors.push(...validateContainerSecurity(container.securityContext, at, surroundings));
  }
  return errors;
}

function validatePorts(ports: readonly ContainerPort[], path: FieldPath): FieldError[] {
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
      const problems = isValidPortNum(port.containerPort);
      errors.push(...invalidFor(at.child("containerPort"), port.containerPort, problems));
    }
    if (port.hostPort) {
      errors.push(...invalidFor(at.child("hostPort"), port.hostPort, isValidPortNum(port.hostPort)));
    }
    errors.push(...oneOf(at.child("protocol"), port.protocol, protocols));
  }
  return errors;
}

function hostPortConflicts(containers: readonly Container[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  for (const [index, container] of containers.entries()) {
    for (const [position, port] of (container.ports ?? []).entries()) {
      if (!port.hostPort) continue;
      const key = `${port.protocol}/${port.hostIP ?? ""}/${port.hostPort}`;
      if (taken.has(key)) {
        const at = path.index(index).child("ports").index(position).child("hostPort");
        errors.push(fieldErrors.duplicate(at, key));
      }
      taken.add(key);
    }
  }
  return errors;
}

function validateResizePolicy(
  policies: readonly ContainerResizePolicy[],
  path: FieldPath,
  podRestartPolicy: string | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, { resourceName, restartPolicy }] of policies.entries()) {
    if (seen.has(resourceName)) errors.push(fieldErrors.duplicate(path.index(index), resourceName));
    seen.add(resourceName);
    errors.push(
      ...oneOf(path, resourceName, ["cpu", "memory"]),
      ...oneOf(path, restartPolicy, ["NotRequired", "RestartContainer"]),
    );
    if (podRestartPolicy === "Never" && restartPolicy !== "NotRequired") {
      const why = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      errors.push(fieldErrors.invalid(path, restartPolicy, why));
    }
  }
  return errors;
}

/** Checks when a container starts again by itself, apart from its pod. */
function validateRestarts(container: Container, path: FieldPath): FieldError[] {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  const at = path.child("restartPolicy");
  const errors: FieldError[] = [];
  if (restartPolicy === undefined) {
    if (rules.length === 0) return errors;
    errors.push(fieldErrors.required(at, "must specify restartPolicy when restart rules are used"));
  } else if (!restartPolicies.includes(restartPolicy)) {
    errors.push(fieldErrors.notSupported(at, restartPolicy, restartPolicies));
  }
  if (rules.length > mostRestartRules) {
    errors.push(fieldErrors.tooMany(path.child("restartPolicyRules"), rules.length, mostRestartRules));
  }
  for (const [index, { action = "", exitCodes }] of rules.entries()) {
    const place = path.child("restartPolicyRules").index(index);
    if (!restartActions.includes(action)) {
      errors.push(fieldErrors.notSupported(place.child("action"), action, restartActions));
    }
    const codes = place.child("exitCodes");
    if (exitCodes === undefined) {
      errors.push(fieldErrors.required(codes, "must be specified"));
      continue;
    }
    const { operator = "", values = [] } = exitCodes;
    if (!exitCodeOperators.includes(operator)) {
      errors.push(fieldErrors.notSupported(codes.child("operator"), operator, exitCodeOperators));
    }
    if (values.length > mostExitCodes) {
      errors.push(fieldErrors.tooMany(codes.child("values"), values.length, mostExitCodes));
    }
  }
  return errors;
}
