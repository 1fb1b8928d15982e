import { ApiError } from "../../../apimachinery/index.ts";
import type { UserInfo } from "../../../api/index.ts";
import { anonymousUser } from "../../authentication/authenticator.ts";
import type { Authenticator } from "../../authentication/authenticator.ts";
import type { Clock } from "../../../base/index.ts";
import type { CertificateReader } from "../certificates.ts";
import type { Exchange } from "../exchange.ts";
import type { IdentityMetrics } from "../metrics/identity-metrics.ts";
import { userOfHeaders } from "../request-header.ts";
import type { RequestHeaderOptions } from "../request-header.ts";
import type { Filter, Incoming } from "./filter.ts";

export interface AuthenticationOptions {
  readonly authenticator: Authenticator;
  readonly certificates: CertificateReader;
  /** Whether requests without credentials are let through to authorization. */
  readonly anonymous: boolean;
  readonly requestHeader?: RequestHeaderOptions | undefined;
  readonly clock: Clock;
  readonly metrics: IdentityMetrics;
}

const authenticatedGroup = "system:authenticated";

/** Finds out who asks: by a proxy's word, a certificate, a token; throws `Unauthorized`. */
export function withAuthentication(options: AuthenticationOptions): Filter {
  return (next) => async (request) => {
    const { clock, metrics } = options;
    const started = clock.now();
    let user: UserInfo | undefined;
    try {
      user = await identify(request, options);
    } finally {
      metrics.authenticated(user, clock.now() - started);
    }
    return next({ ...request, user });
  };
}

async function identify(request: Incoming, options: AuthenticationOptions): Promise<UserInfo> {
  const { exchange, warn } = request;
  const { requestHeader, authenticator, anonymous } = options;
  const shown = options.certificates.read(exchange.socket);
  let refused = shown.type === "certificate" && !shown.isClient;
  if (requestHeader && shown.type === "certificate" && shown.isProxy) {
    const { allowedNames } = requestHeader;
    const isAllowed = allowedNames.length === 0 || allowedNames.includes(shown.certificate.commonName);
    const named = isAllowed ? userOfHeaders(exchange, requestHeader) : undefined;
    if (named) return withGroup(named);
    refused ||= !isAllowed;
  }
  const certificate = shown.type === "certificate" && shown.isClient ? shown.certificate : undefined;
  if (certificate && shown.type === "certificate") {
    options.metrics.certificate((shown.validUntil - request.received) / 1_000);
  }
  const bearerToken = bearerOf(exchange, warn);
  if (certificate || bearerToken !== undefined) {
    const user = await authenticator.authenticate({
      ...(certificate ? { certificate } : {}),
      ...(bearerToken === undefined ? {} : { bearerToken }),
      warn,
    });
    if (user) return user;
  }
  // What was shown and not believed is no silence.
  if (refused || bearerToken !== undefined || !anonymous) throw ApiError.unauthorized();
  return anonymousUser;
}

/** The token of `Authorization: Bearer TOKEN`; other schemes are not looked at. */
function bearerOf({ headers }: Exchange, warn: (message: string) => void): string | undefined {
  const [scheme = "", token = "", ...rest] = (headers.authorization ?? "").trim().split(" ");
  if (scheme.toLowerCase() !== "bearer") return undefined;
  if (token !== "") return token;
  if (rest.length > 0) {
    warn("the provided Authorization header contains extra space before the bearer token, and is ignored");
  }
  return undefined;
}

const withGroup = (user: UserInfo): UserInfo =>
  user.groups.includes(authenticatedGroup) || user.name === anonymousUser.name
    ? user
    : { ...user, groups: [...user.groups, authenticatedGroup] };
