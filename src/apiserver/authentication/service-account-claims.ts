import { tokenInvalidSinceLabel } from "../../api/index.ts";
import type { UserInfo } from "../../api/index.ts";
import { Node, Pod, Secret, ServiceAccount } from "../../api/types/core-v1.ts";
import type { KubernetesObject, Resource } from "../../apimachinery/index.ts";
import type { Milliseconds } from "../../base/index.ts";
import type { ObjectReader } from "../reader.ts";
import { textOfBase64 } from "./base64.ts";
import { TokenError } from "./token-authenticator.ts";

/** An object that a token dies with. */
export interface ObjectClaim {
  readonly name: string;
  readonly uid: string;
}

/** What a service account token says; times in seconds. */
export interface ServiceAccountClaims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  readonly "kubernetes.io": {
    readonly namespace: string;
    /** Without a UID where a pod names a node that is not there. */
    readonly node?: Pick<ObjectClaim, "name"> & Partial<ObjectClaim>;
    readonly pod?: ObjectClaim;
    readonly secret?: ObjectClaim;
    readonly serviceaccount: ObjectClaim;
    readonly warnafter?: number;
  };
  readonly nbf: number;
  readonly sub: string;
}

/** Issuer of the tokens that live in secrets. */
export const legacyIssuer = "kubernetes/serviceaccount";

/** What the token of a secret says. */
export interface LegacyClaims {
  readonly iss: typeof legacyIssuer;
  readonly "kubernetes.io/serviceaccount/namespace": string;
  readonly "kubernetes.io/serviceaccount/secret.name": string;
  readonly "kubernetes.io/serviceaccount/service-account.name": string;
  readonly "kubernetes.io/serviceaccount/service-account.uid": string;
  readonly sub: string;
}

/** Clocks of issuers may differ from ours by this much. */
const leewaySeconds = 60;
/** A token outlives the end of what it is bound to by this much. */
const deletionLeeway: Milliseconds = 60_000;

/** The user name of a service account. */
export const serviceAccountUserName = (namespace: string, name: string): string =>
  `system:serviceaccount:${namespace}:${name}`;

/** The user that a service account is. */
export function serviceAccountUser(account: {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly extra?: UserInfo["extra"];
}): UserInfo {
  return {
    name: serviceAccountUserName(account.namespace, account.name),
    ...(account.uid === undefined ? {} : { uid: account.uid }),
    groups: ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`],
    ...(account.extra && Object.keys(account.extra).length > 0 ? { extra: account.extra } : {}),
  };
}

const automaticTokenWarning =
  "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.";

const invalidated = () => new TokenError("service account token has been invalidated");

/** Throws unless everything that verified claims are bound to still exists. */
export function checkClaims(
  claims: ServiceAccountClaims,
  context: { readonly reader: ObjectReader; readonly now: Milliseconds },
): void {
  const seconds = context.now / 1000;
  if (seconds - leewaySeconds > claims.exp) throw new TokenError("service account token has expired");
  if (seconds + leewaySeconds < claims.nbf) {
    throw new TokenError("service account token is not valid yet");
  }
  const { namespace, serviceaccount, pod, node, secret } = claims["kubernetes.io"];
  const { reader } = context;
  const account = alive(reader.get(ServiceAccount, { namespace, name: serviceaccount.name }), context.now);
  if (account.metadata.uid !== serviceaccount.uid) {
    throw new TokenError(
      `service account UID (${account.metadata.uid}) does not match claim (${serviceaccount.uid})`,
    );
  }
  const check = <T extends KubernetesObject>(
    resource: Resource<T>,
    claim: ServiceAccountClaims["kubernetes.io"]["node"],
    scope: { readonly namespace?: string } = { namespace },
  ) => {
    if (!claim) return;
    const object = alive(reader.get(resource, { ...scope, name: claim.name }), context.now);
    if (object.metadata.uid === claim.uid) return;
    const kind = resource.kind.toLowerCase();
    throw new TokenError(
      `${kind} UID (${object.metadata.uid}) does not match service account ${kind} ref claim (${claim.uid})`,
    );
  };
  check(Secret, secret);
  check(Pod, pod);
  // The node of a bound pod is for information; only a token bound to the node itself dies with it.
  if (!pod) check(Node, node, {});
}

/** Whose claims these are. */
export function userOfClaims(claims: ServiceAccountClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims["kubernetes.io"];
  return serviceAccountUser({
    namespace,
    name: serviceaccount.name,
    uid: serviceaccount.uid,
    extra: {
      "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`],
      ...(node
        ? {
            "authentication.kubernetes.io/node-name": [node.name],
            ...(node.uid === undefined ? {} : { "authentication.kubernetes.io/node-uid": [node.uid] }),
          }
        : {}),
      ...(pod
        ? {
            "authentication.kubernetes.io/pod-name": [pod.name],
            "authentication.kubernetes.io/pod-uid": [pod.uid],
          }
        : {}),
    },
  });
}

/** Whose the token of a secret is, if the secret still holds it. */
export function judgeLegacyClaims(
  claims: LegacyClaims,
  context: { readonly reader: ObjectReader; readonly token: string },
): { readonly user: UserInfo; readonly secret: Secret; readonly warnings: readonly string[] } {
  const namespace = claims["kubernetes.io/serviceaccount/namespace"];
  const name = claims["kubernetes.io/serviceaccount/service-account.name"];
  const uid = claims["kubernetes.io/serviceaccount/service-account.uid"];
  const secretName = claims["kubernetes.io/serviceaccount/secret.name"];
  if (claims.sub !== serviceAccountUserName(namespace, name)) {
    throw new TokenError("Token claims do not match");
  }
  const secret = context.reader.get(Secret, { namespace, name: secretName });
  if (!secret || secret.metadata.deletionTimestamp !== undefined) {
    throw new TokenError("Token has been invalidated");
  }
  if (textOfBase64(secret.data?.["token"]) !== context.token) {
    throw new TokenError("Token does not match server's copy");
  }
  const account = context.reader.get(ServiceAccount, { namespace, name });
  if (!account || account.metadata.deletionTimestamp !== undefined) {
    throw new TokenError(`ServiceAccount ${namespace}/${name} has been deleted`);
  }
  if (account.metadata.uid !== uid) {
    throw new TokenError(`ServiceAccount UID (${account.metadata.uid}) does not match claim (${uid})`);
  }
  if (secret.metadata.labels?.[tokenInvalidSinceLabel]) {
    throw new TokenError(
      `the token in secret ${namespace}/${secretName} for service account ${namespace}/${name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${tokenInvalidSinceLabel}' label from the secret to temporarily allow use of this token`,
    );
  }
  const automatic = (account.secrets ?? []).some((reference) => reference.name === secretName);
  return {
    user: serviceAccountUser({ namespace, name, uid }),
    secret,
    warnings: automatic ? [automaticTokenWarning] : [],
  };
}

function alive<T extends KubernetesObject>(object: T | undefined, now: Milliseconds): T {
  if (!object) throw invalidated();
  const { deletionTimestamp } = object.metadata;
  if (deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + deletionLeeway < now) {
    throw invalidated();
  }
  return object;
}
