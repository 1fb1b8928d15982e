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
  return sameList(clusterIPs, old.spec.clusterIPs) ? follow() : service;
}

/** Carries over what the server allocated and the client left out. */
export function keepAllocated(service: Service, old: Service): Service {
  let { spec } = service;
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

const sameList = (one: readonly string[] | undefined, other: readonly string[] | undefined) =>
  semanticallyEqual(one ?? [], other ?? []);

/** Drops what the new type has not and the client did not change. */
export function dropForType(service: Service, old: Service): Service {
  const before = old.spec;
  let { spec } = service;
  if (needsClusterIP(before) && !needsClusterIP(spec)) {
    if (sameList(spec.clusterIPs, before.clusterIPs)) spec = omit(spec, "clusterIP", "clusterIPs");
    if (sameList(spec.ipFamilies, before.ipFamilies)) spec = omit(spec, "ipFamilies");
    if (spec.ipFamilyPolicy === before.ipFamilyPolicy) spec = omit(spec, "ipFamilyPolicy");
  }
  const ports = (list: readonly ServicePort[] | undefined) => (list ?? []).map((port) => port.nodePort ?? 0);
  if (
    needsNodePort(before) &&
    !needsNodePort(spec) &&
    semanticallyEqual(ports(spec.ports), ports(before.ports))
  ) {
    spec = { ...spec, ports: (spec.ports ?? []).map((port) => omit(port, "nodePort")) };
  }
  if (
    needsHealthPort(before) &&
    !needsHealthPort(spec) &&
    spec.healthCheckNodePort === before.healthCheckNodePort
  ) {
    spec = omit(spec, "healthCheckNodePort");
  }
  if (before.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts) {
      spec = omit(spec, "allocateLoadBalancerNodePorts");
    }
    if (spec.loadBalancerClass === before.loadBalancerClass) spec = omit(spec, "loadBalancerClass");
  }
  if (
    isExternal(before) &&
    !isExternal(spec) &&
    spec.externalTrafficPolicy === before.externalTrafficPolicy
  ) {
    spec = omit(spec, "externalTrafficPolicy");
  }
  return spec === service.spec ? service : { ...service, spec };
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
