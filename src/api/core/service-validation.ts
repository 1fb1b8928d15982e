import type { FieldError } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidCIDR,
  isValidIP,
  isValidPortNum,
} from "../../apimachinery/index.ts";
import { invalidFor, oneOf, optionalOneOf, portNumberOrName } from "../common/checks.ts";
import { internalForm } from "../common/internal-form.ts";
import { validateLabels } from "../common/selectors.ts";
import { validateNonSpecialAddress } from "../common/special-addresses.ts";
import type { Service, ServicePort, ServiceSpec } from "../types/core-v1.ts";
import { isHeadless, validateServiceAddresses } from "./service-addresses.ts";
import { isExternal, needsHealthPort } from "./service-update.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const protocols = ["SCTP", "TCP", "UDP"];
const policies = ["Cluster", "Local"];
const distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];
const longestAffinitySeconds = 86_400;
/** Topology hints were asked for under this name before they were under the other. */
export const deprecatedTopologyAnnotation = "service.kubernetes.io/topology-aware-hints";
/** Asks for endpoints near to the client. */
export const topologyAnnotation = "service.kubernetes.io/topology-mode";
const sourceRangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";
const balancerOnly = "may only be used when `type` is 'LoadBalancer'";

const path = FieldPath.root("spec");
const portsPath = path.child("ports");
const annotationsPath = FieldPath.root("metadata").child("annotations");

/** Checks a service. */
export function validateService(service: Service): readonly FieldError[] {
  const { spec } = service;
  return [
    ...validateTopologyAnnotations(service),
    ...validateForType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, path.child("selector")),
    ...validateAffinity(spec),
    ...(spec.type === "ExternalName" ? [] : validateServiceAddresses(spec)),
    ...validateExternalAddresses(spec),
    ...oneOf(path.child("type"), spec.type, types),
    ...validateNodePorts(spec),
    ...validateDuplicates(spec.ports ?? []),
    ...validateBalancer(service),
    ...validatePolicies(spec),
  ];
}

function validateTopologyAnnotations({ metadata }: Service): FieldError[] {
  const [old, mode] = [
    metadata.annotations?.[deprecatedTopologyAnnotation],
    metadata.annotations?.[topologyAnnotation],
  ];
  if (old === undefined || mode === undefined || old === mode) return [];
  const why = `must match annotations[${deprecatedTopologyAnnotation}] when both are specified`;
  return [fieldErrors.invalid(annotationsPath.key(topologyAnnotation), mode, why)];
}

function validateForType(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.ports ?? []).length === 0 && !isHeadless(spec) && spec.type !== "ExternalName") {
    errors.push(fieldErrors.required(portsPath));
  }
  if ((spec.type === "LoadBalancer" || spec.type === "NodePort") && isHeadless(spec)) {
    const why = `may not be set to 'None' for ${spec.type} services`;
    errors.push(fieldErrors.invalid(path.child("clusterIPs").index(0), "None", why));
  }
  if (spec.type !== "ExternalName") return errors;
  const why = "may not be set for ExternalName services";
  if (spec.clusterIPs?.length) errors.push(fieldErrors.forbidden(path.child("clusterIPs"), why));
  if (spec.ipFamilies?.length) errors.push(fieldErrors.forbidden(path.child("ipFamilies"), why));
  if (spec.ipFamilyPolicy !== undefined) {
    errors.push(fieldErrors.forbidden(path.child("ipFamilyPolicy"), why));
  }
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (name === "") errors.push(fieldErrors.required(path.child("externalName")));
  else errors.push(...invalidFor(path.child("externalName"), name, isDNS1123Subdomain(name)));
  return errors;
}

function validatePorts(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const ports = spec.ports ?? [];
  for (const [index, port] of ports.entries()) {
    const at = portsPath.index(index);
    if (!port.name) {
      if (ports.length > 1) errors.push(fieldErrors.required(at.child("name")));
    } else {
      errors.push(...invalidFor(at.child("name"), port.name, isDNS1123Label(port.name)));
      if (names.has(port.name)) errors.push(fieldErrors.duplicate(at.child("name"), port.name));
      names.add(port.name);
    }
    errors.push(
      ...invalidFor(at.child("port"), port.port ?? 0, isValidPortNum(port.port ?? 0)),
      ...oneOf(at.child("protocol"), port.protocol, protocols),
      ...portNumberOrName(at.child("targetPort"), port.targetPort),
      ...(port.appProtocol === undefined
        ? []
        : invalidFor(at.child("appProtocol"), port.appProtocol, isQualifiedName(port.appProtocol))),
    );
  }
  return errors;
}

