import type { Clock, Logger } from "../base/index.ts";
import type { ControlPlaneOptions } from "../control-plane/index.ts";
import { startCompactor } from "../store/index.ts";
import { openLogStore } from "../store/log/index.ts";
import type { ClusterConfiguration } from "./configuration.ts";
import { directorySize } from "./directory-size.ts";
import { openStoreSocket } from "./etcd-socket.ts";
import type { Layout } from "./layout.ts";
import { storageSettings } from "./storage-settings.ts";

/** A control plane's store, with what depends on where it is. */
export interface Storage {
  readonly settings: Pick<ControlPlaneOptions, "store" | "storageMediaType" | "compact" | "electsLeaders">;
  /** Bytes of its files, as far as that is known. */
  size(): number | undefined;
  close(): Promise<void>;
}

/** Opens the store that was said on the command line: files of the cluster's own, or an etcd. */
export async function openStorage(options: {
  readonly configuration: ClusterConfiguration;
  readonly layout: Layout;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<Storage> {
  const { configuration, layout, clock } = options;
  const settings = storageSettings(configuration.storage ?? {});
  const { etcd, compactionInterval: interval, mediaType } = settings;
  // Upstream's way to leave that to others.
  const compactsNothing = async () => {};
  if (!etcd) {
    const store = await openLogStore({
      directory: layout.store,
      clock,
      logger: options.logger.named("store"),
    });
    const logger = options.logger.named("etcd");
    const socket = openStoreSocket({ path: layout.etcdSocket, store, clock, logger });
    const compact = (signal: AbortSignal) =>
      startCompactor({ store, clock, logger: options.logger, signal, policy: settings.history });
    return {
      settings: {
        store,
        storageMediaType: mediaType,
        compact: interval === 0 ? compactsNothing : compact,
      },
      size: () => directorySize(layout.store),
      async close() {
        await socket.close();
        await store.close();
      },
    };
  }
  const { connectEtcdStore, runEtcdCompactor } = await import("../etcd/client/index.ts");
  const logger = options.logger.named("etcd");
  const store = await connectEtcdStore({ ...etcd, hasUniqueValues: true, clock, logger });
  const compact = (signal: AbortSignal) =>
    runEtcdCompactor({ store, clock, logger, signal, ...(interval === undefined ? {} : { interval }) });
  return {
    settings: {
      store,
      storageMediaType: mediaType,
      electsLeaders: true,
      compact: interval === 0 ? compactsNothing : compact,
    },
    size: () => store.fileBytes,
    close: () => store.close(),
  };
}
