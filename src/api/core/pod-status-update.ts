import type { FieldError } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  ipFamilyOf,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidIP,
} from "../../apimachinery/index.ts";
import { immutable, inRange, invalidFor } from "../common/checks.ts";
import { internalForm } from "../common/internal-form.ts";
import type {
  Container,
  ContainerStatus,
  LinuxContainerUser,
  Pod,
  PodSpec,
  PodStatus,
} from "../types/core-v1.ts";

const systemConditions = new Set(["Initialized", "PodScheduled", "Ready"]);
const healths = ["Healthy", "Unhealthy", "Unknown"];
const identifiers = { from: 0, to: 2147483647 };
const path = FieldPath.root("status");
const lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const;

/** Checks an update of a pod's status: what only goes forward does, and what it says fits the pod. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): readonly FieldError[] {
  const [status, before] = [pod.status ?? {}, old.status ?? {}];
  const errors = validateConditions(status);
  const node = status.nominatedNodeName ?? "";
  if (node !== "" && node !== before.nominatedNodeName) {
    const at = path.child("nominatedNodeName");
    errors.push(...invalidFor(at, node, isDNS1123Subdomain(node)));
    if (old.spec.nodeName) {
      const why = "may not be set on pods that are already bound to a node";
      errors.push(fieldErrors.forbidden(at, why));
    }
  }
  errors.push(...validateGeneration(status.observedGeneration, path.child("observedGeneration")));
  if (status.qosClass !== before.qosClass) {
    errors.push(...immutable(path.child("qosClass"), status.qosClass ?? "", before.qosClass ?? ""));
  }
  errors.push(
    ...validateTransitions(status, before, old.spec),
    ...validateClaims(status, pod.spec),
    ...validateAddresses(status.podIPs, before.podIPs, path.child("podIPs")),
  );
  const host = status.hostIPs?.[0];
  if (host !== undefined && host.ip !== (status.hostIP ?? "")) {
    const at = path.child("hostIPs").index(0).child("ip");
    errors.push(fieldErrors.invalid(at, host.ip ?? "", "must be equal to `hostIP`"));
  }
  return [
    ...errors,
    ...validateAddresses(status.hostIPs, before.hostIPs, path.child("hostIPs")),
    ...lists.flatMap((list) => validateUsers(status[list] ?? [], path.child(list), pod.spec)),
    ...validateAllocated(
      status.containerStatuses ?? [],
      path.child("containerStatuses"),
      pod.spec.containers ?? [],
    ),
    ...validateAllocated(
      status.initContainerStatuses ?? [],
      path.child("initContainerStatuses"),
      pod.spec.initContainers ?? [],
    ),
    ...validateNoneAllocated(status),
  ];
}

function validateConditions(status: PodStatus): FieldError[] {
  return (status.conditions ?? []).flatMap((condition, index) => {
    const { observedGeneration } = condition;
    const type = condition.type ?? "";
    const at = path.child("conditions").index(index);
    const errors = validateGeneration(observedGeneration, at.child("observedGeneration"));
    return systemConditions.has(type)
      ? errors
      : [...errors, ...invalidFor(at.child("Type"), type, isQualifiedName(type))];
  });
}

function validateGeneration(generation: number | undefined, at: FieldPath): FieldError[] {
  return (generation ?? 0) < 0 ? [fieldErrors.invalid(at, generation, "must be a non-negative integer")] : [];
}

/** Containers that have ended and may not start again stay ended. */
function validateTransitions(status: PodStatus, old: PodStatus, spec: PodSpec): FieldError[] {
  if (canRestartAll(spec)) return [];
  return lists.flatMap((list) =>
    (old[list] ?? []).flatMap((before, index) => {
      const ended = before.state?.terminated;
      if (ended === undefined) return [];
      const after = (status[list] ?? []).find(({ name }) => name === before.name);
      if (after === undefined || after.state?.terminated !== undefined) return [];
      if (
        list !== "ephemeralContainerStatuses" &&
        mayRestart(before.name, ended.exitCode ?? 0, { spec, list })
      ) {
        return [];
      }
      const at = path.child(list).index(index).child("state");
      return [fieldErrors.forbidden(at, "may not be transitioned to non-terminated state")];
    }),
  );
}

const canRestartAll = (spec: PodSpec) =>
  [...(spec.initContainers ?? []), ...(spec.containers ?? [])].some((container) =>
    container.restartPolicyRules?.some(({ action }) => action === "RestartAllContainers"),
  );

/** Whether a container that ended with this code starts again. */
function mayRestart(
  name: string,
  exitCode: number,
  { spec, list }: { readonly spec: PodSpec; readonly list: (typeof lists)[number] },
): boolean {
  const init = list === "initContainerStatuses";
  const container = (init ? spec.initContainers : spec.containers)?.find((each) => each.name === name);
  if (container === undefined) return false;
  for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
    const listed = (exitCodes?.values ?? []).includes(exitCode);
    if (action === "Restart" && (exitCodes?.operator === "In") === listed) return true;
  }
  const policy = container.restartPolicy ?? spec.restartPolicy;
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

