import { chmodSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { type Clock, type Logger, systemRandom } from "../base/index.ts";
import type { EtcdServer } from "../etcd/server/index.ts";
import type { Mvcc } from "../store/index.ts";

/** A socket that is served. */
export interface StoreSocket {
  close(): Promise<void>;
}

/** Longer paths are no addresses of sockets. */
const longestPath = 107;

/**
 * Serves a cluster's store as etcd v3 to the owner of its directory: for snapshots, and for who wants to look.
 * The code that serves is loaded with the first connection. A socket that cannot be made is told, and missed.
 */
export function openStoreSocket(options: {
  readonly path: string;
  readonly store: Mvcc;
  readonly clock: Clock;
  readonly logger: Logger;
}): StoreSocket {
  const { path, store, clock, logger } = options;
  if (Buffer.byteLength(path) > longestPath) {
    logger.warn("There is no socket for snapshots: its path would be too long", { path });
    return { close: async () => {} };
  }
  let server: Promise<EtcdServer> | undefined;
  const accept = (connection: Socket) => {
    server ??= makeServer({ store, clock, logger, path });
    server.then(
      (made) => made.accept(connection),
      (error: unknown) => {
        logger.error("The store could not be served", { error });
        connection.destroy();
      },
    );
  };
  // The store is this process's alone: what lies at the path was left behind.
  rmSync(path, { force: true });
  const listener = createServer({ pauseOnConnect: true }, accept);
  listener.on("error", (error) => logger.warn("There is no socket for snapshots", { path, error }));
  listener.listen(path, () => chmodSync(path, 0o600));
  return {
    async close() {
      listener.close();
      await (await server)?.close();
    },
  };
}

async function makeServer(options: {
  readonly store: Mvcc;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly path: string;
}): Promise<EtcdServer> {
  const { createEtcdServer, identityOf } = await import("../etcd/server/index.ts");
  const { path, ...rest } = options;
  const url = `unix://${path}`;
  const identity = identityOf({ name: "kubets", clientUrls: [url], peerUrls: [url] });
  return createEtcdServer({ ...rest, identity, random: systemRandom });
}
