import { ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { schemas } from "../../api/index.ts";
import type { Milliseconds } from "../../base/index.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import { createDiscovery } from "../discovery/index.ts";
import type { Discovery, Priorities, RemoteVersion } from "../discovery/index.ts";
import type { OpenApi, RemoteOpenApi } from "../openapi/index.ts";
import type { Core } from "../registry/context.ts";
import type { ApiServer } from "../server/server.ts";
import { AuditedClient } from "./audit/audited-client.ts";
import type { Auditor } from "./audit/auditor.ts";
import { openAuditor } from "./audit/open.ts";
import type { AuditSettings } from "./audit/open.ts";
import type { Exchange } from "./exchange.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import type { PathHandler } from "./endpoints.ts";
import { RequestHandler } from "./handler.ts";
import type { DocumentSource } from "./documents.ts";
import type { ConnectHandler, Delegate } from "./handler.ts";
import { Lifecycle } from "./filters/lifecycle.ts";
import { healthChecks } from "./health.ts";
import type { HealthCheck } from "./health.ts";
import { listen } from "./listener.ts";
import type { Listener, ServerTls, Upgrade } from "./listener.ts";
import { debugPaths } from "./debug.ts";
import { HealthMetrics } from "./metrics/health-metrics.ts";
import { metricsPaths } from "./metrics/paths.ts";
import { MetricsRegistry } from "./metrics/registry.ts";
import type { Counter } from "./metrics/registry.ts";
import { RequestMetrics } from "./metrics/request-metrics.ts";
import { observeServer } from "./metrics/server-metrics.ts";
import { watchSizes } from "./metrics/watch-metrics.ts";
import { pipelineOf } from "./pipeline.ts";
import type { FrontSettings } from "./pipeline.ts";
import { discoveryRows } from "./rows.ts";
import { versionInfo } from "./version.ts";
import type { WatchSettings } from "./watch-stream.ts";
import { zPages } from "./zpages.ts";

/** Group versions that extension servers serve. */
export interface RemoteGroups {
  readonly priorities: Priorities;
  versions(): readonly RemoteVersion[];
  /** Calls `listener` after each change of either; returns what ends it. */
  onChange(listener: () => void): () => void;
  /** Shows among a server's metrics which of them are available. */
  observe?(registry: MetricsRegistry): void;
  /** Their documents. */
  readonly openApi: {
    documents(): readonly RemoteOpenApi[];
    onChange(listener: () => void): () => void;
  };
}

export interface ServeOptions extends FrontSettings {
  readonly host: string;
  readonly port: number;
  /** `host:port` under which clients reach the server; default: where it listens. */
  readonly advertise?: string;
  readonly tls: ServerTls;
  readonly authenticator: Authenticator;
  readonly connect?: Readonly<Record<string, ConnectHandler>>;
  readonly delegates?: readonly Delegate[];
  /** What extension servers serve by way of this one. */
  readonly remote?: RemoteGroups;
  /** Whether clients may speak CBOR, as with upstream's gate CBORServingAndStorage; default: false. */
  readonly cbor?: boolean;
  /** Serves more documents. */
  readonly documents?: readonly DocumentSource[];
  /** What must hold before the server is ready, besides its own checks. */
  readonly readyChecks?: readonly HealthCheck[];
  /** Settings as `/flagz` shows them: name to value. */
  readonly flags?: Readonly<Partial<Record<string, string>>>;
  /** What is recorded of requests, and where; absent: nothing. */
  readonly audit?: AuditSettings;
  /** How large the store's files are, in bytes; absent: it has none. */
  readonly storageSize?: () => number | undefined;
  /** Whether profiles of the process are served below `/debug/pprof/`; default: true. */
  readonly profiling?: boolean;
  /** Sets how much is logged, for `/debug/flags/v`; absent: that cannot be changed. */
  readonly setVerbosity?: (verbosity: number) => void;
  /** How long the server goes on serving after it has said that it is not ready; default: 0. */
  readonly shutdownDelay?: Milliseconds;
}

export interface ServedApi {
  readonly address: { readonly host: string; readonly port: number };
  readonly metrics: MetricsRegistry;
  /** Ends watches, lets requests in progress finish, and stops listening. */
  close(): Promise<void>;
}

/** Pages that are worth a look when something is wrong. */
const pagePaths = ["/healthz", "/livez", "/metrics", "/readyz", "/statusz", "/version"];
const defaultMinRequestTimeoutSeconds = 1_800;
/** How long requests in progress may take when the server closes. */
const closingPatience = 5_000;

/** Serves the API over HTTPS. */
export async function serveApi(server: ApiServer, options: ServeOptions): Promise<ServedApi> {
  const { core } = server;
  const { cbor = false, storageSize } = options;
  const metrics = new MetricsRegistry();
  const lifecycle = new Lifecycle();
  const documents = servedDocuments(core, { cbor, remote: options.remote });
  const requestMetrics = new RequestMetrics(metrics);
  const auditor = auditorOf(server, { settings: options.audit, registry: metrics });
  const { filters, limits } = pipelineOf({
    core,
    reader: server.reader,
    settings: options,
    authenticator: options.authenticator,
    clientAuthority: options.tls.clientAuthority,
    lifecycle,
    auditor,
    metrics: requestMetrics,
    registry: metrics,
    cbor,
  });
  const { handshakeErrors } = observeServer(metrics, { ...limits, core, cbor, storageSize });
  options.remote?.observe?.(metrics);
  const healthMetrics = new HealthMetrics();
  const debug = debugPaths({ ...options, limits, clock: core.clock });
  const handler = new RequestHandler({
    core,
    filters,
    discovery: documents.discovery,
    documents: [documents, ...(options.documents ?? [])],
    health: healthMetrics.observed(checksOf(core, lifecycle, options.readyChecks)),
    metrics: requestMetrics,
    version: versionInfo(),
    paths: [
      metricsPaths({ "/metrics": metrics, "/metrics/slis": healthMetrics.registry }),
      pagesOf(core, options.flags ?? {}),
      debug.serve,
    ],
    connect: options.connect ?? {},
    delegates: options.delegates ?? [],
    cbor,
    watches: watchSettings(metrics, options),
  });
  const listener = await openListener(handler, { ...core, ...options, handshakeErrors });
  documents.address = options.advertise ?? `${listener.address.host}:${listener.address.port}`;
  const close = async () => {
    lifecycle.leave();
    if (options.shutdownDelay) await core.clock.sleep(options.shutdownDelay);
    lifecycle.drain();
    documents.close();
    limits.fairness?.close();
    handler.endWatches();
    await listener.close({ patience: closingPatience });
    await auditor?.close();
    debug.close();
  };
  let closed: Promise<void> | undefined;
  return { address: listener.address, metrics, close: () => (closed ??= close()) };
}

/** What records requests, also those of clients in this process that are made from now on. */
function auditorOf(
  server: ApiServer,
  {
    settings,
    registry,
  }: { readonly settings: AuditSettings | undefined; readonly registry: MetricsRegistry },
): Auditor | undefined {
  const { core } = server;
  const auditor = openAuditor(settings, { ...core, registry });
  if (auditor) {
    server.observeClients((client, user) => new AuditedClient(client, { ...core, user, auditor }));
  }
  return auditor;
}

const checksOf = (core: Core, { check: shutdown }: Lifecycle, ready: readonly HealthCheck[] = []) =>
  healthChecks({
    store: () => core.store.problem,
    shutdown,
    ready,
  });

const watchSettings = (metrics: MetricsRegistry, options: ServeOptions): WatchSettings => ({
  shortestSeconds: options.minRequestTimeoutSeconds ?? defaultMinRequestTimeoutSeconds,
  sizesOf: watchSizes(metrics),
});

function openListener(
  handler: RequestHandler,
  options: ServeOptions & Pick<Core, "clock" | "logger"> & { readonly handshakeErrors: Counter },
): Promise<Listener> {
  const { host, port, tls, clock, requestHeader, logger, handshakeErrors } = options;
  const handle = (exchange: Exchange, upgrade?: Upgrade) => {
    handler.handle(exchange, upgrade).catch((error: unknown) => {
      logger.error("An answer could not be written", { path: exchange.path, error });
    });
  };
  return listen({
    host,
    port,
    clock,
    tls: requestHeader ? { ...tls, proxyAuthority: requestHeader.clientAuthority } : tls,
    onExchange: (exchange) => handle(exchange),
    onUpgrade: (upgrade) => handle(upgradeExchange(upgrade), upgrade),
    onHandshakeError: () => void (handshakeErrors.value += 1),
  });
}

function pagesOf({ clock, random }: Core, flags: NonNullable<ServeOptions["flags"]>): PathHandler {
  const { goVersion = "", gitVersion } = versionInfo();
  const binaryVersion = gitVersion.slice(1);
  return zPages({
    clock,
    random,
    started: clock.now(),
    goVersion,
    binaryVersion,
    flags,
    paths: pagePaths,
  });
}

interface ServedDocuments extends DocumentSource {
  /** Where clients reach the server. */
  address: string;
  discovery(): Discovery;
  close(): void;
}

/** Discovery and OpenAPI of what is served, made anew when that changes. */
function servedDocuments(
  core: Core,
  { cbor, remote }: { readonly cbor: boolean; readonly remote: RemoteGroups | undefined },
): ServedDocuments {
  let discovery: Discovery | undefined;
  let openApi: Promise<OpenApi> | undefined;
  const ends = [
    core.served.onChange(() => {
      discovery = undefined;
      openApi = undefined;
    }),
    remote?.onChange(() => {
      discovery = undefined;
    }),
    remote?.openApi.onChange(() => {
      openApi = undefined;
    }),
  ];
  const source: ServedDocuments = {
    address: "",
    close: () => {
      for (const end of ends) end?.();
    },
    async get(path, asked) {
      if (!path.startsWith("/openapi/")) return undefined;
      openApi ??= makeOpenApi(core, { cbor, remote: remote?.openApi.documents() ?? [] });
      return (await openApi).get(path, asked);
    },
    discovery: () =>
      (discovery ??= createDiscovery({
        resources: discoveryRows(core.served),
        remote: remote?.versions(),
        priorities: remote?.priorities,
        serverAddress: source.address,
      })),
  };
  return source;
}

/** Few clients ask for it, and its texts are large: loaded when one does. */
async function makeOpenApi(
  core: Core,
  { cbor, remote }: { readonly cbor: boolean; readonly remote: readonly RemoteOpenApi[] },
): Promise<OpenApi> {
  const { createOpenApi } = await import("../openapi/index.ts");
  const { gitVersion } = versionInfo();
  const now = () => core.clock.now();
  const resources = discoveryRows(core.served);
  const custom = new Map(
    Array.from(core.served.all()).flatMap(({ apiVersion, resource, openApiSchema }) =>
      openApiSchema ? [[`${apiVersion}/${resource.kind}`, openApiSchema] as const] : [],
    ),
  );
  return createOpenApi({
    resources,
    custom,
    schemas,
    remote,
    version: gitVersion,
    cbor,
    now,
    compress: promisify(gzip),
    pause: setImmediate,
  });
}

/** An upgrade's request: whoever upgrades writes to the raw connection, everyone else answers as to any request. */
function upgradeExchange({ request, socket }: Upgrade): Exchange {
  return new Http1Exchange(request, () => {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as TLSSocket);
    response.once("finish", () => socket.end());
    return response;
  });
}
