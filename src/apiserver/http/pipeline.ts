import type { Milliseconds } from "../../base/index.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import type { ObjectReader } from "../reader.ts";
import type { Core } from "../registry/context.ts";
import { CertificateReader } from "./certificates.ts";
import type { Auditor } from "./audit/auditor.ts";
import { auditFilters } from "./filters/audit.ts";
import { withAuthentication } from "./filters/authentication.ts";
import { withAuthorization } from "./filters/authorization.ts";
import { withCors, withStrictTransport } from "./filters/browsers.ts";
import { withDeadline } from "./filters/deadline.ts";
import { withFailures } from "./filters/failures.ts";
import type { Filter } from "./filters/filter.ts";
import { withGoaway } from "./filters/goaway.ts";
import { withImpersonation } from "./filters/impersonation.ts";
import type { Lifecycle } from "./filters/lifecycle.ts";
import { limitsOf } from "./limits.ts";
import type { Limits } from "./limits.ts";
import type { RequestMetrics } from "./metrics/request-metrics.ts";
import { IdentityMetrics } from "./metrics/identity-metrics.ts";
import type { MetricsRegistry } from "./metrics/registry.ts";
import type { RequestHeaderOptions } from "./request-header.ts";

/** What can be set of how requests are let in; absent: as upstream's flags are. */
export interface FrontSettings {
  /** How many reading requests may be in progress at once; 0: as many as come; default: 400. */
  readonly maxRequestsInflight?: number;
  /** How many writing requests may be in progress at once; 0: as many as come; default: 200. */
  readonly maxMutatingRequestsInflight?: number;
  /** Whether requests share what there is by priority and fairness; default: true. */
  readonly priorityAndFairness?: boolean;
  /** How long a request may take that is not long-running; default: a minute. */
  readonly requestTimeout?: Milliseconds;
  /** Watches without a wish of their own end after between once and twice this; default: 1800. */
  readonly minRequestTimeoutSeconds?: number;
  /** The part of HTTP/2 requests after which the client is sent to another connection, up to 0.02; default: 0. */
  readonly goawayChance?: number;
  /** Patterns of origins whose pages may use the API. */
  readonly corsAllowedOrigins?: readonly RegExp[];
  /** Directives of the header Strict-Transport-Security; none: no header. */
  readonly strictTransportSecurityDirectives?: readonly string[];
  /** Whether requests without credentials are let through to authorization; default: true. */
  readonly anonymous?: boolean;
  /** Proxies in front of the server that say who asks. */
  readonly requestHeader?: RequestHeaderOptions;
}

const defaultInflight = { reading: 400, writing: 200 } as const;
const defaultRequestTimeout: Milliseconds = 60_000;

interface PipelineOptions {
  readonly core: Core;
  readonly reader: ObjectReader;
  readonly settings: FrontSettings;
  readonly authenticator: Authenticator;
  readonly clientAuthority: string | undefined;
  readonly lifecycle: Lifecycle;
  /** Undefined where nothing is recorded. */
  readonly auditor: Auditor | undefined;
  readonly metrics: RequestMetrics;
  readonly registry: MetricsRegistry;
  readonly cbor: boolean;
}

/** The filters of all requests, in upstream's order, the outermost first. */
export function pipelineOf(options: PipelineOptions): {
  readonly filters: readonly Filter[];
  readonly limits: Limits;
} {
  const { core, reader, settings, metrics, lifecycle, registry } = options;
  const { clock, random, logger, authorizer } = core;
  const offer = { cbor: options.cbor };
  const {
    requestTimeout = defaultRequestTimeout,
    goawayChance: chance = 0,
    corsAllowedOrigins = [],
    strictTransportSecurityDirectives = [],
  } = settings;
  const identity = new IdentityMetrics(registry);
  const audit = options.auditor && auditFilters({ auditor: options.auditor, clock });
  const limits = limitsOf({
    core,
    reader,
    fair: settings.priorityAndFairness ?? true,
    limits: {
      reading: settings.maxRequestsInflight ?? defaultInflight.reading,
      writing: settings.maxMutatingRequestsInflight ?? defaultInflight.writing,
    },
    requestTimeout,
    registry,
    onRefused: (request) => metrics.dropped(request),
    onWaited: (request, seconds) => metrics.waited(request, seconds),
  });
  const filters: readonly (Filter | false)[] = [
    withFailures({ logger, offer }),
    strictTransportSecurityDirectives.length > 0 && withStrictTransport(strictTransportSecurityDirectives),
    chance > 0 && withGoaway({ random, chance }),
    lifecycle.filter,
    withDeadline({
      clock,
      requestTimeout,
      offer,
      onTimeout: (request) => metrics.terminated(request, 504),
      onAbort: (request) => metrics.aborted(request),
    }),
    corsAllowedOrigins.length > 0 && withCors(corsAllowedOrigins),
    audit?.unknown ?? false,
    authentication(options, identity),
    audit?.known ?? false,
    withImpersonation(authorizer),
    limits.filter,
    withAuthorization({ authorizer, clock, metrics: identity }),
  ];
  return { filters: filters.filter((filter) => filter !== false), limits };
}

function authentication(
  { core: { clock }, authenticator, settings, clientAuthority }: PipelineOptions,
  metrics: IdentityMetrics,
): Filter {
  const { anonymous = true, requestHeader } = settings;
  const certificates = new CertificateReader({
    clients: clientAuthority,
    proxies: requestHeader?.clientAuthority,
  });
  return withAuthentication({ authenticator, certificates, anonymous, requestHeader, clock, metrics });
}
