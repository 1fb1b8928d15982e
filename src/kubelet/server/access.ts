import type { TLSSocket } from "node:tls";
import type { Clock, Milliseconds } from "../../base/index.ts";
import type { Client, UserInfo } from "../../api/index.ts";
import { SubjectAccessReview } from "../../api/types/authorization-v1.ts";
import { peerSubject } from "../../pki/index.ts";

/** What a request to the kubelet asks for: a verb on a subresource of the node. */
export interface KubeletAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  /** The exact one first, then the wider ones that also allow it. */
  readonly subresources: readonly string[];
}

/** Decides who may use the kubelet's server. */
export type KubeletAuthorizer = (attributes: KubeletAttributes) => Promise<boolean>;

/** Who a connection's verified certificate says the client is; undefined without one. */
export function userOf(socket: TLSSocket): UserInfo | undefined {
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  if (!subject) return undefined;
  const { commonName, organizations } = peerSubject(subject);
  if (commonName === "") return undefined;
  return { name: commonName, groups: [...organizations, "system:authenticated"] };
}

const verbs: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** The attributes of a request, as KEP-2862 divides the kubelet's API. */
export function attributesOf(request: {
  readonly user: UserInfo;
  readonly method: string;
  readonly path: string;
}): KubeletAttributes {
  const { user, method, path } = request;
  const first = path.split("/")[1] ?? "";
  return { user, verb: verbs[method] ?? "", subresources: subresourcesOf[first] ?? ["proxy"] };
}

const subresourcesOf: Readonly<Record<string, readonly string[]>> = {
  stats: ["stats"],
  metrics: ["metrics"],
  logs: ["log"],
  pods: ["pods", "proxy"],
  runningpods: ["pods", "proxy"],
  healthz: ["healthz", "proxy"],
  configz: ["configz", "proxy"],
};

const allowedFor: Milliseconds = 5 * 60_000;
const deniedFor: Milliseconds = 30_000;
const mostAnswers = 1024;
const mastersGroup = "system:masters";

/** Asks the API server, and remembers its answers for a while; members of `system:masters` may do everything. */
export function delegatedAuthorizer(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
}): KubeletAuthorizer {
  const { client, clock, nodeName } = options;
  const answers = new Map<string, { readonly allowed: boolean; readonly until: Milliseconds }>();
  const mayUse = async (user: UserInfo, verb: string, subresource: string): Promise<boolean> => {
    const key = JSON.stringify([user.name, user.groups, verb, subresource]);
    const known = answers.get(key);
    if (known && known.until > clock.now()) return known.allowed;
    const { status } = await client.create(SubjectAccessReview, {
      metadata: {},
      spec: {
        user: user.name,
        groups: user.groups,
        resourceAttributes: { verb, version: "v1", resource: "nodes", subresource, name: nodeName },
      },
    });
    const allowed = status?.allowed ?? false;
    answers.delete(key);
    const [oldest] = answers.keys();
    if (answers.size >= mostAnswers && oldest !== undefined) answers.delete(oldest);
    answers.set(key, { allowed, until: clock.now() + (allowed ? allowedFor : deniedFor) });
    return allowed;
  };
  return async ({ user, verb, subresources }) => {
    if (user.groups.includes(mastersGroup)) return true;
    for (const subresource of subresources) if (await mayUse(user, verb, subresource)) return true;
    return false;
  };
}
