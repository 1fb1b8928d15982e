import { semanticallyEqual } from "../common/equal.ts";
import { omit, withField } from "../common/fill.ts";
import type { Service, ServicePort, ServiceSpec } from "../types/core-v1.ts";

/** Keeps `clusterIP` and `clusterIPs` in step for clients that know only the first. */
export function normalizeClusterIPs(service: Service, old: Service | undefined): Service {
  const { clusterIP, clusterIPs } = service.spec;
  const follow = (): Service => ({
    ...service,
    spec: clusterIP ? { ...service.spec, clusterIPs: [clusterIP] } : omit(service.spec, "clusterIPs"),
  });
  if (old === undefined) return clusterIP && !clusterIPs?.length ? follow() : service;
  if ((clusterIP ?? "") === (old.spec.clusterIP ?? "")) return service;
  return semanticallyEqual(clusterIPs, old.spec.clusterIPs) || (clusterIP && !clusterIPs?.length)
    ? follow()
    : service;
}

/** Carries over what the server allocated and the client left out, and drops what the new type has not. */
export function keepAllocated(service: Service, old: Service): Service {
  let spec = dropForType(service.spec, old.spec);
  if (needsClusterIP(spec) && needsClusterIP(old.spec)) {
    if (!spec.clusterIP && old.spec.clusterIP) spec = { ...spec, clusterIP: old.spec.clusterIP };
    if (!spec.clusterIPs?.length && spec.clusterIP === old.spec.clusterIP) {
      spec = withField(spec, "clusterIPs", old.spec.clusterIPs);
    }
  }
  if (needsNodePort(spec) && needsNodePort(old.spec)) spec = keepNodePorts(spec, old.spec.ports ?? []);
  if (needsHealthPort(spec) && needsHealthPort(old.spec) && !spec.healthCheckNodePort) {
    spec = withField(spec, "healthCheckNodePort", old.spec.healthCheckNodePort);
  }
  return spec === service.spec ? service : { ...service, spec };
}

function dropForType(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  let result = spec;
  if (needsClusterIP(old) && !needsClusterIP(spec) && semanticallyEqual(spec.clusterIPs, old.clusterIPs)) {
    result = omit(result, "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy");
  }
  const ports = (list: readonly ServicePort[] | undefined) => (list ?? []).map((port) => port.nodePort ?? 0);
  if (needsNodePort(old) && !needsNodePort(spec) && semanticallyEqual(ports(spec.ports), ports(old.ports))) {
    result = { ...result, ports: (result.ports ?? []).map((port) => omit(port, "nodePort")) };
  }
  if (
    needsHealthPort(old) &&
    !needsHealthPort(spec) &&
    spec.healthCheckNodePort === old.healthCheckNodePort
  ) {
    result = omit(result, "healthCheckNodePort");
  }
  if (old.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) {
      result = omit(result, "allocateLoadBalancerNodePorts");
    }
    if (spec.loadBalancerClass === old.loadBalancerClass) result = omit(result, "loadBalancerClass");
  }
  if (isExternal(old) && !isExternal(spec) && spec.externalTrafficPolicy === old.externalTrafficPolicy) {
    result = omit(result, "externalTrafficPolicy");
  }
  return result;
}

function keepNodePorts(spec: ServiceSpec, old: readonly ServicePort[]): ServiceSpec {
  const used = new Map(old.map((port) => [`${port.protocol}/${port.port}`, port.nodePort]));
  const explicit = new Set((spec.ports ?? []).map((port) => port.nodePort));
  let changed = false;
  const ports = (spec.ports ?? []).map((port) => {
    const nodePort = used.get(`${port.protocol}/${port.port}`);
    if (port.nodePort || !nodePort || explicit.has(nodePort)) return port;
    changed = true;
    return { ...port, nodePort };
  });
  return changed ? { ...spec, ports } : spec;
}

const needsClusterIP = (spec: ServiceSpec) => spec.type !== "ExternalName";

/** Whether a service's ports are opened on every node. */
export function needsNodePort(spec: ServiceSpec): boolean {
  return (
    spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false)
  );
}

/** Whether a load balancer asks each node if it has endpoints. */
export function needsHealthPort(spec: ServiceSpec): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/** Whether the service can be reached from outside the cluster. */
export const isExternal = (spec: ServiceSpec): boolean =>
  spec.type === "NodePort" ||
  spec.type === "LoadBalancer" ||
  (spec.type === "ClusterIP" && !!spec.externalIPs?.length);
