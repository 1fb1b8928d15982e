import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { invalidFor, oneOf, optionalOneOf, portNumberOrName } from "../common/checks.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isValidIP,
  isValidCIDR,
  isValidPortNum,
} from "../../apimachinery/index.ts";
import { validateLabels } from "../common/selectors.ts";
import type { Service, ServicePort, ServiceSpec } from "../types/core-v1.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const protocols = ["SCTP", "TCP", "UDP"];
const policies = ["Cluster", "Local"];
const longestAffinitySeconds = 86_400;
const addressProblem = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/** Checks a service. */
export function validateService(service: Service): readonly FieldError[] {
  const { spec } = service;
  const path = FieldPath.root("spec");
  return [
    ...validateForType(spec, path),
    ...validatePorts(spec, path.child("ports")),
    ...validateLabels(spec.selector, path.child("selector")),
    ...validateAffinity(spec, path),
    ...validateAddresses(spec, path),
    ...oneOf(path.child("type"), spec.type, types),
    ...validateNodePorts(spec, path.child("ports")),
    ...validateDuplicates(spec.ports ?? [], path.child("ports")),
    ...validateBalancer(spec, path),
    ...validatePolicies(spec, path),
  ];
}

/** Checks what an update may not change: addresses once given, the class of a load balancer. */
export function validateServiceUpdate(service: Service, old: Service): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [];
  const stays = service.spec.type !== "ExternalName" && old.spec.type !== "ExternalName";
  const before = old.spec.clusterIPs ?? (old.spec.clusterIP ? [old.spec.clusterIP] : []);
  const after = service.spec.clusterIPs ?? (service.spec.clusterIP ? [service.spec.clusterIP] : []);
  if (stays && before.length > 0) {
    if (after.length === 0) {
      errors.push(
        fieldErrors.invalid(path.child("clusterIPs").index(0), after, "primary clusterIP can not be unset"),
      );
    } else if (before[0] !== after[0]) {
      errors.push(fieldErrors.invalid(path.child("clusterIPs").index(0), after, "may not change once set"));
    } else if (before[1] !== undefined && after[1] !== undefined && before[1] !== after[1]) {
      errors.push(fieldErrors.invalid(path.child("clusterIPs").index(1), after, "may not change once set"));
    }
  }
  if (
    service.spec.type === "LoadBalancer" &&
    old.spec.type === "LoadBalancer" &&
    service.spec.loadBalancerClass !== old.spec.loadBalancerClass
  ) {
    errors.push(
      fieldErrors.invalid(
        path.child("loadBalancerClass"),
        service.spec.loadBalancerClass ?? null,
        "may not change once set",
      ),
    );
  }
  return errors;
}

const isHeadless = (spec: ServiceSpec) => spec.clusterIP === "None" || spec.clusterIPs?.[0] === "None";

function validateForType(spec: ServiceSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.ports ?? []).length === 0 && !isHeadless(spec) && spec.type !== "ExternalName") {
    errors.push(fieldErrors.required(path.child("ports")));
  }
  const first = path.child("clusterIPs").index(0);
  switch (spec.type) {
    case "LoadBalancer":
    case "NodePort":
      if (isHeadless(spec)) {
        errors.push(fieldErrors.invalid(first, "None", `may not be set to 'None' for ${spec.type} services`));
      }
      break;
    case "ExternalName": {
      if (spec.clusterIPs?.length || spec.clusterIP) {
        errors.push(
          fieldErrors.forbidden(path.child("clusterIPs"), "may not be set for ExternalName services"),
        );
      }
      const name = (spec.externalName ?? "").replace(/\.$/, "");
      if (name === "") errors.push(fieldErrors.required(path.child("externalName")));
      else errors.push(...invalidFor(path.child("externalName"), name, isDNS1123Subdomain(name)));
      break;
    }
    default:
  }
  return errors;
}

function validatePorts(spec: ServiceSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const ports = spec.ports ?? [];
  for (const [index, port] of ports.entries()) {
    const at = path.index(index);
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
    );
  }
  return errors;
}

function validateAffinity(spec: ServiceSpec, path: FieldPath): FieldError[] {
  const errors = oneOf(path.child("sessionAffinity"), spec.sessionAffinity, ["ClientIP", "None"]);
  const at = path.child("sessionAffinityConfig");
  if (spec.sessionAffinity === "ClientIP") {
    const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
    if (seconds === undefined) {
      errors.push(fieldErrors.required(at, "when session affinity type is ClientIP"));
    } else if (seconds <= 0 || seconds > longestAffinitySeconds) {
      const why = `must be greater than 0 and less than ${longestAffinitySeconds}`;
      errors.push(fieldErrors.invalid(at.child("clientIP", "timeoutSeconds"), seconds, why));
    }
  } else if (spec.sessionAffinity === "None" && spec.sessionAffinityConfig !== undefined) {
    errors.push(fieldErrors.forbidden(at, "must not be set when session affinity is None"));
  }
  return errors;
}

