import type { Random } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import { Service } from "../../api/types/core-v1.ts";
import { EndpointSlice } from "../../api/types/discovery-v1.ts";
import type { ObjectReader } from "../reader.ts";

/** A port of a service, as an APIService refers to it. */
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

const serviceNameLabel = "kubernetes.io/service-name";

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
  return slices.flatMap(({ endpoints = [], ports = [] }) => {
    const numbers = ports.flatMap(({ name, port }) =>
      (name ?? "") === portName && port !== undefined ? [port] : [],
    );
    return endpoints
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses: [host] }) =>
        host === undefined ? [] : numbers.map((port) => ({ host, port })),
      );
  });
}

/** An address of the service: one of its ready endpoints, or the name that it stands for; throws where there is none. */
export function resolveService(
  { reader, random }: { readonly reader: ObjectReader; readonly random: Random },
  wanted: ServicePort,
): Address {
  const { namespace, name, port } = wanted;
  const service = reader.get(Service, { namespace, name });
  if (!service) throw ApiError.notFound({ group: "", resource: "services" }, name);
  const { type, externalName = "", ports = [] } = service.spec;
  if (type === "ExternalName") return { host: externalName, port };
  const found = ports.find((one) => one.port === port);
  if (!found) {
    throw ApiError.serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`);
  }
  const ready = readyAddresses(slicesOf(reader, wanted), found.name ?? "");
  const chosen = ready[Math.floor(random.next() * ready.length)];
  if (!chosen) {
    throw ApiError.serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  }
  return chosen;
}
