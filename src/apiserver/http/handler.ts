import { ApiError } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import type { UserInfo } from "../../api/index.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import type { Attributes } from "../authorization/authorizer.ts";
import type { Discovery } from "../discovery/index.ts";
import { validateAdmission } from "../registry/admit.ts";
import { authorize } from "../registry/context.ts";
import type { Core } from "../registry/context.ts";
import type { ServedResource } from "../registry/served.ts";
import type { ApiServer } from "../server/server.ts";
import { serveDocument } from "./documents.ts";
import type { DocumentSource } from "./documents.ts";
import type { Exchange } from "./exchange.ts";
import { healthAnswer } from "./health.ts";
import type { HealthChecks } from "./health.ts";
import { identify } from "./identity.ts";
import type { Upgrade } from "./listener.ts";
import { RequestMetrics } from "./metrics.ts";
import { requestInfoOf } from "./request-info.ts";
import type { RequestInfo } from "./request-info.ts";
import { addWarning, serveResource } from "./resources.ts";
import { sendError, sendText } from "./respond.ts";
import { FrameCache } from "./watch-stream.ts";

/** A request that leaves the API's own forms behind: exec, attach, port-forward, log, proxy. */
export interface ConnectRequest {
  readonly core: Core;
  readonly served: ServedResource;
  readonly key: ObjectKey;
  readonly subresource: string;
  /** The path behind the subresource, for proxies. */
  readonly rest: string;
  readonly user: UserInfo;
  /** The request as HTTP; for an upgrade it must not be answered through this. */
  readonly exchange: Exchange;
  /** The raw connection, when the client asked to leave HTTP. */
  readonly upgrade?: Upgrade;
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly signal: AbortSignal;
}

/** Serves one subresource that is not an object; settles when it is done with the connection. */
export type ConnectHandler = (request: ConnectRequest) => Promise<void>;

/** Takes requests for groups that this server does not hold itself; answers whether it did. */
export type Delegate = (request: {
  readonly exchange: Exchange;
  readonly upgrade?: Upgrade;
  readonly info: RequestInfo;
  readonly user: UserInfo;
}) => Promise<boolean> | boolean;

export interface HandlerOptions {
  readonly server: ApiServer;
  readonly authenticator: Authenticator;
  readonly anonymous: boolean;
  readonly discovery: () => Discovery;
  readonly documents: readonly DocumentSource[];
  readonly health: HealthChecks;
  readonly metrics: RequestMetrics;
  readonly version: object;
  /** By `group/plural/subresource`, e.g. `/pods/exec`. */
  readonly connect: Readonly<Record<string, ConnectHandler>>;
  readonly delegates: readonly Delegate[];
  /** Whether clients may speak CBOR. */
  readonly cbor?: boolean;
}

/** How many requests may be in progress at once; watches and connections do not count. */
const inFlightLimits = { reading: 400, writing: 200 } as const;
/** Verbs that are about one object, whose namespace they must name. */
const namesOne = new Set(["get", "update", "patch", "delete"]);
const longRunning = new Set(["watch", "connect"]);
/** How long a request may take that is not a watch. */
const requestTimeout = 60_000;

/** Answers every request: who, whether, what. */
export class RequestHandler {
  private readonly options: HandlerOptions;
  private readonly frames = new FrameCache();
  private readonly watches = new Set<() => void>();
  private reading = 0;
  private writing = 0;

  constructor(options: HandlerOptions) {
    this.options = options;
    const gauge = (kind: string, read: () => number) =>
      options.metrics.gauge(`apiserver_current_inflight_requests{request_kind="${kind}"}`, read);
    gauge("readOnly", () => this.reading);
    gauge("mutating", () => this.writing);
    options.metrics.gauge("apiserver_longrunning_requests", () => this.watches.size);
  }

  /** Ends all watches: clients resume them elsewhere. */
  endWatches(): void {
    for (const end of Array.from(this.watches)) end();
  }

  async handle(exchange: Exchange, upgrade?: Upgrade): Promise<void> {
    const { core } = this.options.server;
    const started = core.clock.now();
    const headers: Record<string, string | readonly string[]> = {
      "audit-id": String(exchange.headers["audit-id"] ?? core.random.uuid()),
      "cache-control": "no-cache, private",
    };
    const info = requestInfoOf(exchange);
    try {
      await this.limited({ exchange, headers, info, upgrade });
    } catch (error) {
      const failure = ApiError.from(error);
      if (!(error instanceof ApiError)) core.logger.error("A request failed", { path: exchange.path, error });
      await sendError(exchange, failure, { headers, offer: this.options });
    } finally {
      this.observe(exchange, info, core.clock.now() - started);
    }
  }

  private observe(exchange: Exchange, info: RequestInfo, elapsed: number): void {
    if (info.type === "path") return;
    const { group, version, resource, subresource, name, namespace, verb } = info;
    if (!this.options.server.core.served.find(group, version, resource)) return;
    const scope = name !== "" ? "resource" : namespace !== "" ? "namespace" : "cluster";
    this.options.metrics.observe({
      verb: verb.toUpperCase(),
      group,
      version,
      resource,
      subresource,
      scope,
      code: exchange.status,
      seconds: elapsed / 1_000,
      longRunning: verb === "watch",
    });
  }

