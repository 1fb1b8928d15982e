import type { ObjectKey } from "../../apimachinery/index.ts";
import type { UserInfo } from "../../api/index.ts";
import type { Random } from "../../base/index.ts";
import { anonymousUser } from "../authentication/authenticator.ts";
import type { Core } from "../registry/context.ts";
import type { ServedResource } from "../registry/served.ts";
import { Endpoints } from "./endpoints.ts";
import type { EndpointOptions } from "./endpoints.ts";
import type { Exchange } from "./exchange.ts";
import { chain, isLongRunning } from "./filters/filter.ts";
import type { Filter, Handle, Incoming } from "./filters/filter.ts";
import type { Upgrade } from "./listener.ts";
import type { RequestMetrics } from "./metrics/request-metrics.ts";
import { RequestInfos } from "./request-info.ts";
import type { RequestInfo, UnreadableRequest } from "./request-info.ts";
import { sendText } from "./respond.ts";
import { Warnings } from "./warnings.ts";

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
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}) => Promise<boolean> | boolean;

export interface HandlerOptions extends EndpointOptions {
  /** What stands before the endpoints, the outermost first. */
  readonly filters: readonly Filter[];
  readonly metrics: RequestMetrics;
}

const nothing = () => {};

/** Of an ID that a client gives a request no more is kept. */
const longestAuditId = 64;

/** Answers every request: who, whether, what. */
export class RequestHandler {
  private readonly core: Core;
  private readonly metrics: RequestMetrics;
  private readonly infos = new RequestInfos();
  private readonly endpoints: Endpoints;
  private readonly answer: Handle;

  constructor(options: HandlerOptions) {
    this.core = options.core;
    this.metrics = options.metrics;
    this.endpoints = new Endpoints(options);
    this.answer = chain(options.filters, (request) => this.endpoints.serve(request));
  }

  /** Ends all watches: clients resume them elsewhere. */
  endWatches(): void {
    this.endpoints.endWatches();
  }

  async handle(exchange: Exchange, upgrade?: Upgrade): Promise<void> {
    const { clock, random } = this.core;
    const info = this.infos.of(exchange);
    const headers: Record<string, string | readonly string[]> = {
      "audit-id": auditIdOf(exchange, random),
      "cache-control": "no-cache, private",
    };
    if (info.type === "unreadable") return refuseUnreadable(info, exchange, headers);
    const warnings = new Warnings(headers);
    const ends: (() => void)[] = [];
    const request: Incoming = {
      exchange,
      headers,
      info,
      upgrade,
      received: clock.now(),
      deadline: Infinity,
      longRunning: isLongRunning(info),
      served:
        info.type === "path" ? undefined : this.core.served.find(info.group, info.version, info.resource),
      user: anonymousUser,
      warn: (message) => warnings.add(message),
      onWatching: nothing,
      onEnd: (action) => void ends.push(action),
    };
    if (request.longRunning) ends.push(this.metrics.begin(request));
    try {
      await this.answer(request);
    } finally {
      for (const end of ends) end();
      this.metrics.observe(request, (clock.now() - request.received) / 1_000);
    }
  }
}

function auditIdOf({ headers }: Exchange, random: Random): string {
  const given = headers["audit-id"];
  return given === undefined || given === "" ? random.uuid() : String(given).slice(0, longestAuditId);
}

function refuseUnreadable(
  { status, text }: UnreadableRequest,
  exchange: Exchange,
  headers: Incoming["headers"],
): void {
  if (status !== 400) return sendText(exchange, { status, text, headers });
  // Upstream's HTTP library refuses it before the API server sees it.
  exchange.respond(status, { "content-type": "text/plain; charset=utf-8" }, Buffer.from(text));
}
