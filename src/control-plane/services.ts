import { invariant, type Clock, type Logger, type Random } from "../base/index.ts";
import { allocatedAddress, createUnlessPresent, isHeadless } from "../api/index.ts";
import type { Client } from "../api/index.ts";
import { formatIP, parseIP } from "../apimachinery/index.ts";
import { Service } from "../api/types/core-v1.ts";
import { IPAddress } from "../api/types/networking-v1.ts";
import type { ApiServer, ObjectReader } from "../apiserver/index.ts";
import { createServiceAllocator, familiesOf, runPortRepair } from "../apiserver/services/index.ts";
import type { ServiceAllocator, ServiceAllocatorOptions } from "../apiserver/services/index.ts";
import type { Store } from "../store/index.ts";
import { createEventRecorder } from "../client/index.ts";
import { runServerControllers } from "../controllers/index.ts";
import { keepServiceRange, publishServiceRange } from "./service-range.ts";

/** Which addresses and ports services get. */
export interface ServiceNetwork {
  /** The range that services have addresses of. */
  readonly serviceCIDR: string;
  /** A range of the other family: services can have an address of each. */
  readonly secondaryServiceCIDR?: string | undefined;
  /** Ports of nodes for services; default: 30000 to 32767. */
  readonly nodePorts?: ServiceAllocatorOptions["nodePorts"];
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What a control plane does for the addresses and ports of services. */
export interface ServiceParts {
  /** Hands them out beside writes; called once. */
  allocator(parts: {
    readonly store: Store;
    readonly reader: ObjectReader;
    readonly client: Client;
  }): ServiceAllocator;
  /** Makes what allocation works from, where it is missing. */
  publish(client: Client, reader: ObjectReader): Promise<void>;
  /** Repairs what is out of step until the signal aborts. */
  run(server: ApiServer, of: { readonly client: Client; readonly signal: AbortSignal }): Promise<void>;
}

/** The parts for one control plane. */
export function serviceParts(options: ServiceNetwork & Surroundings): ServiceParts {
  const { serviceCIDR, secondaryServiceCIDR, nodePorts, clock, random, logger } = options;
  const ranges = secondaryServiceCIDR === undefined ? [serviceCIDR] : [serviceCIDR, secondaryServiceCIDR];
  let allocator: ServiceAllocator | undefined;
  return {
    allocator({ store, reader, client }) {
      const named = logger.named("services");
      const families = familiesOf(ranges);
      return (allocator = createServiceAllocator({
        reader,
        client,
        random,
        logger: named,
        families,
        nodePorts,
        sharedStore: store.currentRevision ? store : undefined,
      }));
    },
    async publish(client, reader) {
      await publishServiceRange(client, { ranges, clock });
      await publishAddresses(client, reader);
    },
    async run({ reader }, { client, signal }) {
      invariant(allocator, "services are repaired after their allocator was made");
      const events = createEventRecorder({
        client,
        component: "portallocator-repair-controller",
        clock,
        random,
        logger,
      });
      const { ports, record } = allocator;
      const repair = {
        reader,
        ports,
        record,
        clock,
        logger,
        report: (object: Service, event: Parameters<typeof events.event>[1]) =>
          events.event({ resource: Service, object }, event),
      };
      await Promise.all([
        runPortRepair(repair, signal),
        runServerControllers({ client, clock, random, logger }, signal),
        keepServiceRange({ client, reader, ranges, clock, logger }, signal),
      ]);
      await events.stop();
    },
  };
}

/** Services of a store from before there were IPAddress objects keep their addresses. */
async function publishAddresses(client: Client, reader: ObjectReader): Promise<void> {
  for (const { metadata, spec } of reader.list(Service)) {
    if (spec.type === "ExternalName" || isHeadless(spec)) continue;
    for (const text of spec.clusterIPs ?? []) {
      const bytes = parseIP(text);
      const name = bytes && formatIP(bytes);
      if (name === undefined || reader.get(IPAddress, { name })) continue;
      const owner = { namespace: metadata.namespace ?? "", name: metadata.name };
      await createUnlessPresent(client, IPAddress, allocatedAddress(name, owner));
    }
  }
}
