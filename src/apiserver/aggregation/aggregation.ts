import { setMaxListeners } from "node:events";
import type { Client, UserInfo } from "../../api/index.ts";
import type { ApiServer } from "../server/server.ts";
import type { Delegate, RemoteGroups } from "../http/index.ts";
import { AvailabilityMetrics } from "./availability-metrics.ts";
import { maintainAvailability } from "./availability.ts";
import { maintainCustomServices } from "./custom-api-services.ts";
import { aggregatorDelegate } from "./proxy.ts";
import { RegisteredApis, type ProxyIdentity } from "./registered-apis.ts";
import { RemoteDiscovery } from "./remote-discovery.ts";
import { RemoteOpenApis } from "./remote-openapi.ts";
import { remoteTransport, type RemoteTransport } from "./remote-transport.ts";

/** Group versions that extension servers serve, by way of this one. */
export interface Aggregation {
  /** Passes requests on to them; for `serveApi`'s `delegates`. */
  readonly delegate: Delegate;
  /** What they serve; for `serveApi`'s `remote`. */
  readonly remote: RemoteGroups;
  /** Whether an extension server serves the group version. */
  serves(of: { readonly group: string; readonly version: string }): boolean;
  /** Brings a user's requests to them from within this process; they are authorized as others are. */
  transportFor(user: UserInfo): RemoteTransport;
  /** Keeps their APIServices' conditions right, and APIServices of custom resources, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Ends connections to them. */
  close(): void;
}

/** Aggregates the APIs that APIServices of the server's own registry name. */
export function createAggregation(options: {
  readonly server: ApiServer;
  /** Writes conditions. */
  readonly client: Client;
  /** As whom the server shows itself; absent: as nobody. */
  readonly identity?: ProxyIdentity | undefined;
}): Aggregation {
  const { server, client, identity } = options;
  const { reader } = server;
  const { clock, random } = server.core;
  const logger = server.core.logger.named("aggregation");
  const apis = new RegisteredApis({ reader, identity });
  const parts = { reader, clock, random, logger };
  const discovery = new RemoteDiscovery(apis, parts);
  const openApi = new RemoteOpenApis(apis, parts);
  const metrics = new AvailabilityMetrics();
  const checked = { apis, reader, client, clock, random, logger, identity, metrics };
  return {
    delegate: aggregatorDelegate({ apis, reader, random, hasDocument: (api) => openApi.hasDocument(api) }),
    remote: {
      priorities: apis.priorities,
      openApi,
      observe: (registry) => metrics.observe(registry, { reader }),
      versions: () => discovery.versions(),
      onChange: (listener) => discovery.onChange(listener),
    },
    serves: ({ group, version }) => apis.find(group, version) !== undefined,
    transportFor: (user) => remoteTransport({ apis, reader, random, clock, core: server.core }, user),
    run: async (signal) => {
      // Whatever is asked ends with it: the number is no leak.
      setMaxListeners(0, signal);
      await Promise.all([
        maintainAvailability(checked, signal),
        maintainCustomServices({ client, reader, served: server.core.served, clock, logger }, signal),
        discovery.run(signal),
        openApi.run(signal),
      ]);
    },
    close: () => apis.close(),
  };
}
