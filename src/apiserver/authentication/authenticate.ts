import type { UserInfo } from "../../api/index.ts";
import type { TokenReviewSpec, TokenReviewStatus } from "../../api/types/authentication-v1.ts";
import { ApiError } from "../../apimachinery/index.ts";
import { authenticated } from "./authenticated.ts";
import type { Authenticator, Credentials } from "./authenticator.ts";
import { TokenError } from "./token-authenticator.ts";
import type { TokenAuthenticator } from "./token-authenticator.ts";

/**
 * Client certificates first (common name is the user, organizations are the groups), then bearer tokens; undefined
 * for requests that show neither.
 */
export function createAuthenticator(options: {
  readonly tokens: TokenAuthenticator;
  /** Whom tokens must be for. */
  readonly apiAudiences: readonly string[];
}): Authenticator {
  // A connection shows the same certificate with each request: its user is made once.
  const users = new WeakMap<object, UserInfo>();
  return {
    authenticate({ certificate, bearerToken, warn }: Credentials) {
      if (certificate && certificate.commonName !== "") {
        const known = users.get(certificate) ?? authenticated(userOf(certificate));
        users.set(certificate, known);
        return known;
      }
      const token = bearerToken?.trim() ?? "";
      return token === "" ? undefined : userOfToken(options, { token, warn });
    },
  };
}

async function userOfToken(
  options: { readonly tokens: TokenAuthenticator; readonly apiAudiences: readonly string[] },
  { token, warn }: { readonly token: string; readonly warn: Credentials["warn"] },
): Promise<UserInfo> {
  const identity = await authenticateToken(options, token);
  if (!identity) throw ApiError.unauthorized();
  for (const warning of identity.warnings ?? []) warn?.(warning);
  return authenticated(identity.user);
}

const credentialKey = "authentication.kubernetes.io/credential-id";

function userOf(certificate: NonNullable<Credentials["certificate"]>): UserInfo {
  const { commonName: name, organizations: groups, uid, sha256 } = certificate;
  return {
    name,
    groups,
    ...(uid === undefined ? {} : { uid }),
    ...(sha256 === undefined ? {} : { extra: { [credentialKey]: [`X509SHA256=${sha256}`] } }),
  };
}

async function authenticateToken(
  options: { readonly tokens: TokenAuthenticator; readonly apiAudiences: readonly string[] },
  token: string,
) {
  try {
    return await options.tokens.authenticateToken(token, options.apiAudiences);
  } catch (error) {
    // Why is for the owner of the cluster to know, through a token review.
    if (error instanceof TokenError) throw ApiError.unauthorized();
    throw error;
  }
}

/** Answers a token review: whose the token is, and for which audiences. */
export async function evaluateTokenReview(
  options: { readonly tokens: TokenAuthenticator; readonly apiAudiences: readonly string[] },
  spec: TokenReviewSpec,
): Promise<TokenReviewStatus> {
  if (!spec.token) throw ApiError.badRequest("token is required for TokenReview in authentication");
  const wanted = spec.audiences?.length ? spec.audiences : options.apiAudiences;
  try {
    const identity = await options.tokens.authenticateToken(spec.token, wanted);
    if (!identity) return { user: {}, error: "invalid bearer token" };
    const { name, uid, groups, extra } = authenticated(identity.user);
    return {
      authenticated: true,
      user: { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) },
      audiences: identity.audiences,
    };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return { user: {}, error: `[invalid bearer token, ${error.message}]` };
  }
}

/** The user that a review of oneself shows. */
export function selfSubject(user: UserInfo) {
  const { name, uid, groups, extra } = user;
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}
