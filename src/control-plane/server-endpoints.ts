import type { Clock, Logger, Milliseconds } from "../base/index.ts";
import { unlessMissing } from "../api/index.ts";
import type { Client } from "../api/index.ts";
import { Endpoints } from "../api/types/core-v1.ts";
import { ServerLeases } from "../apiserver/bootstrap/index.ts";
import type { Store } from "../store/index.ts";
import { publishService } from "./bootstrap.ts";
import type { MachineService } from "./bootstrap.ts";

/** As upstream: a server that has said nothing for so long is gone, and says something so often. */
const timeToLive: Milliseconds = 15_000;
const interval: Milliseconds = 10_000;

/**
 * Keeps the endpoints of the API servers' service those of all servers of the store that live, until the signal
 * aborts; then this one's goes.
 */
export async function runServerEndpoints(
  options: {
    /** The store as the API server sees it. */
    readonly store: Store;
    readonly client: Client;
    readonly service: MachineService;
    readonly clock: Clock;
    readonly logger: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  const { store, client, service, clock, logger } = options;
  const { address } = service;
  const leases = new ServerLeases(store, { timeToLive });
  const attempt = async (step: () => Promise<void>) => {
    try {
      await step();
      await publish(client, service, await leases.addresses());
    } catch (error) {
      logger.warn("The endpoints of the API servers are not up to date", { error });
    }
  };
  while (!signal.aborted) {
    await attempt(() => leases.renew(address));
    await clock.sleep(interval, signal).catch(() => undefined);
  }
  await attempt(() => leases.end(address));
}

/** Writes the addresses where they differ from what is there; of a cluster without servers nothing is told. */
async function publish(client: Client, service: MachineService, addresses: readonly string[]): Promise<void> {
  if (addresses.length === 0) return;
  const { name, namespace } = service;
  const present = await unlessMissing(client.get(Endpoints, { name, namespace }));
  const known = present?.subsets?.[0]?.addresses?.map(({ ip }) => ip) ?? [];
  if (known.join() !== addresses.join()) await publishService(client, { ...service, addresses });
}
