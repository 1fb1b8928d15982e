import { ApiError } from "../../apimachinery/index.ts";
import type { Annotate } from "../admission/plugin.ts";
import { validateAdmission } from "../registry/admit.ts";
import type { Core } from "../registry/context.ts";
import type { AnyObject } from "../registry/entry.ts";
import { get } from "../registry/read.ts";
import type { ServedResource } from "../registry/served.ts";
import type { Discovery } from "../discovery/index.ts";
import { EncodedPages, serveDocument } from "./documents.ts";
import type { DocumentSource } from "./documents.ts";
import type { Incoming } from "./filters/filter.ts";
import { healthAnswer } from "./health.ts";
import type { HealthChecks } from "./health.ts";
import { connectOptions } from "./connect-options.ts";
import type { ConnectHandler, ConnectRequest, Delegate } from "./handler.ts";
import type { ResourceInfo } from "./request-info.ts";
import { serveResource } from "./resources.ts";
import { admit, mediaTypesOf } from "./negotiate.ts";
import { sendText } from "./respond.ts";
import { checkRoute, isMisplaced } from "./routes.ts";
import { WatchPace } from "./watch-pace.ts";
import { FrameCache } from "./watch-stream.ts";
import type { SharedWatches } from "./watch-stream.ts";
import type { WatchSettings } from "./watch-stream.ts";

/** Serves plain paths; answers whether it did. */
export type PathHandler = (request: Incoming) => Promise<boolean> | boolean;

export interface EndpointOptions {
  readonly core: Core;
  readonly discovery: () => Discovery;
  readonly documents: readonly DocumentSource[];
  readonly health: HealthChecks;
  readonly version: object;
  /** Plain paths that are neither documents nor health. */
  readonly paths: readonly PathHandler[];
  /** By `group/plural/subresource`, e.g. `/pods/exec`. */
  readonly connect: Readonly<Record<string, ConnectHandler>>;
  readonly delegates: readonly Delegate[];
  /** Whether clients may speak CBOR. */
  readonly cbor: boolean;
  readonly watches: WatchSettings;
}

/** What stands behind all filters: resources and plain paths. */
export class Endpoints {
  private readonly options: EndpointOptions;
  private readonly shared: SharedWatches;
  private readonly encoded = new EncodedPages();
  private readonly watches = new Set<() => void>();

  constructor(options: EndpointOptions) {
    this.options = options;
    this.shared = { frames: new FrameCache(), pace: new WatchPace(options.core.clock) };
  }

  /** Ends all watches: clients resume them elsewhere. */
  endWatches(): void {
    for (const end of Array.from(this.watches)) end();
  }

  async serve(request: Incoming): Promise<void> {
    const { info } = request;
    return info.type === "path" ? this.servePath(request) : this.serveResource(request, info);
  }

  private async serveResource(request: Incoming, info: ResourceInfo): Promise<void> {
    const { exchange, user, headers, upgrade, warn, served } = request;
    const { core, delegates, cbor, watches } = this.options;
    for (const delegate of delegates) {
      const taken = delegate({ exchange, info, user, headers, ...(upgrade ? { upgrade } : {}) });
      // Nearly all requests stay here, and need not wait to hear it.
      if (taken !== false && (await taken)) return;
    }
    if (!served) {
      if (isOwnGroup(core, info.group)) throw ApiError.noSuchPath();
      return notFound(request);
    }
    if (isMisplaced(served, info)) return notFound(request);
    checkRoute(served, info, exchange.method);
    const subresource = `${info.group}/${info.resource}/${info.subresource}`;
    const connect = this.options.connect[subresource] ?? unconnected[subresource];
    if (connect) return this.connect(connect, { request, served, info });
    if (served.deprecationWarning) warn(served.deprecationWarning);
    await serveResource({
      core,
      exchange,
      info,
      served,
      user,
      headers,
      shared: this.shared,
      cbor,
      warn,
      upgrade,
      watches,
      onWatching: request.onWatching,
      audit: request.audit,
      lifetime: request,
      track: (end) => {
        this.watches.add(end);
        return () => void this.watches.delete(end);
      },
    });
  }

  private async connect(
    handler: ConnectHandler,
    matched: { readonly request: Incoming; readonly served: ServedResource; readonly info: ResourceInfo },
  ): Promise<void> {
    const { request, served, info } = matched;
    const { user, exchange, headers, upgrade } = request;
    const { core, cbor } = this.options;
    const { name, namespace, subresource, rest } = info;
    const key = served.resource.namespaced ? { namespace, name } : { name };
    const kind = served.subresources.find((found) => found.name === subresource)?.kind ?? "";
    // What is read and not passed on is text, or an error in the encodings of objects; it is no connection.
    if (!kind.endsWith("Options")) admit(exchange.headers.accept, ["text/plain", ...mediaTypesOf({ cbor })]);
    else {
      const { audit, warn } = request;
      const annotate: Annotate = (name, value, level) => audit?.annotate(name, value, level);
      const options = { user, warn, annotate, lifetime: request };
      const subject = { operation: "CONNECT", served, subresource, key, options } as const;
      await validateAdmission(core, subject, {
        object: connectOptions(kind, exchange.query, { rest }) as unknown as AnyObject,
      });
    }
    const { signal } = exchange;
    const call = { core, served, key, subresource, rest, user, exchange, headers, signal };
    await handler(upgrade ? { ...call, upgrade } : call);
  }

  private async servePath(request: Incoming): Promise<void> {
    const { exchange, headers, info, user } = request;
    const { health, paths, delegates, cbor } = this.options;
    const healthy = healthAnswer(health, exchange);
    if (healthy) {
      const { status, text, headers: own } = healthy;
      return exchange.respond(status, { ...headers, ...own }, Buffer.from(text));
    }
    for (const serve of paths) if (await serve(request)) return;
    const { encoded } = this;
    if (await serveDocument({ exchange, headers, offer: { cbor }, encoded }, this.options)) return;
    for (const delegate of delegates) if (await delegate({ exchange, info, user, headers })) return;
    if (isBelowRoutes(this.options.core, exchange.path)) throw ApiError.noSuchPath();
    notFound(request);
  }
}

/** Subresources that are no objects: where nothing serves them, that is said. */
const unconnected: Readonly<Record<string, ConnectHandler>> = Object.fromEntries(
  [
    "pods/attach",
    "pods/exec",
    "pods/log",
    "pods/portforward",
    "pods/proxy",
    "services/proxy",
    "nodes/proxy",
  ].map((name) => [`/${name}`, refuseConnection]),
);

async function refuseConnection({ served, key, subresource }: ConnectRequest): Promise<void> {
  get(served, key);
  throw ApiError.serviceUnavailable(`this server has no connections for ${subresource}`);
}

/** Whether the group is one of those that this server holds, in whatever versions. */
function isOwnGroup(core: Core, group: string): boolean {
  for (const { custom } of core.served.inGroup(group)) if (!custom) return true;
  return false;
}

/** Whether upstream's router, which answers with a Status, stands before a path that leads nowhere. */
function isBelowRoutes(core: Core, path: string): boolean {
  const [, root = "", group = ""] = path.split("/");
  if (root === "apis") return group !== "" && isOwnGroup(core, group);
  return (root === "api" || root === "version") && path.length > root.length + 1;
}

function notFound({ exchange, headers }: Incoming): void {
  sendText(exchange, { status: 404, text: "404 page not found\n", headers });
}
