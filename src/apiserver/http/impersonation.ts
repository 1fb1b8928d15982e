import { ApiError, isDNS1123Label, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import type { UserInfo } from "../../api/index.ts";
import { anonymousUser } from "../authentication/authenticator.ts";
import { forbiddenError } from "../authorization/index.ts";
import type { Attributes, Authorizer } from "../authorization/authorizer.ts";
import { authorize } from "../registry/context.ts";

/** Whom a request wants to be, word for word. */
export interface WantedUser {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

interface Mode {
  /** Absent: the old form, which allows whatever the impersonated may do. */
  readonly name?: string;
  readonly fits: (wanted: WantedUser, requestor: UserInfo) => boolean;
}

const nodePrefix = "system:node:";
const nodeNameKey = "authentication.kubernetes.io/node-name";
const authenticated = "system:authenticated";
const unauthenticated = "system:unauthenticated";
const administrators = "system:masters";
const authenticationGroup = "authentication.k8s.io";

/** KEP-5284: each form of impersonation has verbs of its own; the most special is tried first. */
const modes: readonly Mode[] = [
  { name: "associated-node", fits: isOwnNode },
  { name: "arbitrary-node", fits: (wanted) => isNameOnly(wanted) && nodeOf(wanted.name) !== undefined },
  { name: "serviceaccount", fits: (wanted) => isNameOnly(wanted) && accountOf(wanted.name) !== undefined },
  { name: "user-info", fits: ({ name }) => nodeOf(name) === undefined && accountOf(name) === undefined },
  { fits: () => true },
];

/** Whom a request may be, and by which of the constrained verbs it may; absent: by the old one. */
export interface Impersonated {
  readonly user: UserInfo;
  readonly constraint?: string;
}

/** The user that a request may be; throws `Forbidden` in the words of the first form that fits. */
export function impersonate(
  wanted: WantedUser,
  { attributes, authorizer }: { readonly attributes: Attributes; readonly authorizer: Authorizer },
): Impersonated {
  let first: ApiError | undefined;
  for (const mode of modes) {
    if (!mode.fits(wanted, attributes.user)) continue;
    try {
      const user = tryMode(mode, { wanted, attributes, authorizer });
      return mode.name === undefined ? { user } : { user, constraint: `impersonate:${mode.name}` };
    } catch (error) {
      if (!ApiError.is(error, "Forbidden")) throw error;
      first ??= error;
    }
  }
  throw first ?? ApiError.internal("all impersonation modes failed");
}

interface Attempt {
  readonly wanted: WantedUser;
  readonly attributes: Attributes;
  readonly authorizer: Authorizer;
}

function tryMode({ name: mode }: Mode, { wanted, attributes, authorizer }: Attempt): UserInfo {
  const constrained = mode !== undefined;
  const user = mode === "associated-node" ? ofAnyNode(attributes.user) : attributes.user;
  if (constrained) {
    authorize({ authorizer }, { ...attributes, user, verb: `impersonate-on:${mode}:${attributes.verb}` });
  }
  const about = {
    type: "resource",
    user,
    verb: constrained ? `impersonate:${mode}` : "impersonate",
    group: constrained ? authenticationGroup : "",
    version: "v1",
    resource: "users",
    subresource: "",
    namespace: "",
    name: wanted.name,
  } as const;
  const ask = (part: Partial<typeof about> | object) => authorize({ authorizer }, { ...about, ...part });
  const node = constrained ? nodeOf(wanted.name) : undefined;
  const account = accountOf(wanted.name);
  if (node !== undefined) ask({ resource: "nodes", name: mode === "associated-node" ? "*" : node });
  else if (account) ask({ resource: "serviceaccounts", ...account });
  else ask({});
  if (wanted.uid !== "") ask({ group: authenticationGroup, resource: "uids", name: wanted.uid });
  askGroups(wanted.groups, { about, ask, constrained });
  askExtra(wanted.extra, { about, ask, constrained });
  return becoming(wanted, { node, account });
}

interface Asking {
  readonly about: Extract<Attributes, { type: "resource" }>;
  readonly ask: (part: object) => void;
  readonly constrained: boolean;
}

/** As many questions as this are put as one for all, first. */
const manyChecks = 4;

function allows(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (!ApiError.is(error, "Forbidden")) throw error;
    return false;
  }
}

function askGroups(groups: readonly string[], { about, ask, constrained }: Asking): void {
  const resource = "groups";
  const refuse = (name: string, reason: string) =>
    forbiddenError({ ...about, resource, name }, { type: "noOpinion", reason });
  if (constrained) {
    if (groups.includes("")) throw refuse("", "impersonating the empty string group is not allowed");
    if (groups.includes(administrators)) {
      throw refuse(administrators, "impersonating the system:masters group is not allowed");
    }
    if (groups.length >= manyChecks && allows(() => ask({ resource, name: "*" }))) return;
  }
  for (const name of groups) ask({ resource, name });
}

function askExtra(extra: WantedUser["extra"], { about, ask, constrained }: Asking): void {
  const at = { group: authenticationGroup, resource: "userextras" };
  if (constrained) {
    const reason = extraProblem(extra);
    if (reason !== undefined) {
      throw forbiddenError({ ...about, ...at, name: "" }, { type: "noOpinion", reason });
    }
    const count = Object.values(extra).reduce((sum, values) => sum + values.length, 0);
    const many = count >= manyChecks || Object.keys(extra).length >= manyChecks;
    if (many && allows(() => ask({ ...at, subresource: "*", name: "*" }))) return;
  }
  for (const [subresource, values] of Object.entries(extra)) {
    for (const name of values) ask({ ...at, subresource, name });
  }
}

function extraProblem(extra: WantedUser["extra"]): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === "") return "impersonating the empty string key in extra is not allowed";
    const [domain = "", ...path] = key.split("/");
    if (path.length === 0 || isDNS1123Subdomain(domain).length > 0) {
      const why = `extra.key: Invalid value: ${JSON.stringify(key)}: must be a domain-prefixed path (such as "acme.io/foo")`;
      return `impersonating an invalid key in extra is not allowed: ${why}`;
    }
    if (values.includes("")) return "impersonating the empty string value in extra is not allowed";
  }
  return undefined;
}

