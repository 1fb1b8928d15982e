import type { FieldError, ObjectMeta } from "../../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  validateAnnotations,
} from "../../../apimachinery/index.ts";
import { inRange, invalidFor, oneOf } from "../../common/checks.ts";
import { validateLabels } from "../../common/selectors.ts";
import type { PodResourceClaim, PodSpec, PodTemplateSpec } from "../../types/core-v1.ts";
import { internalForm } from "../../common/internal-form.ts";
import { mirrorAnnotation, validatePodAnnotations, validateProfilesMatch } from "./annotations.ts";
import { validateResources } from "./resources.ts";
import {
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from "./validate-container.ts";
import { validateFileVolumes } from "./validate-environment.ts";
import {
  validateDnsConfig,
  validateHostAliases,
  validateHostUsers,
  validateHostname,
} from "./validate-host.ts";
import { validatePodResources } from "./validate-pod-resources.ts";
import { validateAffinity, validateTolerations } from "./validate-scheduling.ts";
import { validatePodSecurity } from "./validate-security.ts";
import { validateTopologySpread } from "./validate-topology.ts";
import { validateVolumes } from "./validate-volumes.ts";
import { validateHostProcess, validateSystem } from "./validate-windows.ts";

const restartPolicies = ["Always", "OnFailure", "Never"];
const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const largestInt32 = 2147483647;

/** Checks the spec of a pod, whose metadata `pod` has, or of a template. */
export function validatePodSpec(
  spec: PodSpec,
  path: FieldPath,
  options: { readonly pod?: Partial<ObjectMeta> } = {},
): FieldError[] {
  const { pod } = options;
  const gracePeriodSeconds = spec.terminationGracePeriodSeconds;
  const volumes = validateVolumes(spec.volumes ?? [], path.child("volumes"), pod?.name || undefined);
  const surroundings = {
    spec,
    volumes: volumes.valid,
    claims: new Set((spec.resourceClaims ?? []).flatMap(({ name }) => (name ? [name] : []))),
    handlers: { gracePeriodSeconds, system: spec.os?.name },
    hostUsers: spec.hostUsers ?? true,
  };
  return [
    ...(gracePeriodSeconds === undefined
      ? [fieldErrors.required(path.child("terminationGracePeriodSeconds"))]
      : []),
    ...volumes.errors,
    ...validateClaims(spec.resourceClaims ?? [], path.child("resourceClaims"), pod),
    ...validateContainers(path.child("containers"), surroundings),
    ...validateInitContainers(path.child("initContainers"), surroundings),
    ...validateEphemeralContainers(path.child("ephemeralContainers"), surroundings),
    ...validatePodResources(spec, path, surroundings.claims),
    ...validateHostPorts(spec, path.child("containers"), { isPod: pod !== undefined }),
    ...validateRest(spec, path, surroundings.claims),
  ];
}

/** Checks all but volumes and containers. */
function validateRest(spec: PodSpec, path: FieldPath, claims: ReadonlySet<string>): FieldError[] {
  const { overhead } = spec;
  return [
    ...oneOf(path.child("restartPolicy"), spec.restartPolicy, restartPolicies),
    ...oneOf(path.child("dnsPolicy"), spec.dnsPolicy, dnsPolicies),
    ...validateLabels(spec.nodeSelector, path.child("nodeSelector")),
    ...validatePodSecurity(spec, path.child("securityContext")),
    ...validateAffinity(spec.affinity, path.child("affinity")),
    ...validateDnsConfig(spec, path.child("dnsConfig")),
    ...validateGates(spec, path),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? [], path.child("topologySpreadConstraints")),
    ...validateHostProcess(spec, path),
    ...validateHostUsers(spec, path),
    ...validateHostname(spec, path.child("hostnameOverride")),
    ...named(spec.serviceAccountName, path.child("serviceAccountName"), isDNS1123Subdomain),
    ...named(spec.nodeName, path.child("nodeName"), isDNS1123Subdomain),
    ...inRange(path.child("activeDeadlineSeconds"), spec.activeDeadlineSeconds, {
      from: 1,
      to: largestInt32,
    }),
    ...named(spec.hostname, path.child("hostname"), isDNS1123Label),
    ...named(spec.subdomain, path.child("subdomain"), isDNS1123Label),
    ...validateTolerations(spec.tolerations ?? [], path.child("tolerations")),
    ...validateHostAliases(spec, path.child("hostAliases")),
    ...named(spec.priorityClassName, path.child("priorityClassName"), isDNS1123Subdomain),
    ...(spec.runtimeClassName === undefined
      ? []
      : invalidFor(
          path.child("runtimeClassName"),
          spec.runtimeClassName,
          isDNS1123Subdomain(spec.runtimeClassName),
        )),
    ...(spec.preemptionPolicy === undefined
      ? []
      : oneOf(path.child("preemptionPolicy"), spec.preemptionPolicy, ["PreemptLowerPriority", "Never"])),
    ...(overhead === undefined
      ? []
      : validateResources({ limits: overhead }, path.child("overhead"), { claims })),
    ...validateSystem(spec, path),
    ...validateGroup(spec, path.child("schedulingGroup", "podGroupName")),
    ...validateFileVolumes(spec, path),
  ];
}

