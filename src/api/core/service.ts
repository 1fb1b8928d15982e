import { ageColumn, column, formatLabels, nameColumn } from "../common/columns.ts";
import { fill, fillMissing, mapField, mapList, omit } from "../common/fill.ts";
import { updateChecks } from "../common/updates.ts";
import type { PrinterColumn } from "../definition.ts";
import { defineResource } from "../definition.ts";
import type { LoadBalancerStatus, ServicePort, ServiceSpec } from "../types/core-v1.ts";
import { Service } from "../types/core-v1.ts";
import { dropForType, keepAllocated, normalizeClusterIPs } from "./service-update.ts";
import { validateServiceUpdate } from "./service-addresses.ts";
import { balancerWarnings, validateBalancerStatus } from "./service-status.ts";
import { validateService } from "./service-validation.ts";
import { serviceWarnings } from "./service-warnings.ts";

const affinitySeconds = 10_800;

const columns: readonly PrinterColumn<Service>[] = [
  nameColumn,
  column("Type", "How the service is exposed", { value: (service) => service.spec.type ?? "" }),
  column("Cluster-IP", "The service's address inside the cluster", {
    value: (service) => service.spec.clusterIPs?.[0] || service.spec.clusterIP || "<none>",
  }),
  column("External-IP", "Addresses from outside the cluster", { value: externalAddress }),
  column("Port(s)", "Ports that the service serves", {
    value: (service) => (service.spec.ports ?? []).map(portText).join(",") || "<none>",
  }),
  ageColumn,
  column("Selector", "Labels of the pods behind the service", {
    wide: true,
    value: (service) => formatLabels(service.spec.selector),
  }),
];

/** The rules of services; addresses and node ports are allocated by the service's registry. */
export const serviceDefinition = defineResource<Service>({
  resource: Service,
  repeatedMetadataChecks: ["change", "whole"],
  createsOnUpdate: true,
  returnsDeleted: true,
  defaults,
  validate: validateService,
  validateUpdate: updateChecks<Service>({ other: validateServiceUpdate, status: validateBalancerStatus }),
  updateErrorsFirst: true,
  warnings: serviceWarnings,
  statusWarnings: balancerWarnings,
  prepareForCreate: (service) => normalizeClusterIPs(service, undefined),
  prepareForUpdate: (service, old) => dropForType(normalizeClusterIPs(keepAllocated(service, old), old), old),
  prepareForStatusUpdate: (service, old) => ({ ...service, spec: old.spec }),
  columns,
  selectableFields: {
    "spec.clusterIP": (service) => service.spec.clusterIP ?? "",
    "spec.type": (service) => service.spec.type ?? "",
  },
  nameRule: "label",
  tracksGeneration: false,
});

function defaults(service: Service): Service {
  let spec = fill<ServiceSpec>(service.spec, { sessionAffinity: "None", type: "ClusterIP" });
  if (spec.sessionAffinity === "None") spec = omit(spec, "sessionAffinityConfig");
  if (spec.sessionAffinity === "ClientIP") {
    spec = {
      ...spec,
      sessionAffinityConfig: {
        clientIP: fill(spec.sessionAffinityConfig?.clientIP, { timeoutSeconds: affinitySeconds }),
      },
    };
  }
  spec = mapField(spec, "ports", (ports) => mapList(ports, defaultPort));
  const external =
    spec.type === "NodePort" ||
    spec.type === "LoadBalancer" ||
    (spec.type === "ClusterIP" && !!spec.externalIPs?.length);
  if (external) spec = fill<ServiceSpec>(spec, { externalTrafficPolicy: "Cluster" });
  spec = fillMissing<ServiceSpec>(spec, {
    ...(spec.type === "ExternalName" ? {} : { internalTrafficPolicy: "Cluster" as const }),
    ...(spec.type === "LoadBalancer" ? { allocateLoadBalancerNodePorts: true } : {}),
  });
  const status =
    spec.type === "LoadBalancer"
      ? mapField(service, "status", (value) => mapField(value, "loadBalancer", withAddressModes)).status
      : service.status;
  return { ...service, spec, ...(status === undefined ? {} : { status }) };
}

function defaultPort(port: ServicePort): ServicePort {
  const open = port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "";
  return fill(open ? { ...port, targetPort: port.port } : port, { protocol: "TCP" });
}

function withAddressModes(balancer: LoadBalancerStatus): LoadBalancerStatus {
  return mapField(balancer, "ingress", (addresses) =>
    mapList(addresses, (address) => (address.ip ? fillMissing(address, { ipMode: "VIP" }) : address)),
  );
}

function externalAddress(service: Service): string {
  const { type, externalIPs = [], externalName } = service.spec;
  switch (type) {
    case "ClusterIP":
    case "NodePort":
      return externalIPs.length > 0 ? externalIPs.join(",") : "<none>";
    case "LoadBalancer": {
      const balancer = loadBalancerText(service.status?.loadBalancer);
      if (externalIPs.length > 0)
        return [...(balancer === "" ? [] : balancer.split(",")), ...externalIPs].join(",");
      return balancer || "<pending>";
    }
    case "ExternalName":
      return externalName ?? "";
    default:
      return "<unknown>";
  }
}

/** The addresses of a load balancer in order. */
export function loadBalancerText(
  status: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] } | undefined,
): string {
  const addresses = new Set<string>();
  for (const { ip, hostname } of status?.ingress ?? []) {
    if (ip) addresses.add(ip);
    else if (hostname) addresses.add(hostname);
  }
  return [...addresses].sort().join(",");
}

function portText(port: ServicePort): string {
  const node = port.nodePort ? `:${port.nodePort}` : "";
  return `${port.port}${node}/${port.protocol ?? ""}`;
}
