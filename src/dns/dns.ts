import { readFile } from "node:fs/promises";
import type { Clock, Logger } from "../base/index.ts";
import { Namespace, Service } from "../api/types/core-v1.ts";
import { EndpointSlice } from "../api/types/discovery-v1.ts";
import type { InformerFactory } from "../client/index.ts";
import { createForwarder } from "./forwarder.ts";
import { serveDns } from "./server.ts";
import { Zone, type ZoneView } from "./zone.ts";

const byService = "service";
const byAddress = "address";

export interface DnsOptions {
  readonly informers: InformerFactory;
  /** The cluster's domain, e.g. `cluster.local`. */
  readonly domain: string;
  readonly address: string;
  readonly port: number;
  /** Addresses of resolvers for all other names. */
  readonly resolvers: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Cluster DNS: serves the zone of the API's services. Settles once it answers; `stopped` when it has stopped. */
export async function runDns(
  options: DnsOptions,
  signal: AbortSignal,
): Promise<{ readonly port: number; readonly stopped: Promise<void> }> {
  const view = zoneView(options.informers);
  await view.whenSynced(signal);
  const { domain, address, port, clock, logger } = options;
  const forwarder = createForwarder({ resolvers: options.resolvers.filter((one) => one !== address), clock });
  return serveDns(
    { zone: new Zone({ domain, view }), domain, forwarder, address, port, clock, logger },
    signal,
  );
}

function zoneView(informers: InformerFactory): ZoneView & { whenSynced(signal: AbortSignal): Promise<void> } {
  const services = informers.informer(Service);
  const slices = informers.informer(EndpointSlice);
  const namespaces = informers.informer(Namespace);
  services.addIndex(byAddress, ({ spec }) => (spec.clusterIPs ?? []).filter((address) => address !== "None"));
  slices.addIndex(byService, ({ metadata }) => {
    const name = metadata.labels?.["kubernetes.io/service-name"];
    return name === undefined ? [] : [`${metadata.namespace}/${name}`];
  });
  slices.addIndex(byAddress, ({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses));
  return {
    service: (key) => services.get(key),
    slices: ({ namespace, name }) => slices.byIndex(byService, `${namespace}/${name}`),
    hasNamespace: (name) => namespaces.get({ name }) !== undefined,
    serviceByAddress: (address) => services.byIndex(byAddress, address)[0],
    slicesByAddress: (address) => slices.byIndex(byAddress, address),
    async whenSynced(signal) {
      await Promise.all([services, slices, namespaces].map((informer) => informer.whenSynced(signal)));
    },
  };
}

/** The resolvers that a resolv.conf names. */
export async function resolversOf(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8");
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1] ?? "");
}
