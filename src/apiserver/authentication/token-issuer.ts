import type { UserInfo } from "../../api/index.ts";
import type { TokenRequestSpec, TokenRequestStatus } from "../../api/types/authentication-v1.ts";
import { Node, Pod, Secret } from "../../api/types/core-v1.ts";
import type { ServiceAccount } from "../../api/types/core-v1.ts";
import { ApiError, FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import type { KubernetesObject } from "../../apimachinery/index.ts";
import type { Clock, Random } from "../../base/index.ts";
import type { ObjectReader } from "../reader.ts";
import { base64UrlText, bytesOfBase64 } from "./base64.ts";
import {
  checkClaims,
  judgeLegacyClaims,
  legacyIssuer,
  serviceAccountUserName,
  userOfClaims,
} from "./service-account-claims.ts";
import type { LegacyClaims, ObjectClaim, ServiceAccountClaims } from "./service-account-claims.ts";
import type { ServiceAccountKey } from "./service-account-key.ts";
import { TokenError } from "./token-authenticator.ts";
import type { TokenAuthenticator } from "./token-authenticator.ts";

const defaultExpirationSeconds = 3600;
const shortestExpirationSeconds = 600;
const longestExpirationSeconds = 2 ** 32;
/** What kubelets ask for when a pod has its token by default: such tokens live on for clients that never reload. */
const extendedRequestSeconds = 3607;
const extendedExpirationSeconds = 365 * 24 * 60 * 60;
/** Verified tokens whose signatures need no second check. */
const cachedTokens = 4096;

/** Makes and judges service account tokens. */
export interface TokenIssuer extends TokenAuthenticator {
  readonly issuer: string;
  /** What a `serviceaccounts/token` request gets; throws ApiError. */
  issue(request: {
    readonly serviceAccount: ServiceAccount;
    readonly spec: TokenRequestSpec;
  }): Promise<{ readonly spec: TokenRequestSpec; readonly status: Required<TokenRequestStatus> }>;
  /** The token of a secret of type `kubernetes.io/service-account-token`. */
  issueLegacy(request: { readonly serviceAccount: ServiceAccount; readonly secret: string }): Promise<string>;
  /** The document at `/openid/v1/jwks`. */
  jwks(): { readonly keys: readonly Readonly<Record<string, string>>[] };
  /** The document at `/.well-known/openid-configuration`. */
  openIdConfiguration(): Readonly<Record<string, string | readonly string[]>>;
}

/** What an issuer works with. */
export interface TokenIssuerOptions {
  readonly key: ServiceAccountKey;
  readonly issuer: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly reader: ObjectReader;
  /** Whom tokens are for by default: the API server; default: the issuer. */
  readonly apiAudiences?: readonly string[];
  /** Where the JWKS is; default: below the issuer. */
  readonly jwksUri?: string;
  /** Told of each use of a secret's token. */
  readonly noteSecretUse?: (secret: Secret) => Promise<void>;
}

/** Tokens of service accounts, bound to what the reader shows. */
export function createTokenIssuer(options: TokenIssuerOptions): TokenIssuer {
  const { key, issuer, clock, reader } = options;
  const apiAudiences = options.apiAudiences ?? [issuer];
  const verify = createVerifier({ key, issuer });
  const users = new WeakMap<ServiceAccountClaims, UserInfo>();
  return {
    issuer,
    async issue({ serviceAccount, spec }) {
      const planned = planToken({ ...options, apiAudiences }, { serviceAccount, spec });
      const token = await sign(key, planned.claims);
      return { spec: planned.spec, status: { token, expirationTimestamp: planned.expirationTimestamp } };
    },
    issueLegacy: (request) => sign(key, legacyClaims(request)),
    async authenticateToken(token, audiences) {
      const claims = await verify(token);
      if (!claims) return undefined;
      const legacy = claims.iss === legacyIssuer && !("aud" in claims);
      const meant = legacy ? apiAudiences : (claims as ServiceAccountClaims).aud;
      const matching = audiences.filter((audience) => meant.includes(audience));
      if (matching.length === 0) {
        throw new TokenError(
          `token audiences ${quotedList(meant)} is invalid for the target audiences ${quotedList(audiences)}`,
        );
      }
      const now = clock.now();
      if (!legacy) {
        const own = claims as ServiceAccountClaims;
        checkClaims(own, { reader, now });
        // Claims are kept with their token: its user is made once.
        const user = users.get(own) ?? userOfClaims(own);
        users.set(own, user);
        return { user, audiences: matching };
      }
      const { user, secret, warnings } = judgeLegacyClaims(claims, { reader, token });
      await options.noteSecretUse?.(secret);
      return { user, audiences: matching, warnings };
    },
    jwks: () => ({ keys: [key.publicJwk] }),
    openIdConfiguration: () => ({
      issuer,
      jwks_uri: options.jwksUri ?? `${issuer.replace(/\/$/, "")}/openid/v1/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [key.algorithm],
    }),
  };
}

async function sign(key: ServiceAccountKey, claims: object): Promise<string> {
  const encode = (value: object) => base64UrlText(new TextEncoder().encode(JSON.stringify(value)));
  const text = `${encode({ alg: key.algorithm, kid: key.keyId })}.${encode(claims)}`;
  return `${text}.${base64UrlText(await key.sign(new TextEncoder().encode(text)))}`;
}

/** The claims of tokens that the issuer has signed; undefined for tokens of others. */
function createVerifier(options: { readonly key: ServiceAccountKey; readonly issuer: string }) {
  const { key, issuer } = options;
  const verified = new Map<string, ServiceAccountClaims | LegacyClaims>();
  return async (token: string): Promise<ServiceAccountClaims | LegacyClaims | undefined> => {
    const known = verified.get(token);
    if (known) return known;
    const parts = parseToken(token);
    if (!parts || (parts.claims.iss !== issuer && parts.claims.iss !== legacyIssuer)) return undefined;
    const rightKey = parts.header.alg === key.algorithm;
    if (!rightKey || !(await key.verify(parts.signed, parts.signature))) {
      throw new TokenError("invalid signature");
    }
    if (verified.size >= cachedTokens) verified.delete(verified.keys().next().value ?? "");
    verified.set(token, parts.claims);
    return parts.claims;
  };
}

/** What the token of a request says; throws ApiError when the request asks for what may not be. */
function planToken(
  options: TokenIssuerOptions & { readonly apiAudiences: readonly string[] },
  request: { readonly serviceAccount: ServiceAccount; readonly spec: TokenRequestSpec },
) {
  const { serviceAccount, spec } = request;
  const { apiAudiences } = options;
  const expirationSeconds = spec.expirationSeconds ?? defaultExpirationSeconds;
  checkExpiration(expirationSeconds);
  const audiences = spec.audiences?.length ? spec.audiences : apiAudiences;
  const bound = boundClaims({ reader: options.reader, serviceAccount, reference: spec.boundObjectRef });
  const seconds = Math.floor(options.clock.now() / 1000);
  const extended =
    bound.pod !== undefined &&
    expirationSeconds === extendedRequestSeconds &&
    audiences.every((audience) => apiAudiences.includes(audience));
  const { name, namespace = "", uid } = serviceAccount.metadata;
  const claims: ServiceAccountClaims = {
    aud: audiences,
    exp: seconds + (extended ? extendedExpirationSeconds : expirationSeconds),
    iat: seconds,
    iss: options.issuer,
    jti: options.random.uuid(),
    "kubernetes.io": {
      namespace,
      ...bound,
      serviceaccount: { name, uid },
      ...(extended ? { warnafter: seconds + expirationSeconds } : {}),
    },
    nbf: seconds,
    sub: serviceAccountUserName(namespace, name),
  };
  const expiration = new Date((seconds + expirationSeconds) * 1000);
  return {
    claims,
    spec: { ...spec, audiences, expirationSeconds },
    expirationTimestamp: expiration.toISOString().replace(".000Z", "Z"),
  };
}

function legacyClaims(request: {
  readonly serviceAccount: ServiceAccount;
  readonly secret: string;
}): LegacyClaims {
  const { name, namespace = "", uid } = request.serviceAccount.metadata;
  return {
    iss: legacyIssuer,
    "kubernetes.io/serviceaccount/namespace": namespace,
    "kubernetes.io/serviceaccount/secret.name": request.secret,
    "kubernetes.io/serviceaccount/service-account.name": name,
    "kubernetes.io/serviceaccount/service-account.uid": uid,
    sub: serviceAccountUserName(namespace, name),
  };
}

const quotedList = (values: readonly string[]) =>
  `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;

function checkExpiration(seconds: number): void {
  const path = FieldPath.root("spec").child("expirationSeconds");
  const why =
    seconds < shortestExpirationSeconds
      ? "may not specify a duration less than 10 minutes"
      : seconds > longestExpirationSeconds
        ? "may not specify a duration larger than 2^32 seconds"
        : undefined;
  if (why === undefined) return;
  throw ApiError.invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", [
    fieldErrors.invalid(path, seconds, why),
  ]);
}

type BoundClaims = Pick<ServiceAccountClaims["kubernetes.io"], "node" | "pod" | "secret">;

/** What the token shall die with. */
function boundClaims(request: {
  readonly reader: ObjectReader;
  readonly serviceAccount: ServiceAccount;
  readonly reference: TokenRequestSpec["boundObjectRef"];
}): BoundClaims {
  const { reader, serviceAccount, reference } = request;
  if (!reference) return {};
  const { namespace = "" } = serviceAccount.metadata;
  const name = reference.name ?? "";
  const present = <T extends object>(object: T | undefined, plural: string): T => {
    if (!object) throw ApiError.notFound({ group: "", resource: plural }, name);
    return object;
  };
  const claimOf = (object: KubernetesObject): ObjectClaim => {
    if (reference.uid && reference.uid !== object.metadata.uid) {
      throw ApiError.conflict(
        { group: "", resource: reference.kind ?? "" },
        name,
        `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      );
    }
    return { name: object.metadata.name, uid: object.metadata.uid };
  };
  const { apiVersion = "", kind = "" } = reference;
  const [group = "", version = ""] = apiVersion.includes("/") ? apiVersion.split("/", 2) : ["", apiVersion];
  switch (`${group}/${kind}`) {
    case "/Pod": {
      const pod = present(reader.get(Pod, { namespace, name }), "pods");
      if ((pod.spec.serviceAccountName ?? "") !== serviceAccount.metadata.name) {
        throw ApiError.badRequest(
          `cannot bind token for serviceaccount ${JSON.stringify(serviceAccount.metadata.name)} to pod running with different serviceaccount name.`,
        );
      }
      const { nodeName } = pod.spec;
      const node = nodeName ? reader.get(Node, { name: nodeName }) : undefined;
      return {
        // A node that is not there any more is at least named.
        ...(nodeName ? { node: { name: nodeName, ...(node ? { uid: node.metadata.uid } : {}) } } : {}),
        pod: claimOf(pod),
      };
    }
    case "/Node":
      return { node: claimOf(present(reader.get(Node, { name }), "nodes")) };
    case "/Secret":
      return { secret: claimOf(present(reader.get(Secret, { namespace, name }), "secrets")) };
    default:
      throw ApiError.badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  }
}

interface ParsedToken {
  readonly header: { readonly alg?: string };
  readonly claims: ServiceAccountClaims | LegacyClaims;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** The parts of a JWT; undefined when it is none. */
function parseToken(token: string): ParsedToken | undefined {
  const [header, claims, signature, ...rest] = token.split(".");
  if (!header || !claims || !signature || rest.length > 0) return undefined;
  const decode = (text: string) => JSON.parse(new TextDecoder().decode(bytesOfBase64(text))) as unknown;
  try {
    return {
      header: decode(header) as ParsedToken["header"],
      claims: decode(claims) as ParsedToken["claims"],
      signed: new TextEncoder().encode(`${header}.${claims}`),
      signature: bytesOfBase64(signature),
    };
  } catch {
    return undefined;
  }
}