function becoming(
  { name, uid, groups: asked, extra }: WantedUser,
  { node, account }: { node: string | undefined; account: { namespace: string } | undefined },
): UserInfo {
  const groups = [...asked];
  if (node !== undefined) groups.push("system:nodes");
  if (account && groups.length === 0) {
    groups.push("system:serviceaccounts", `system:serviceaccounts:${account.namespace}`);
  }
  const all = name === anonymousUser.name ? unauthenticated : authenticated;
  if (!groups.includes(all) && !groups.includes(unauthenticated)) groups.push(all);
  return {
    name,
    groups,
    ...(uid === "" ? {} : { uid }),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

const isNameOnly = ({ uid, groups, extra }: WantedUser): boolean =>
  uid === "" && groups.length === 0 && Object.keys(extra).length === 0;

/** The node that a user name is for. */
function nodeOf(userName: string): string | undefined {
  if (!userName.startsWith(nodePrefix)) return undefined;
  const name = userName.slice(nodePrefix.length);
  return isDNS1123Subdomain(name).length === 0 ? name : undefined;
}

/** The service account that a user name is for. */
function accountOf(userName: string): { readonly namespace: string; readonly name: string } | undefined {
  const [system, kind, namespace = "", name = "", ...rest] = userName.split(":");
  if (system !== "system" || kind !== "serviceaccount" || rest.length > 0) return undefined;
  if (isDNS1123Label(namespace).length > 0 || isDNS1123Subdomain(name).length > 0) return undefined;
  return { namespace, name };
}

/** Whether a service account wants to be the node that its pod runs on. */
function isOwnNode(wanted: WantedUser, requestor: UserInfo): boolean {
  const node = nodeOf(wanted.name);
  if (node === undefined || !isNameOnly(wanted) || !accountOf(requestor.name)) return false;
  const names = requestor.extra?.[nodeNameKey] ?? [];
  return names.length === 1 && names[0] === node;
}

/** The requestor without what differs from node to node: the right is for all nodes of its pods. */
function ofAnyNode(user: UserInfo): UserInfo {
  const keys = Object.keys(user.extra ?? {}).sort();
  return { ...user, extra: { "authentication.kubernetes.io/associated-node-keys": keys } };
}