  private async limited(request: Incoming): Promise<void> {
    const { info, exchange } = request;
    const connects = info.type === "resource" && this.connectHandler(info) !== undefined;
    if (connects || request.upgrade || longRunning.has(info.verb)) return this.route(request);
    const reads = exchange.method === "GET" || exchange.method === "HEAD";
    const { reading, writing } = inFlightLimits;
    if (reads ? this.reading >= reading : this.writing >= writing) {
      throw ApiError.tooManyRequests("Too many requests, please try again later.", 1);
    }
    const count = (step: number) => void (reads ? (this.reading += step) : (this.writing += step));
    count(1);
    const { clock } = this.options.server.core;
    const timer = clock.after(requestTimeout, () => {
      const late = ApiError.timeout("request did not complete within the allotted timeout");
      void sendError(exchange, late, { headers: request.headers, offer: this.options });
    });
    try {
      await this.route(request);
    } finally {
      timer.cancel();
      count(-1);
    }
  }

  private async route(request: Incoming): Promise<void> {
    const { exchange, info, headers } = request;
    const { server, authenticator, anonymous } = this.options;
    const { core } = server;
    const warn = (message: string) => addWarning(headers, message);
    const user = await identify(exchange, { authenticator, core, anonymous, warn });
    authorize(core, attributesOf(info, user));
    if (info.type === "path") return this.servePath(request, user);
    for (const delegate of this.options.delegates) {
      if (await delegate({ exchange, info, user, ...(request.upgrade ? { upgrade: request.upgrade } : {}) }))
        return;
    }
    const served = core.served.find(info.group, info.version, info.resource);
    if (!served || (served.resource.namespaced && info.namespace === "" && namesOne.has(info.verb))) {
      const { group, version } = info;
      const isServed = Array.from(core.served.all()).some(
        ({ resource }) => resource.group === group && resource.version === version,
      );
      if (isServed) throw ApiError.noSuchPath();
      return notFound(request);
    }
    const connect = this.connectHandler(info);
    if (connect) return this.connect(connect, { request, served, user, info });
    refuseForeign(served, info);
    if (served.deprecationWarning) warn(served.deprecationWarning);
    await serveResource({
      core,
      exchange,
      info,
      served,
      user,
      headers,
      frames: this.frames,
      cbor: this.options.cbor ?? false,
      track: (end) => {
        this.watches.add(end);
        return () => void this.watches.delete(end);
      },
    });
  }

  private connectHandler(info: RequestInfo): ConnectHandler | undefined {
    if (info.type !== "resource" || info.subresource === "") return undefined;
    return this.options.connect[`${info.group}/${info.resource}/${info.subresource}`];
  }

  private async connect(
    handler: ConnectHandler,
    call: {
      request: Incoming;
      served: ServedResource;
      user: UserInfo;
      info: Extract<RequestInfo, { type: "resource" }>;
    },
  ): Promise<void> {
    const { request, served, user, info } = call;
    const { core } = this.options.server;
    const { name, namespace, subresource, rest } = info;
    const key = served.resource.namespaced ? { namespace, name } : { name };
    await validateAdmission(core, { operation: "CONNECT", served, subresource, key, options: { user } }, {});
    await handler({
      core,
      served,
      key,
      subresource,
      rest,
      user,
      exchange: request.exchange,
      headers: request.headers,
      signal: request.exchange.signal,
      ...(request.upgrade ? { upgrade: request.upgrade } : {}),
    });
  }

  private async servePath(request: Incoming, user: UserInfo): Promise<void> {
    const { exchange, headers, info } = request;
    const { path } = exchange;
    const health = healthAnswer(this.options.health, exchange);
    if (health) return sendText(exchange, { ...health, headers });
    if (path === "/metrics")
      return sendText(exchange, { status: 200, text: this.options.metrics.text(), headers });
    if (await serveDocument({ exchange, headers, offer: this.options }, this.options)) return;
    for (const delegate of this.options.delegates) if (await delegate({ exchange, info, user })) return;
    notFound(request);
  }
}

interface Incoming {
  readonly exchange: Exchange;
  readonly headers: Record<string, string | readonly string[]>;
  readonly info: RequestInfo;
  readonly upgrade: Upgrade | undefined;
}

function attributesOf(info: RequestInfo, user: UserInfo): Attributes {
  if (info.type === "path") return { type: "path", user, verb: info.verb, path: info.path };
  const { verb, group, version, resource, subresource, namespace, name } = info;
  return { type: "resource", user, verb, group, version, resource, subresource, namespace, name };
}

/** Refuses paths and methods that the resource does not have, before anything of the body is looked at. */
function refuseForeign(served: ServedResource, info: Extract<RequestInfo, { type: "resource" }>): void {
  const { name, verb } = info;
  const found = served.subresources.find((subresource) => subresource.name === info.subresource);
  if (info.subresource !== "" && found === undefined) throw ApiError.noSuchPath();
  const forOne = found !== undefined || name !== "";
  const allowed = (found ?? served).verbs.includes(verb);
  const misplaced =
    found === undefined && (forOne ? verb === "create" : verb === "update" || verb === "patch");
  if (!allowed || misplaced) throw ApiError.noSuchMethod();
}

function notFound({ exchange, headers }: Incoming): void {
  sendText(exchange, { status: 404, text: "404 page not found\n", headers });
}