function validateClaims(status: PodStatus, spec: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, { name, resourceClaimName }] of (status.resourceClaimStatuses ?? []).entries()) {
    const at = path.child("resourceClaimStatuses").index(index);
    if (!(spec.resourceClaims ?? []).some((claim) => claim.name === name)) {
      const why = "must match the name of an entry in `spec.resourceClaims`";
      errors.push(fieldErrors.invalid(at.child("name"), name, why));
    }
    if (names.has(name)) errors.push(fieldErrors.duplicate(at.child("name"), name));
    names.add(name);
    if (resourceClaimName === undefined) continue;
    const problems = isDNS1123Subdomain(resourceClaimName);
    errors.push(...invalidFor(at.child("resourceClaimName"), resourceClaimName, problems));
  }
  return errors;
}

type Addresses = readonly { readonly ip?: string }[] | undefined;

/** Addresses that are there already are not looked at again. */
function validateAddresses(addresses: Addresses, old: Addresses, at: FieldPath): FieldError[] {
  if (addresses === undefined) return [];
  const known = new Set((old ?? []).map(({ ip }) => ip));
  const errors = addresses.flatMap(({ ip = "" }, index) =>
    known.has(ip) ? [] : invalidFor(at.index(index), ip, isValidIP(ip)),
  );
  const families = new Set(addresses.map(({ ip = "" }) => ipFamilyOf(ip)));
  if (addresses.length > 1 && (families.size < 2 || addresses.length > 2)) {
    const shown = addresses.map((address) => internalForm(address, [["ip", ""]]));
    const why = "may specify no more than one IP for each IP family";
    errors.push(fieldErrors.invalid(at, shown, why));
  }
  return errors;
}

function validateUsers(statuses: readonly ContainerStatus[], at: FieldPath, spec: PodSpec): FieldError[] {
  return statuses.flatMap(({ user }, index) => {
    const linux = user?.linux;
    if (linux === undefined) return [];
    const place = at.index(index).child("user", "linux");
    return spec.os?.name === "windows"
      ? [fieldErrors.forbidden(place, "cannot be set for a windows pod")]
      : validateLinuxUser(linux, place);
  });
}

function validateLinuxUser(user: LinuxContainerUser, at: FieldPath): FieldError[] {
  return [
    ...inRange(at.child("uid"), user.uid, identifiers),
    ...inRange(at.child("gid"), user.gid, identifiers),
    ...(user.supplementalGroups ?? []).flatMap((group, index) =>
      inRange(at.child("supplementalGroups").index(index), group, identifiers),
    ),
  ];
}

function validateAllocated(
  statuses: readonly ContainerStatus[],
  at: FieldPath,
  containers: readonly Container[],
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, status] of statuses.entries()) {
    const container = containers.find(({ name }) => name === status.name);
    for (const [position, allocated] of (status.allocatedResourcesStatus ?? []).entries()) {
      const place = at.index(index).child("allocatedResourcesStatus").index(position);
      if (container) errors.push(...validateAllocatedName(allocated.name, place.child("name"), container));
      const seen = new Set<string>();
      for (const [each, { resourceID, health = "" }] of (allocated.resources ?? []).entries()) {
        const inner = place.child("resources").index(each);
        if (!healths.includes(health)) {
          errors.push(fieldErrors.notSupported(inner.child("health"), health, healths));
        }
        if (seen.has(resourceID)) errors.push(fieldErrors.duplicate(inner.child("resourceID"), resourceID));
        seen.add(resourceID);
      }
    }
  }
  return errors;
}

function validateAllocatedName(name: string, at: FieldPath, { resources }: Container): FieldError[] {
  if (!name.startsWith("claim:")) {
    return resources?.requests?.[name] === undefined
      ? [fieldErrors.invalid(at, name, "must match one of the container's resource requests")]
      : [];
  }
  const known = (resources?.claims ?? []).some(
    (claim) => name === `claim:${claim.name}${claim.request ? `/${claim.request}` : ""}`,
  );
  const why =
    "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
  return known ? [] : [fieldErrors.invalid(at, name, why)];
}

function validateNoneAllocated(status: PodStatus): FieldError[] {
  return (status.ephemeralContainerStatuses ?? []).flatMap(({ allocatedResourcesStatus }, index) => {
    const at = path.child("ephemeralContainerStatuses").index(index).child("allocatedResourcesStatus");
    return allocatedResourcesStatus?.length
      ? [fieldErrors.forbidden(at, "must not be specified in container status")]
      : [];
  });
}