function validateAddresses(spec: ServiceSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const addresses = spec.clusterIPs ?? [];
  if (spec.type !== "ExternalName") {
    for (const [index, address] of addresses.entries()) {
      if (address === "None" && index === 0 && addresses.length === 1) continue;
      if (isValidIP(address).length > 0) {
        errors.push(fieldErrors.invalid(path.child("clusterIPs").index(index), address, addressProblem));
      }
    }
    if (addresses.length > 0 && spec.clusterIP !== undefined && spec.clusterIP !== addresses[0]) {
      errors.push(
        fieldErrors.invalid(path.child("clusterIPs"), addresses, "first value must match `clusterIP`"),
      );
    }
    if (addresses.length > 2) {
      errors.push(fieldErrors.invalid(path.child("clusterIPs"), addresses, "may only hold up to 2 values"));
    }
  }
  for (const [index, address] of (spec.externalIPs ?? []).entries()) {
    const at = path.child("externalIPs").index(index);
    if (isValidIP(address).length > 0) errors.push(fieldErrors.invalid(at, address, addressProblem));
    else errors.push(...validateNonSpecial(address, at));
  }
  return errors;
}

/** Addresses that cannot lead anywhere from outside. */
function validateNonSpecial(address: string, path: FieldPath): FieldError[] {
  const reserved: readonly [pattern: RegExp, why: string][] = [
    [/^0\.0\.0\.0$|^::$/, "may not be unspecified (0.0.0.0 or ::)"],
    [/^127\.|^::1$/, "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
    [/^169\.254\.|^fe[89ab]/i, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
    [/^224\.0\.0\.|^ff02/i, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
  ];
  return reserved.flatMap(([pattern, why]) =>
    pattern.test(address) ? [fieldErrors.invalid(path, address, why)] : [],
  );
}

function validateNodePorts(spec: ServiceSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const used = new Set<string>();
  for (const [index, port] of (spec.ports ?? []).entries()) {
    if (!port.nodePort) continue;
    const at = path.index(index).child("nodePort");
    if (spec.type === "ClusterIP") {
      errors.push(fieldErrors.forbidden(at, "may not be used when `type` is 'ClusterIP'"));
    }
    const key = `${port.protocol}/${port.nodePort}`;
    if (used.has(key)) errors.push(fieldErrors.duplicate(at, port.nodePort));
    used.add(key);
  }
  return errors;
}

function validateDuplicates(ports: readonly ServicePort[], path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return ports.flatMap((port, index) => {
    const key = `${port.protocol}/${port.port}`;
    if (seen.has(key)) {
      return [fieldErrors.duplicate(path.index(index), { protocol: port.protocol, port: port.port })];
    }
    seen.add(key);
    return [];
  });
}

function validateBalancer(spec: ServiceSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const only = "may only be used when `type` is 'LoadBalancer'";
  if (ranges.length > 0) {
    const at = path.child("loadBalancerSourceRanges");
    if (spec.type !== "LoadBalancer") errors.push(fieldErrors.forbidden(at, only));
    for (const [index, range] of ranges.entries()) {
      if (isValidCIDR(range.trim()).length === 0) continue;
      const why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
      errors.push(fieldErrors.invalid(at.index(index), range, why));
    }
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== "LoadBalancer") {
    errors.push(fieldErrors.forbidden(path.child("allocateLoadBalancerNodePorts"), only));
  }
  if (spec.loadBalancerClass !== undefined && spec.type !== "LoadBalancer") {
    errors.push(fieldErrors.forbidden(path.child("loadBalancerClass"), only));
  }
  return errors;
}

function validatePolicies(spec: ServiceSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const at = path.child("externalTrafficPolicy");
  const external =
    spec.type === "NodePort" ||
    spec.type === "LoadBalancer" ||
    (spec.type === "ClusterIP" && !!spec.externalIPs?.length);
  if (external) {
    if (spec.externalTrafficPolicy === undefined) {
      errors.push(fieldErrors.required(at, "may not be empty for externally-accessible services"));
    } else errors.push(...optionalOneOf(at, spec.externalTrafficPolicy, policies));
  } else if (spec.externalTrafficPolicy) {
    const why = "may only be set for externally-accessible services";
    errors.push(fieldErrors.invalid(at, spec.externalTrafficPolicy, why));
  }
  if (spec.healthCheckNodePort && !(spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local")) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(fieldErrors.invalid(path.child("healthCheckNodePort"), spec.healthCheckNodePort, why));
  }
  if (spec.internalTrafficPolicy === undefined) {
    if (spec.type !== "ExternalName") errors.push(fieldErrors.required(path.child("internalTrafficPolicy")));
  } else {
    errors.push(...optionalOneOf(path.child("internalTrafficPolicy"), spec.internalTrafficPolicy, policies));
  }
  return errors;
}
