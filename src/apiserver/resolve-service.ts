import type { Random } from "../base/index.ts";
import { ApiError } from "../apimachinery/index.ts";
import { Service } from "../api/types/core-v1.ts";
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

/** Where a service is that a client names in a path, with a port's number or name; absent: the port without a name. */
export function resolveProxiedService(
  parts: ResolverParts,
  { namespace, name, port }: Omit<ServicePort, "port"> & { readonly port: string },
): Address {
  const service = parts.reader.get(Service, { namespace, name });
  if (!service) throw ApiError.notFound({ group: "", resource: "services" }, name);
  return endpointOf(parts, {
    service,
    portName: /^\d+$/.test(port) ? portNameOf(service, Number(port)) : port,
  });
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
