import { ApiError } from "../../../apimachinery/index.ts";
import type { UserInfo } from "../../../api/index.ts";
import { authenticated } from "../../authentication/authenticated.ts";
import { anonymousUser } from "../../authentication/authenticator.ts";
import type { Authenticator } from "../../authentication/authenticator.ts";
import type { Clock, Milliseconds } from "../../../base/index.ts";
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

/** Finds out who asks: by a proxy's word, a certificate, a token; throws `Unauthorized`. */
export function withAuthentication(options: AuthenticationOptions): Filter {
  const { clock, metrics } = options;
  return (next) => {
    const known = (request: Incoming, user: UserInfo, started: Milliseconds) => {
      metrics.authenticated(user, clock.now() - started);
      return next({ ...request, user });
    };
    return (request) => {
      const started = clock.now();
      const failed = (error: unknown): never => {
        metrics.authenticated(undefined, clock.now() - started);
        throw error;
      };
      let user: UserInfo | Promise<UserInfo>;
      try {
        user = identify(request, options);
      } catch (error) {
        return failed(error);
      }
      if (!(user instanceof Promise)) return known(request, user, started);
      return user.then((found) => known(request, found, started), failed);
    };
  };
}

/** At once where nothing must be looked up. */
function identify(request: Incoming, options: AuthenticationOptions): UserInfo | Promise<UserInfo> {
  const { exchange, warn } = request;
  const { requestHeader, authenticator, anonymous } = options;
  const shown = options.certificates.read(exchange.socket);
  let refused = shown.type === "certificate" && !shown.isClient;
  if (requestHeader && shown.type === "certificate" && shown.isProxy) {
    const { allowedNames } = requestHeader;
    const isAllowed = allowedNames.length === 0 || allowedNames.includes(shown.certificate.commonName);
    const named = isAllowed ? userOfHeaders(exchange, requestHeader) : undefined;
    if (named) return authenticated(named);
    refused ||= !isAllowed;
  }
  const own = shown.type === "certificate" && shown.isClient ? shown : undefined;
  if (own) options.metrics.certificate((own.validUntil - request.received) / 1_000);
  const certificate = own?.certificate;
  const bearerToken = bearerOf(exchange, warn);
  // What was shown and not believed is no silence.
  const silent = !refused && bearerToken === undefined && anonymous;
  const userOrNobody = (user: UserInfo | undefined): UserInfo => {
    if (user) return user;
    if (silent) return anonymousUser;
    throw ApiError.unauthorized();
  };
  if (!certificate && bearerToken === undefined) return userOrNobody(undefined);
  const user = authenticator.authenticate({
    ...(certificate ? { certificate } : {}),
    ...(bearerToken === undefined ? {} : { bearerToken }),
    warn,
  });
  return user instanceof Promise ? user.then(userOrNobody) : userOrNobody(user);
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
