import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import { inRange, invalidFor, oneOf } from "../../common/checks.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isValidIP,
  isQualifiedName,
} from "../../../apimachinery/index.ts";
import { validateLabels } from "../../common/selectors.ts";
import type { Container, EphemeralContainer, PodSpec, PodTemplateSpec } from "../../types/core-v1.ts";
import type { ContainerSurroundings } from "./validate-container.ts";
import { validateContainer } from "./validate-container.ts";
import { validateAffinity, validateTolerations, validateTopologySpread } from "./validate-scheduling.ts";
import { validateVolumes } from "./validate-volumes.ts";

const restartPolicies = ["Always", "Never", "OnFailure"];
const dnsPolicies = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
const containerTypes = {
  containers: "regular",
  initContainers: "init",
  ephemeralContainers: "ephemeral",
} as const;
const largestInt32 = 2147483647;
const maximumNameservers = 3;
const maximumSearches = 32;

/** Checks the spec of a pod or a template. */
export function validatePodSpec(spec: PodSpec, path: FieldPath): FieldError[] {
  const volumes = spec.volumes ?? [];
  const volumeNames = new Set(volumes.map((volume) => volume.name));
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    for (const device of container.volumeDevices ?? []) volumeNames.add(device.name);
  }
  const surroundings = { volumeNames, hostNetwork: spec.hostNetwork === true };
  return [
    ...validateVolumes(volumes, path.child("volumes")),
    ...validateContainers(spec, path, surroundings),
    ...oneOf(path.child("restartPolicy"), spec.restartPolicy, restartPolicies),
    ...oneOf(path.child("dnsPolicy"), spec.dnsPolicy, dnsPolicies),
    ...validateLabels(spec.nodeSelector, path.child("nodeSelector")),
    ...validateSecurity(spec, path.child("securityContext")),
    ...(spec.imagePullSecrets ?? []).flatMap((secret, index) =>
      secret.name ? [] : [fieldErrors.required(path.child("imagePullSecrets").index(index).child("name"))],
    ),
    ...validateAffinity(spec.affinity, path.child("affinity")),
    ...validateDnsConfig(spec, path.child("dnsConfig")),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      invalidFor(
        path.child("readinessGates").index(index).child("conditionType"),
        conditionType,
        isQualifiedName(conditionType),
      ),
    ),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? [], path.child("topologySpreadConstraints")),
    ...validateNames(spec, path),
    ...inRange(path.child("activeDeadlineSeconds"), spec.activeDeadlineSeconds, {
      from: 1,
      to: largestInt32,
    }),
    ...validateTolerations(spec.tolerations ?? [], path.child("tolerations")),
    ...validateHostAliases(spec, path.child("hostAliases")),
  ];
}

/** Checks a pod template. */
export function validatePodTemplate(template: PodTemplateSpec, path: FieldPath): FieldError[] {
  const annotations = template.metadata?.annotations ?? {};
  return [
    ...validateLabels(template.metadata?.labels, path.child("labels")),
    ...Object.keys(annotations).flatMap((key) =>
      invalidFor(path.child("annotations"), key, isQualifiedName(key.toLowerCase())),
    ),
    ...validatePodSpec(template.spec ?? { containers: [] }, path.child("spec")),
    ...((template.spec?.ephemeralContainers ?? []).length > 0
      ? [
          fieldErrors.forbidden(
            path.child("spec", "ephemeralContainers"),
            "ephemeral containers not allowed in pod template",
          ),
        ]
      : []),
  ];
}

function validateContainers(
  spec: PodSpec,
  path: FieldPath,
  surroundings: Omit<ContainerSurroundings, "type">,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const containers = spec.containers ?? [];
  if (containers.length === 0) errors.push(fieldErrors.required(path.child("containers")));
  const check = (
    list: readonly (Container | EphemeralContainer)[],
    field: "containers" | "initContainers" | "ephemeralContainers",
  ) => {
    for (const [index, container] of list.entries()) {
      const at = path.child(field).index(index);
      const type = containerTypes[field];
      errors.push(...validateContainer(container, at, { ...surroundings, type }));
      if (!container.image) errors.push(fieldErrors.required(at.child("image")));
      if (container.name && names.has(container.name)) {
        errors.push(fieldErrors.duplicate(at.child("name"), container.name));
      }
      names.add(container.name);
      if (type === "init" && container.restartPolicy === undefined && container.lifecycle !== undefined) {
        errors.push(
          fieldErrors.forbidden(
            at.child("lifecycle"),
            "may not be set for init containers without restartPolicy=Always",
          ),
        );
      }
    }
  };
  check(containers, "containers");
  check(spec.initContainers ?? [], "initContainers");
  check(spec.ephemeralContainers ?? [], "ephemeralContainers");
  return errors;
}