function validateAffinity(spec: ServiceSpec): FieldError[] {
  const errors = oneOf(path.child("sessionAffinity"), spec.sessionAffinity, ["ClientIP", "None"]);
  const at = path.child("sessionAffinityConfig");
  const config = spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP") {
    const why = "when session affinity type is ClientIP";
    const seconds = config?.clientIP?.timeoutSeconds;
    if (config === undefined) errors.push(fieldErrors.required(at, why));
    else if (config.clientIP === undefined) errors.push(fieldErrors.required(at.child("clientIP"), why));
    else if (seconds === undefined) {
      errors.push(fieldErrors.required(at.child("clientIP", "timeoutSeconds"), why));
    } else if (seconds <= 0 || seconds > longestAffinitySeconds) {
      const range = `must be greater than 0 and less than ${longestAffinitySeconds}`;
      errors.push(fieldErrors.invalid(at.child("clientIP", "timeoutSeconds"), seconds, range));
    }
  } else if (spec.sessionAffinity === "None" && config !== undefined) {
    errors.push(fieldErrors.forbidden(at, "must not be set when session affinity is None"));
  }
  return errors;
}

function validateExternalAddresses(spec: ServiceSpec): FieldError[] {
  return (spec.externalIPs ?? []).flatMap((address, index) => {
    const at = path.child("externalIPs").index(index);
    const problems = isValidIP(address);
    return problems.length > 0 ? invalidFor(at, address, problems) : validateNonSpecialAddress(address, at);
  });
}

function validateNodePorts(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const repeated: FieldError[] = [];
  const used = new Set<string>();
  for (const [index, port] of (spec.ports ?? []).entries()) {
    if (!port.nodePort) continue;
    const at = portsPath.index(index).child("nodePort");
    if (spec.type === "ClusterIP") {
      errors.push(fieldErrors.forbidden(at, "may not be used when `type` is 'ClusterIP'"));
    }
    const key = `${port.protocol}/${port.nodePort}`;
    if (used.has(key)) repeated.push(fieldErrors.duplicate(at, port.nodePort));
    used.add(key);
  }
  return [...errors, ...repeated];
}

/** A port as upstream shows it in messages. */
const portFields: Parameters<typeof internalForm>[1] = [
  ["name", ""],
  ["protocol", ""],
  "appProtocol",
  ["port", 0],
  ["targetPort", 0],
  ["nodePort", 0],
];

function validateDuplicates(ports: readonly ServicePort[]): FieldError[] {
  const seen = new Set<string>();
  return ports.flatMap(({ protocol, port }, index) => {
    const key = `${protocol}/${port}`;
    if (seen.has(key)) {
      const shown = internalForm({ protocol, port }, portFields);
      return [fieldErrors.duplicate(portsPath.index(index), shown)];
    }
    seen.add(key);
    return [];
  });
}

function validateBalancer({ spec, metadata }: Service): FieldError[] {
  const errors: FieldError[] = [];
  const balances = spec.type === "LoadBalancer";
  const forbid = (at: FieldPath) => {
    if (!balances) errors.push(fieldErrors.forbidden(at, balancerOnly));
  };
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const annotation = metadata.annotations?.[sourceRangesAnnotation];
  if (ranges.length > 0) {
    // Upstream spells this path with a capital.
    const at = path.child("LoadBalancerSourceRanges");
    forbid(at);
    for (const [index, range] of ranges.entries()) {
      const text = range.trim();
      errors.push(...invalidFor(at.index(index), text, isValidCIDR(text)));
    }
  } else if (annotation !== undefined) {
    const at = annotationsPath.key(sourceRangesAnnotation);
    forbid(at);
    for (const range of annotation.trim() === "" ? [] : annotation.split(",")) {
      const text = range.trim();
      errors.push(...invalidFor(at, text, isValidCIDR(text)));
    }
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined) forbid(path.child("allocateLoadBalancerNodePorts"));
  else if (balances) errors.push(fieldErrors.required(FieldPath.root("allocateLoadBalancerNodePorts")));
  if (spec.loadBalancerClass !== undefined) {
    const at = path.child("loadBalancerClass");
    if (balances) {
      errors.push(...invalidFor(at, spec.loadBalancerClass, isQualifiedName(spec.loadBalancerClass)));
    } else forbid(at);
  }
  return errors;
}

function validatePolicies(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const at = path.child("externalTrafficPolicy");
  if (isExternal(spec)) errors.push(...oneOf(at, spec.externalTrafficPolicy, policies));
  else if (spec.externalTrafficPolicy) {
    const why = "may only be set for externally-accessible services";
    errors.push(fieldErrors.invalid(at, spec.externalTrafficPolicy, why));
  }
  const health = spec.healthCheckNodePort ?? 0;
  if (health !== 0) {
    const place = path.child("healthCheckNodePort");
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(
      ...(needsHealthPort(spec)
        ? invalidFor(place, health, isValidPortNum(health))
        : [fieldErrors.invalid(place, health, why)]),
    );
  }
  const internal = path.child("internalTrafficPolicy");
  if (spec.internalTrafficPolicy === undefined) {
    if (types.includes(spec.type ?? "") && spec.type !== "ExternalName") {
      errors.push(fieldErrors.required(internal));
    }
  } else errors.push(...optionalOneOf(internal, spec.internalTrafficPolicy, policies));
  return [
    ...errors,
    ...optionalOneOf(path.child("trafficDistribution"), spec.trafficDistribution, distributions),
  ];
}
