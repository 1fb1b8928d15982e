import type { Random } from "../base/index.ts";
import { ApiError } from "../apimachinery/index.ts";
import { Endpoints, Pod, Service, type EndpointAddress } from "../api/types/core-v1.ts";
import { EndpointSlice } from "../api/types/discovery-v1.ts";
import type { ObjectReader } from "./reader.ts";

/** A port of a service, as APIServices and webhooks refer to it. */
export interface ServicePort {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

interface ResolverParts {
  readonly reader: ObjectReader;
  readonly random: Random;
}

const serviceNameLabel = "kubernetes.io/service-name";
/** Types of services that have endpoints of their own. */
const routed = new Set(["ClusterIP", "NodePort", "LoadBalancer"]);

/** The slices of a service's endpoints. */
export function slicesOf(
  reader: ObjectReader,
  { namespace, name }: Pick<ServicePort, "namespace" | "name">,
): readonly EndpointSlice[] {
  return reader
    .list(EndpointSlice, namespace)
    .filter(({ metadata }) => metadata.labels?.[serviceNameLabel] === name);
}

/** The ready addresses behind a named port. */
export function readyAddresses(slices: readonly EndpointSlice[], portName: string): readonly Address[] {
  return slices.flatMap(({ endpoints, ports }) => {
    const numbers = (ports ?? []).flatMap(({ name, port }) =>
      (name ?? "") === portName && port !== undefined ? [port] : [],
    );
    return (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses: [host] }) =>
        host === undefined ? [] : numbers.map((port) => ({ host, port })),
      );
  });
}

/**
 * Where an APIService's or a webhook's service is: one of its ready endpoints, or the name that it stands for. Throws
 * in the words of upstream's resolver where there is none.
 */
export function resolveService(parts: ResolverParts, wanted: ServicePort): Address {
  const { namespace, name, port } = wanted;
  const service = parts.reader.get(Service, { namespace, name });
  if (!service) throw ApiError.notFound({ group: "", resource: "service" }, name);
  const { type = "ClusterIP", externalName = "" } = service.spec;
  if (type === "ExternalName") return { host: externalName, port };
  if (!routed.has(type)) throw new Error(`unsupported service type ${JSON.stringify(type)}`);
  return endpointOf(parts, { service, portName: portNameOf(service, port) });
}

/**
 * Where a service is that a client names in a path, as `id`, with a port's number or name, or nothing for the port
 * without one: at one of its pods. Addresses that belong to no pod of its namespace would lead anywhere. Upstream
 * looks at Endpoints here until v1.36, at slices since.
 */
export function resolveProxiedService(
  { reader, random }: ResolverParts,
  wanted: Omit<ServicePort, "port"> & { readonly port: string; readonly id: string },
): Address {
  const { namespace, name, port, id } = wanted;
  const key = { namespace, name };
  const missing = () => ApiError.notFound({ group: "", resource: "services" }, name);
  const unavailable = (what: string) =>
    ApiError.serviceUnavailable(`no endpoints available for service ${JSON.stringify(what)}`);
  let portName = port;
  if (/^\d+$/.test(port)) {
    const service = reader.get(Service, key);
    if (!service) throw missing();
    portName = portNameOf(service, Number(port));
  }
  const endpoints = reader.get(Endpoints, key);
  if (!endpoints) throw missing();
  const { subsets = [] } = endpoints;
  if (subsets.length === 0) throw unavailable(name);
  const found = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports
      .filter((one) => (one.name ?? "") === portName)
      .flatMap((one) => addresses.map((address) => ({ address, port: one.port }))),
  );
  const first = Math.floor(random.next() * found.length);
  const chosen = [...found.slice(first), ...found.slice(0, first)].find(({ address }) =>
    isOfPod(reader, { address, namespace }),
  );
  if (!chosen) throw unavailable(id);
  return { host: chosen.address.ip, port: chosen.port };
}

function isOfPod(
  reader: ObjectReader,
  { address, namespace }: { readonly address: EndpointAddress; readonly namespace: string },
): boolean {
  const { ip, targetRef } = address;
  if (targetRef?.namespace !== namespace) return false;
  const pod = reader.get(Pod, { namespace, name: targetRef.name ?? "" });
  return pod?.status.podIPs?.some((one) => one.ip === ip) ?? false;
}

/** Endpoints know ports by their names. */
function portNameOf({ metadata, spec }: Service, port: number): string {
  const found = spec.ports?.find((one) => one.port === port);
  if (found) return found.name ?? "";
  throw ApiError.serviceUnavailable(
    `no service port ${port} found for service ${JSON.stringify(metadata.name)}`,
  );
}

/** Any ready endpoint; those of the service's first family of addresses before others. */
function endpointOf(
  { reader, random }: ResolverParts,
  { service, portName }: { readonly service: Service; readonly portName: string },
): Address {
  const { name, namespace = "" } = service.metadata;
  const slices = slicesOf(reader, { namespace, name });
  const family = service.spec.ipFamilies?.[0];
  const preferred = slices.filter(({ addressType }) => addressType === family);
  const ready = [preferred, slices].map((some) => readyAddresses(some, portName));
  const candidates = ready.find(({ length }) => length > 0) ?? [];
  const chosen = candidates[Math.floor(random.next() * candidates.length)];
  if (chosen) return chosen;
  throw ApiError.serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
}
