import { semanticallyEqual } from "../common/equal.ts";
import { mapField, mapList, omit, withField } from "../common/fill.ts";
import type { Service, ServiceSpec } from "../types/core-v1.ts";

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
    if (!spec.clusterIPs?.length && old.spec.clusterIPs?.length) {
      spec = { ...spec, clusterIPs: old.spec.clusterIPs };
    }
  }
  if (opensNodePorts(spec) && opensNodePorts(old.spec)) spec = keepNodePorts(spec, old.spec);
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
    if ((spec.clusterIP ?? "") === (before.clusterIP ?? "") && sameList(spec.clusterIPs, before.clusterIPs)) {
      spec = omit(spec, "clusterIP", "clusterIPs");
    }
    if (sameList(spec.ipFamilies, before.ipFamilies)) spec = omit(spec, "ipFamilies");
    if (spec.ipFamilyPolicy === before.ipFamilyPolicy) spec = omit(spec, "ipFamilyPolicy");
  }
  if (opensNodePorts(before) && !opensNodePorts(spec) && namesOnly(spec, nodePortsOf(before))) {
    spec = mapField(spec, "ports", (ports) => mapList(ports, (port) => omit(port, "nodePort")));
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
  const changed = spec === service.spec ? service : { ...service, spec };
  return spec.type === "LoadBalancer" ? changed : withoutBalancer(changed);
}

/** Balancers that go take their time; what the status says of them goes at once. */
const withoutBalancer = (service: Service): Service =>
  mapField(service, "status", (status) =>
    mapField(status, "loadBalancer", (balancer) => (Object.keys(balancer).length === 0 ? balancer : {})),
  );

/** Ports keep their numbers on the nodes by their names, unless another port took the number. */
function keepNodePorts(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const before = new Map((old.ports ?? []).map((port) => [port.name ?? "", port.nodePort]));
  const given = nodePortsOf(spec);
  return mapField(spec, "ports", (ports) =>
    mapList(ports, (port) => {
      const nodePort = before.get(port.name ?? "");
      return port.nodePort || !nodePort || given.has(nodePort) ? port : { ...port, nodePort };
    }),
  );
}

const nodePortsOf = ({ ports }: ServiceSpec): ReadonlySet<number> =>
  new Set((ports ?? []).flatMap(({ nodePort }) => (nodePort ? [nodePort] : [])));

const namesOnly = (spec: ServiceSpec, known: ReadonlySet<number>) =>
  [...nodePortsOf(spec)].every((port) => known.has(port));

const needsClusterIP = (spec: ServiceSpec) => spec.type !== "ExternalName";

/** Whether a service's ports may be opened on every node. */
const opensNodePorts = ({ type }: ServiceSpec) => type === "NodePort" || type === "LoadBalancer";

/** Whether a load balancer asks each node if it has endpoints. */
export function needsHealthPort(spec: ServiceSpec): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/** Whether the service can be reached from outside the cluster. */
export const isExternal = (spec: ServiceSpec): boolean =>
  spec.type === "NodePort" ||
  spec.type === "LoadBalancer" ||
  (spec.type === "ClusterIP" && !!spec.externalIPs?.length);
