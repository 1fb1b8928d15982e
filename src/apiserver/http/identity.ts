import type { PeerCertificate, TLSSocket } from "node:tls";
import { ApiError } from "../../apimachinery/index.ts";
import type { UserInfo } from "../../api/index.ts";
import { anonymousUser } from "../authentication/authenticator.ts";
import type { Authenticator, Credentials } from "../authentication/authenticator.ts";
import { authorize } from "../registry/context.ts";
import type { Core } from "../registry/context.ts";
import type { Exchange } from "./exchange.ts";

type Certificate = NonNullable<Credentials["certificate"]>;

/** Subjects of connections' certificates, read once a connection. */
const certificates = new WeakMap<TLSSocket, Shown>();

/** What a connection showed: no certificate, one that is not believed, or one that is. */
type Shown =
  | { readonly type: "none" }
  | { readonly type: "refused" }
  | { readonly type: "believed"; readonly certificate: Certificate };

function certificateOf(socket: TLSSocket): Shown {
  const known = certificates.get(socket);
  if (known) return known;
  let shown: Shown = { type: "none" };
  const { subject } = socket.getPeerCertificate() as Partial<PeerCertificate>;
  if (subject !== undefined && !socket.authorized) shown = { type: "refused" };
  else if (subject !== undefined) {
    // The types say string, but a subject with several organizations gives a list.
    const organizations: unknown = subject.O ?? [];
    const certificate = {
      commonName: String(subject.CN ?? ""),
      organizations: (Array.isArray(organizations) ? organizations : [organizations]).map(String),
    };
    shown = { type: "believed", certificate };
  }
  certificates.set(socket, shown);
  return shown;
}

/** Who asks, after impersonation; throws `Unauthorized` or `Forbidden`. */
export async function identify(
  exchange: Exchange,
  options: {
    readonly authenticator: Authenticator;
    readonly core: Core;
    readonly anonymous: boolean;
    /** Hears what the client should be warned of. */
    readonly warn: (message: string) => void;
  },
): Promise<UserInfo> {
  const authorization = exchange.headers.authorization ?? "";
  const bearer = /^bearer\s+(\S+)\s*$/i.exec(authorization)?.[1];
  const shown = certificateOf(exchange.socket);
  const certificate = shown.type === "believed" ? shown.certificate : undefined;
  let user: UserInfo | undefined;
  if (certificate || bearer) {
    user = await options.authenticator.authenticate({
      ...(certificate ? { certificate } : {}),
      ...(bearer ? { bearerToken: bearer } : {}),
      warn: options.warn,
    });
    if (!user) throw ApiError.unauthorized();
  } else if (!options.anonymous || authorization !== "" || shown.type === "refused")
    throw ApiError.unauthorized();
  user ??= anonymousUser;
  return impersonated(exchange, user, options.core);
}

const extraPrefix = "impersonate-extra-";
const serviceAccountPrefix = "system:serviceaccount:";

function impersonated(exchange: Exchange, user: UserInfo, core: Core): UserInfo {
  const { headers } = exchange;
  const name = headers["impersonate-user"];
  const given = headers["impersonate-group"];
  const uid = headers["impersonate-uid"];
  const extraNames = Object.keys(headers).filter((header) => header.startsWith(extraPrefix));
  if (name === undefined || name === "") {
    if (given === undefined && uid === undefined && extraNames.length === 0) return user;
    throw ApiError.internal("requested impersonation of groups, uid or extra without a user");
  }
  const groups =
    given === undefined
      ? []
      : String(given)
          .split(",")
          .map((group) => group.trim());
  const check = (at: {
    group: string;
    resource: string;
    namespace: string;
    name: string;
    subresource?: string;
  }) =>
    authorize(core, { type: "resource", user, verb: "impersonate", version: "v1", subresource: "", ...at });
  const asName = String(name);
  if (asName.startsWith(serviceAccountPrefix)) {
    const [namespace = "", account = ""] = asName.slice(serviceAccountPrefix.length).split(":");
    check({ group: "", resource: "serviceaccounts", namespace, name: account });
    if (groups.length === 0) groups.push("system:serviceaccounts", `system:serviceaccounts:${namespace}`);
  } else check({ group: "", resource: "users", namespace: "", name: asName });
  for (const group of given === undefined ? [] : groups) {
    check({ group: "", resource: "groups", namespace: "", name: group });
  }
  const authentication = "authentication.k8s.io";
  const extra: Record<string, readonly string[]> = {};
  for (const header of extraNames) {
    const key = decodeURIComponent(header.slice(extraPrefix.length));
    const values = String(headers[header])
      .split(",")
      .map((value) => value.trim());
    for (const value of values) {
      check({ group: authentication, resource: "userextras", subresource: key, namespace: "", name: value });
    }
    extra[key] = values;
  }
  if (uid !== undefined) check({ group: authentication, resource: "uids", namespace: "", name: String(uid) });
  if (asName === anonymousUser.name) {
    if (groups.length === 0) groups.push(...anonymousUser.groups);
  } else if (!groups.includes("system:authenticated")) groups.push("system:authenticated");
  return {
    name: asName,
    groups,
    ...(uid === undefined ? {} : { uid: String(uid) }),
    ...(extraNames.length > 0 ? { extra } : {}),
  };
}
