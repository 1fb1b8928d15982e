import type { Node, Pod, Service, ServicePort } from "../../api/types/core-v1.ts";
import type { Endpoint, EndpointPort } from "../../api/types/discovery-v1.ts";
import { isFinished, isReady } from "../framework/index.ts";

/** A pod behind a service, at the ports that it offers. */
export interface Backend {
  readonly endpoint: Endpoint;
  readonly ports: readonly EndpointPort[];
}

export type AddressType = "IPv4" | "IPv6";

const zoneLabel = "topology.kubernetes.io/zone";

/** The families of addresses that a service has. */
export function addressTypesOf(service: Service, pods: readonly Pod[]): readonly AddressType[] {
  const families = service.spec?.ipFamilies ?? [];
  if (families.length > 0) return families.map((family) => (family === "IPv6" ? "IPv6" : "IPv4"));
  const address = service.spec?.clusterIP;
  if (address && address !== "None") return [familyOf(address)];
  const [first] = pods.flatMap(({ status }) => (status?.podIP ? [familyOf(status.podIP)] : []));
  return [first ?? "IPv4"];
}

const familyOf = (address: string): AddressType => (address.includes(":") ? "IPv6" : "IPv4");

/** The pods of a service that have an address of the family and have not ended. */
export function planBackends(
  service: Service,
  pods: readonly Pod[],
  options: { readonly addressType: AddressType; readonly nodeOf: (name: string) => Node | undefined },
): readonly Backend[] {
  const backends: Backend[] = [];
  for (const pod of pods) {
    if (isFinished(pod)) continue;
    const address = addressOf(pod, options.addressType);
    if (address === undefined) continue;
    const ports = portsOf(service, pod);
    const offersNone = ports.length === 0 && (service.spec?.ports ?? []).length > 0;
    if (offersNone) continue;
    backends.push({ endpoint: endpointOf(service, pod, { address, nodeOf: options.nodeOf }), ports });
  }
  return backends;
}

function addressOf(pod: Pod, addressType: AddressType): string | undefined {
  const listed = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
  const all = listed.length > 0 ? listed : pod.status?.podIP ? [pod.status.podIP] : [];
  return all.find((address) => familyOf(address) === addressType);
}

function endpointOf(
  service: Service,
  pod: Pod,
  { address, nodeOf }: { address: string; nodeOf: (name: string) => Node | undefined },
): Endpoint {
  const { namespace = "", name, uid, deletionTimestamp } = pod.metadata;
  const terminating = deletionTimestamp !== undefined;
  const serving = isReady(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const nodeName = pod.spec?.nodeName;
  const zone = nodeName ? nodeOf(nodeName)?.metadata.labels?.[zoneLabel] : undefined;
  const { hostname, subdomain } = pod.spec ?? {};
  const named = hostname && subdomain === service.metadata.name && namespace === service.metadata.namespace;
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(named ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: "Pod", namespace, name, uid },
    ...(zone ? { zone } : {}),
  };
}

function portsOf(service: Service, pod: Pod): readonly EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const port of service.spec?.ports ?? []) {
    const number = targetPortOf(port, pod);
    if (number === undefined) continue;
    const { appProtocol, protocol = "TCP" } = port;
    const shown = { name: port.name ?? "", port: number, protocol };
    ports.push(appProtocol === undefined ? shown : { ...shown, appProtocol });
  }
  return ports;
}

/** The number of a service's port at one pod; undefined when the pod has no container port of that name. */
export function targetPortOf(port: ServicePort, pod: Pod): number | undefined {
  const { targetPort = port.port, protocol = "TCP" } = port;
  if (typeof targetPort === "number") return targetPort === 0 ? port.port : targetPort;
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const offered of container.ports ?? []) {
      if (offered.name === targetPort && (offered.protocol ?? "TCP") === protocol)
        return offered.containerPort;
    }
  }
  return undefined;
}
