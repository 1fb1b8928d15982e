import { ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { schemas } from "../../api/index.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import { createDiscovery } from "../discovery/index.ts";
import type { Discovery } from "../discovery/index.ts";
import type { OpenApi } from "../openapi/index.ts";
import type { Core } from "../registry/context.ts";
import type { ApiServer } from "../server/server.ts";
import { Http1Exchange } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { RequestHandler } from "./handler.ts";
import type { DocumentSource } from "./documents.ts";
import type { ConnectHandler, Delegate } from "./handler.ts";
import { healthChecks } from "./health.ts";
import type { HealthCheck } from "./health.ts";
import { listen } from "./listener.ts";
import type { ServerTls, Upgrade } from "./listener.ts";
import { RequestMetrics } from "./metrics.ts";
import { discoveryRows } from "./rows.ts";
import { versionInfo } from "./version.ts";

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** `host:port` under which clients reach the server; default: where it listens. */
  readonly advertise?: string;
  readonly tls: ServerTls;
  readonly authenticator: Authenticator;
  /** Whether requests without credentials are let through to authorization; default: true. */
  readonly anonymous?: boolean;
  readonly connect?: Readonly<Record<string, ConnectHandler>>;
  readonly delegates?: readonly Delegate[];
  /** Whether clients may speak CBOR, as with upstream's gate CBORServingAndStorage; default: false. */
  readonly cbor?: boolean;
  /** Serves more documents. */
  readonly documents?: readonly DocumentSource[];
  /** What must hold before the server is ready, besides its own checks. */
  readonly readyChecks?: readonly HealthCheck[];
}

export interface ServedApi {
  readonly address: { readonly host: string; readonly port: number };
  readonly metrics: RequestMetrics;
  /** Ends watches, lets requests in progress finish, and stops listening. */
  close(): Promise<void>;
}

/** How long requests in progress may take when the server closes. */
const closingPatience = 5_000;

/** Serves the API over HTTPS. */
export async function serveApi(server: ApiServer, options: ServeOptions): Promise<ServedApi> {
  const { core } = server;
  const metrics = new RequestMetrics();
  const documents = servedDocuments(core);
  const handler = new RequestHandler({
    server,
    authenticator: options.authenticator,
    anonymous: options.anonymous ?? true,
    discovery: documents.discovery,
    documents: [documents, ...(options.documents ?? [])],
    health: healthChecks({
      store: { name: "etcd", check: () => (core.store.revision >= 0 ? undefined : "no revision") },
      ready: options.readyChecks ?? [],
    }),
    metrics,
    version: versionInfo(),
    connect: options.connect ?? {},
    delegates: options.delegates ?? [],
    cbor: options.cbor ?? false,
  });
  const handle = (exchange: Exchange, upgrade?: Upgrade) => {
    handler.handle(exchange, upgrade).catch((error: unknown) => {
      core.logger.error("An answer could not be written", { path: exchange.path, error });
    });
  };
  const listener = await listen({
    host: options.host,
    port: options.port,
    tls: options.tls,
    onExchange: (exchange) => handle(exchange),
    onUpgrade: (upgrade) => handle(upgradeExchange(upgrade), upgrade),
  });
  documents.address = options.advertise ?? `${listener.address.host}:${listener.address.port}`;
  return {
    address: listener.address,
    metrics,
    async close() {
      documents.close();
      handler.endWatches();
      await listener.close({ patience: closingPatience });
    },
  };
}

interface ServedDocuments extends DocumentSource {
  /** Where clients reach the server. */
  address: string;
  discovery(): Discovery;
  close(): void;
}

/** Discovery and OpenAPI of what is served, made anew when that changes. */
function servedDocuments(core: Core): ServedDocuments {
  let discovery: Discovery | undefined;
  let openApi: Promise<OpenApi> | undefined;
  const source: ServedDocuments = {
    address: "",
    close: core.served.onChange(() => {
      discovery = undefined;
      openApi = undefined;
    }),
    async get(path, asked) {
      if (!path.startsWith("/openapi/")) return undefined;
      openApi ??= makeOpenApi(core);
      return (await openApi).get(path, asked);
    },
    discovery: () =>
      (discovery ??= createDiscovery({
        resources: discoveryRows(core.served),
        serverAddress: source.address,
      })),
  };
  return source;
}

/** Few clients ask for it, and its texts are large: loaded when one does. */
async function makeOpenApi(core: Core): Promise<OpenApi> {
  const { createOpenApi } = await import("../openapi/index.ts");
  const { gitVersion } = versionInfo();
  const now = () => core.clock.now();
  const resources = discoveryRows(core.served);
  return createOpenApi({ resources, schemas, version: gitVersion, now, compress: promisify(gzip) });
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