/** Checks a pod template. */
export function validatePodTemplate(template: PodTemplateSpec, path: FieldPath): FieldError[] {
  const { metadata } = template;
  const spec = template.spec ?? { containers: [] };
  const at = path.child("spec");
  return [
    ...validateLabels(metadata?.labels, path.child("labels")),
    ...(metadata?.annotations ? validateAnnotations(metadata.annotations, path.child("annotations")) : []),
    ...validatePodAnnotations(metadata?.annotations, spec, path.child("annotations")),
    ...validatePodSpec(spec, at),
    ...validateProfilesMatch(metadata, spec, at),
    ...((spec.ephemeralContainers ?? []).length > 0
      ? [
          fieldErrors.forbidden(
            at.child("ephemeralContainers"),
            "ephemeral containers not allowed in pod template",
          ),
        ]
      : []),
  ];
}

function named(
  name: string | undefined,
  path: FieldPath,
  problems: (name: string) => readonly string[],
): FieldError[] {
  return name ? invalidFor(path, name, problems(name)) : [];
}

function validateClaims(
  claims: readonly PodResourceClaim[],
  path: FieldPath,
  pod: Partial<ObjectMeta> | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, claim] of claims.entries()) {
    const at = path.index(index);
    if (pod?.annotations?.[mirrorAnnotation] !== undefined) {
      errors.push(fieldErrors.forbidden(FieldPath.empty, "static pods do not support resource claims"));
      continue;
    }
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (!name) errors.push(fieldErrors.required(at.child("name")));
    else if (names.has(name)) errors.push(fieldErrors.duplicate(at.child("name"), name));
    else {
      errors.push(...invalidFor(at.child("name"), name, isDNS1123Label(name)));
      names.add(name);
    }
    const count = [resourceClaimName, resourceClaimTemplateName].filter(
      (given) => given !== undefined,
    ).length;
    if (count !== 1) {
      const why =
        count === 2
          ? "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
          : "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
      const shown = internalForm(claim, ["name", "resourceClaimName", "resourceClaimTemplateName"]);
      errors.push(fieldErrors.invalid(at, shown, why));
    }
    for (const field of ["resourceClaimName", "resourceClaimTemplateName"] as const) {
      const value = claim[field];
      if (value === undefined) continue;
      errors.push(...invalidFor(at.child(field), value, isDNS1123Subdomain(value)));
    }
  }
  return errors;
}

/** Pods in the host's network have its ports; templates may leave them open, for pods to be given them. */
function validateHostPorts(
  spec: PodSpec,
  path: FieldPath,
  options: { readonly isPod: boolean },
): FieldError[] {
  if (spec.hostNetwork !== true) return [];
  return (spec.containers ?? []).flatMap((container, index) =>
    (container.ports ?? []).flatMap((port, position) => {
      const hostPort = port.hostPort ?? 0;
      if ((!options.isPod && hostPort === 0) || hostPort === port.containerPort) return [];
      const at = path.index(index).child("ports").index(position).child("hostPort");
      return [fieldErrors.invalid(at, hostPort, "must match `containerPort` when `hostNetwork` is true")];
    }),
  );
}

function validateGates(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, { conditionType }] of (spec.readinessGates ?? []).entries()) {
    const at = path.child("readinessGates").index(index).child("conditionType");
    errors.push(...invalidFor(at, conditionType, isQualifiedName(conditionType ?? "")));
  }
  const seen = new Set<string>();
  for (const [index, { name = "" }] of (spec.schedulingGates ?? []).entries()) {
    const at = path.child("schedulingGates").index(index);
    errors.push(...invalidFor(at, name, isQualifiedName(name)));
    if (seen.has(name)) errors.push(fieldErrors.duplicate(at, name));
    seen.add(name);
  }
  return errors;
}

function validateGroup(spec: PodSpec, path: FieldPath): FieldError[] {
  if (spec.schedulingGroup === undefined) return [];
  const name = spec.schedulingGroup.podGroupName;
  return name === undefined
    ? [fieldErrors.invalid(path, null, "must specify one of: `podGroupName`")]
    : invalidFor(path, name, isDNS1123Subdomain(name));
}