function validateSecurity(spec: PodSpec, path: FieldPath): FieldError[] {
  const context = spec.securityContext;
  if (context === undefined) return [];
  const ids = { from: 0, to: largestInt32 };
  const errors: FieldError[] = [];
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    errors.push(
      fieldErrors.invalid(
        path.child("shareProcessNamespace"),
        true,
        "ShareProcessNamespace and HostPID cannot both be enabled",
      ),
    );
  }
  errors.push(
    ...inRange(path.child("runAsUser"), context.runAsUser, ids),
    ...inRange(path.child("runAsGroup"), context.runAsGroup, ids),
    ...inRange(path.child("fsGroup"), context.fsGroup, ids),
    ...(context.supplementalGroups ?? []).flatMap((group, index) =>
      inRange(path.child("supplementalGroups").index(index), group, ids),
    ),
  );
  const names = new Set<string>();
  for (const [index, sysctl] of (context.sysctls ?? []).entries()) {
    const at = path.child("sysctls").index(index).child("name");
    if (!sysctl.name) errors.push(fieldErrors.required(at));
    else if (!/^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/.test(sysctl.name)) {
      const why = `must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`;
      errors.push(fieldErrors.invalid(at, sysctl.name, why));
    } else if (names.has(sysctl.name)) errors.push(fieldErrors.duplicate(at, sysctl.name));
    names.add(sysctl.name);
  }
  return errors;
}

function validateNames(spec: PodSpec, path: FieldPath): FieldError[] {
  const subdomain = (field: "serviceAccountName" | "nodeName" | "priorityClassName" | "runtimeClassName") => {
    const value = spec[field];
    return value ? invalidFor(path.child(field), value, isDNS1123Subdomain(value)) : [];
  };
  const label = (field: "hostname" | "subdomain") => {
    const value = spec[field];
    return value ? invalidFor(path.child(field), value, isDNS1123Label(value)) : [];
  };
  return [
    ...subdomain("serviceAccountName"),
    ...subdomain("nodeName"),
    ...label("hostname"),
    ...label("subdomain"),
    ...subdomain("priorityClassName"),
    ...subdomain("runtimeClassName"),
  ];
}

function validateHostAliases(spec: PodSpec, path: FieldPath): FieldError[] {
  return (spec.hostAliases ?? []).flatMap((alias, index) => {
    const at = path.index(index);
    const errors: FieldError[] = [];
    if (isValidIP(alias.ip).length > 0) {
      const why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
      errors.push(fieldErrors.invalid(at.child("ip"), alias.ip, why));
    }
    for (const [position, name] of (alias.hostnames ?? []).entries()) {
      errors.push(...invalidFor(at.child("hostnames").index(position), name, isDNS1123Subdomain(name)));
    }
    return errors;
  });
}

function validateDnsConfig(spec: PodSpec, path: FieldPath): FieldError[] {
  const config = spec.dnsConfig;
  const nameservers = config?.nameservers ?? [];
  const errors: FieldError[] = [];
  if (spec.dnsPolicy === "None" && (config === undefined || nameservers.length === 0)) {
    const why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
    errors.push(
      config === undefined
        ? fieldErrors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
        : fieldErrors.required(path.child("nameservers"), why),
    );
  }
  if (config === undefined) return errors;
  if (nameservers.length > maximumNameservers) {
    const why = `must not have more than ${maximumNameservers} nameservers`;
    errors.push(fieldErrors.invalid(path.child("nameservers"), nameservers, why));
  }
  for (const [index, server] of nameservers.entries()) {
    if (isValidIP(server).length === 0) continue;
    const why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    errors.push(fieldErrors.invalid(path.child("nameservers").index(index), server, why));
  }
  if ((config.searches ?? []).length > maximumSearches) {
    const why = `must not have more than ${maximumSearches} search paths`;
    errors.push(fieldErrors.invalid(path.child("searches"), config.searches, why));
  }
  for (const [index, option] of (config.options ?? []).entries()) {
    if (!option.name) {
      errors.push(fieldErrors.required(path.child("options").index(index), "must not be empty"));
    }
  }
  return errors;
}
