import { existsSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import type { Duplex } from "node:stream";
import { type Clock, type Logger, systemClock, systemRandom, textLogger } from "../base/index.ts";
import { createEtcdServer, type EtcdServer, identityOf } from "../etcd/server/index.ts";
import { startCompactor, type Store, StoreError } from "../store/index.ts";
import { type LogStore, openLogStore } from "../store/log/index.ts";
import type { CommandContext } from "./command.ts";
import { StartError } from "./daemon.ts";
import { type EtcdSettings, etcdSettings } from "./etcd-flags.ts";
import { type FlagValues, UsageError } from "./flags.ts";
import { untilTerminated } from "./lifetime.ts";

/** How often it is looked whether there are more revisions than are to be kept; etcd's. */
const revisionLook = 5 * 60 * 1000;

/** `kubets etcd`: serves a store of its own as etcd v3, until it is told to end. */
export async function etcd(flags: FlagValues, _context: CommandContext): Promise<number> {
  const settings = etcdSettings(flags);
  const { name, directory, advertise: clientUrls, peers: peerUrls, limits, passwordCost } = settings;
  const clock = systemClock;
  const logger = textLogger({
    level: settings.level,
    write: (line) => void process.stderr.write(line),
    now: Date.now,
    component: "etcd",
  });
  const store = await openStore(directory, { clock, logger });
  const lifetime = new AbortController();
  const identity = identityOf({ name, clientUrls, peerUrls });
  const server = await createEtcdServer({
    store,
    identity,
    clock,
    random: systemRandom,
    logger,
    limits,
    passwordCost,
  });
  const listeners: Server[] = [];
  try {
    for (const url of settings.listen) {
      listeners.push(await listen(clientListener(url, { server, settings }), url));
      logger.info("Clients are served", { url: url.href, revision: store.revision });
    }
    for (const url of settings.metrics) {
      listeners.push(await listen(metricsListener(server), url));
      logger.info("Metrics are served", { url: url.href });
    }
    const compacting = keepHistory(settings.history, { store, clock, logger, signal: lifetime.signal });
    await untilTerminated();
    logger.info("Ending", { revision: store.revision });
    lifetime.abort();
    await compacting;
  } finally {
    for (const listener of listeners) listener.close();
    await server.close();
    await store.close();
  }
  return 0;
}

async function openStore(
  directory: string,
  options: { readonly clock: Clock; readonly logger: Logger },
): Promise<LogStore> {
  if (existsSync(join(directory, "member"))) {
    throw new UsageError(
      `${directory} holds data of etcd: save a snapshot of it with etcdctl, and bring it into a directory of its own with kubets snapshot restore FILE --data-dir DIR`,
    );
  }
  try {
    return await openLogStore({ directory, ...options });
  } catch (error) {
    if (error instanceof StoreError) throw new StartError(error.message);
    // What the system refuses, such as a directory of someone else's.
    if (error instanceof Error && "code" in error) throw new StartError(`${directory}: ${error.message}`);
    throw error;
  }
}

function clientListener(
  url: URL,
  { server, settings }: { readonly server: EtcdServer; readonly settings: EtcdSettings },
): Server {
  const accept = (connection: Duplex) => server.accept(connection);
  if (url.protocol !== "https:") return createServer({ noDelay: true }, accept);
  const { certificate, key, authority } = settings.tls;
  return createTlsServer(
    {
      ...withoutUndefined({
        cert: fileOf("cert-file", certificate),
        key: fileOf("key-file", key),
        ca: fileOf("trusted-ca-file", authority),
      }),
      requestCert: settings.requiresCertificate || authority !== undefined,
      rejectUnauthorized: settings.requiresCertificate,
      ALPNProtocols: ["h2", "http/1.1"],
      noDelay: true,
    },
    accept,
  );
}

function fileOf(flag: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(
      `--${flag} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function withoutUndefined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function metricsListener(server: EtcdServer): Server {
  return createHttpServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0]!;
    const { status, type, body } = server.http({ method: request.method ?? "GET", path });
    response.writeHead(status, { "content-type": type, connection: "close" });
    response.end(body);
  });
}

async function listen(listener: Server, url: URL): Promise<Server> {
  const place = url.protocol === "unix:" ? { path: socketPath(url) } : placeOf(url);
  // The store's lock says that no other server of this directory runs: a socket that is there was left behind.
  if ("path" in place) rmSync(place.path, { force: true });
  listener.listen(place);
  try {
    await once(listener, "listening");
  } catch (error) {
    throw new StartError(
      `cannot listen at ${url.href}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return listener;
}

const socketPath = (url: URL) => `${url.host}${url.pathname}`;

function placeOf(url: URL): { readonly host: string; readonly port: number } {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(url.port || (url.protocol === "https:" ? 443 : 80)) };
}

interface Kept {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

async function keepHistory(history: EtcdSettings["history"], options: Kept): Promise<void> {
  if (history === undefined) return;
  if ("interval" in history) return startCompactor({ ...options, policy: history });
  const { store, clock, logger, signal } = options;
  while (!signal.aborted) {
    try {
      await clock.sleep(revisionLook, signal);
    } catch {
      return;
    }
    const through = store.revision - history.revisions;
    if (through <= store.compactedRevision) continue;
    await store
      .compact(through)
      .catch((error: unknown) => logger.warn("History was not compacted", { error }));
  }
}
