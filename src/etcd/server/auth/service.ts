import { headerOf, type ServerContext } from "../context.ts";
import { refusal } from "../errors.ts";
import type { EtcdHandlers } from "../kv.ts";
import type { Accounts, Role, User } from "./accounts.ts";
import { rootName } from "./auth.ts";
import { hashPassword, matchesPassword } from "./bcrypt.ts";
import type { Permission } from "./permissions.ts";

type AuthCall =
  | "AuthEnable"
  | "AuthDisable"
  | "AuthStatus"
  | "Authenticate"
  | "UserAdd"
  | "UserGet"
  | "UserList"
  | "UserDelete"
  | "UserChangePassword"
  | "UserGrantRole"
  | "UserRevokeRole"
  | "RoleAdd"
  | "RoleGet"
  | "RoleList"
  | "RoleDelete"
  | "RoleGrantPermission"
  | "RoleRevokePermission";

/** The service Auth. */
export function authHandlers(context: ServerContext): EtcdHandlers<AuthCall> {
  return {
    ...stateHandlers(context),
    ...userHandlers(context),
    ...grantHandlers(context),
    ...roleHandlers(context),
  };
}

function stateHandlers(
  context: ServerContext,
): EtcdHandlers<"AuthEnable" | "AuthDisable" | "AuthStatus" | "Authenticate"> {
  const { auth } = context;
  const header = () => headerOf(context);
  return {
    async AuthEnable(_request, call) {
      auth.requireAdministrator(call);
      await auth.file.change(({ isEnabled, users, revision }) => {
        if (isEnabled) return undefined;
        const root = users.get(rootName);
        if (!root) throw refusal("rootUserMissing");
        if (!root.roles.includes(rootName)) throw refusal("rootRoleMissing");
        return { isEnabled: true, revision };
      });
      return { header: header() };
    },
    async AuthDisable(_request, call) {
      auth.requireAdministrator(call);
      await auth.file.change(({ isEnabled }) => (isEnabled ? { isEnabled: false } : undefined));
      auth.tokens.revoke();
      return { header: header() };
    },
    async AuthStatus(_request, call) {
      auth.requireAdministrator(call);
      const { isEnabled: enabled, revision: authRevision } = auth.accounts;
      return { header: header(), enabled, authRevision };
    },
    async Authenticate({ name, password }) {
      if (!auth.accounts.isEnabled) throw refusal("authenticationDisabled");
      const user = auth.accounts.users.get(name);
      const hash = Buffer.from(user?.password ?? []).toString();
      const isRight = user?.options?.noPassword !== true && (await matchesPassword(password, hash));
      if (!user || !isRight) throw refusal("authenticationFailed");
      return { header: header(), token: auth.tokens.issue(name, context.store.revision) };
    },
  };
}

type GrantCall = "UserGrantRole" | "UserRevokeRole";

function userHandlers(
  context: ServerContext,
): EtcdHandlers<Exclude<Extract<AuthCall, `User${string}`>, GrantCall>> {
  const { auth } = context;
  const header = () => headerOf(context);
  const hashOf = async (request: { readonly password: string; readonly hashedPassword: string }) =>
    request.hashedPassword === ""
      ? Buffer.from(await hashPassword(request.password, auth.passwordCost))
      : Buffer.from(request.hashedPassword, "base64");
  return {
    async UserAdd(request, call) {
      auth.requireAdministrator(call);
      const { name, options } = request;
      if (name === "") throw refusal("userEmpty");
      if (auth.accounts.users.has(name)) throw refusal("userExists");
      const password = options?.noPassword ? new Uint8Array(0) : await hashOf(request);
      await auth.file.change(({ users }) => {
        if (users.has(name)) throw refusal("userExists");
        return { users: withUser(users, { name, password, roles: [], options }) };
      });
      return { header: header() };
    },
    async UserGet({ name }, call) {
      const caller = auth.requireUser(call);
      if (caller !== name) auth.requireAdministrator(call);
      return { header: header(), roles: userOf(auth.accounts, name).roles };
    },
    async UserList(_request, call) {
      auth.requireAdministrator(call);
      return { header: header(), users: [...auth.accounts.users.keys()].toSorted() };
    },
    async UserDelete({ name }, call) {
      auth.requireAdministrator(call);
      await auth.file.change((accounts) => {
        if (accounts.isEnabled && name === rootName) throw refusal("invalidAuthManagement");
        userOf(accounts, name);
        return { users: new Map([...accounts.users].filter(([other]) => other !== name)) };
      });
      auth.tokens.revoke(name);
      return { header: header() };
    },
    async UserChangePassword(request, call) {
      auth.requireAdministrator(call);
      userOf(auth.accounts, request.name);
      const password = await hashOf(request);
      await auth.file.change((accounts) => {
        const user = userOf(accounts, request.name);
        return { users: withUser(accounts.users, { ...user, password }) };
      });
      auth.tokens.revoke(request.name);
      return { header: header() };
    },
  };
}

function grantHandlers(context: ServerContext): EtcdHandlers<GrantCall> {
  const { auth } = context;
  const header = () => headerOf(context);
  return {
    async UserGrantRole({ user: name, role }, call) {
      auth.requireAdministrator(call);
      await auth.file.change((accounts) => {
        const user = userOf(accounts, name);
        if (role !== rootName) roleOf(accounts, role);
        if (user.roles.includes(role)) return undefined;
        return { users: withUser(accounts.users, { ...user, roles: [...user.roles, role].toSorted() }) };
      });
      return { header: header() };
    },
    async UserRevokeRole({ name, role }, call) {
      auth.requireAdministrator(call);
      await auth.file.change((accounts) => {
        if (accounts.isEnabled && name === rootName && role === rootName)
          throw refusal("invalidAuthManagement");
        const user = userOf(accounts, name);
        if (!user.roles.includes(role)) throw refusal("roleNotGranted");
        return { users: withUser(accounts.users, withoutRole(user, role)) };
      });
      return { header: header() };
    },
  };
}

function roleHandlers(context: ServerContext): EtcdHandlers<Extract<AuthCall, `Role${string}`>> {
  const { auth } = context;
  const header = () => headerOf(context);
  return {
    async RoleAdd({ name }, call) {
      auth.requireAdministrator(call);
      await auth.file.change(({ roles }) => {
        if (name === "") throw refusal("roleEmpty");
        if (roles.has(name)) throw refusal("roleExists");
        return { roles: withRole(roles, { name, keyPermission: [] }) };
      });
      return { header: header() };
    },
    async RoleGet({ role: name }, call) {
      const caller = auth.requireUser(call);
      const isOwn = caller !== undefined && auth.accounts.users.get(caller)?.roles.includes(name);
      if (!isOwn) auth.requireAdministrator(call);
      return { header: header(), perm: roleOf(auth.accounts, name).keyPermission };
    },
    async RoleList(_request, call) {
      auth.requireAdministrator(call);
      return { header: header(), roles: [...auth.accounts.roles.keys()].toSorted() };
    },
    async RoleDelete({ role: name }, call) {
      auth.requireAdministrator(call);
      await auth.file.change((accounts) => {
        if (accounts.isEnabled && name === rootName) throw refusal("invalidAuthManagement");
        roleOf(accounts, name);
        const users = [...accounts.users].map(([key, user]) => [key, withoutRole(user, name)] as const);
        return {
          roles: new Map([...accounts.roles].filter(([other]) => other !== name)),
          users: new Map(users),
        };
      });
      return { header: header() };
    },
    async RoleGrantPermission({ name, perm }, call) {
      auth.requireAdministrator(call);
      if (!perm) throw refusal("permissionNotGiven");
      await auth.file.change((accounts) => {
        const role = roleOf(accounts, name);
        const others = role.keyPermission.filter((other) => !isSameRange(other, perm));
        const keyPermission = [...others, perm].toSorted((one, other) => (one.key < other.key ? -1 : 1));
        return { roles: withRole(accounts.roles, { ...role, keyPermission }) };
      });
      return { header: header() };
    },
    async RoleRevokePermission({ role: name, key, rangeEnd }, call) {
      auth.requireAdministrator(call);
      await auth.file.change((accounts) => {
        const role = roleOf(accounts, name);
        const keyPermission = role.keyPermission.filter((other) => !isSameRange(other, { key, rangeEnd }));
        if (keyPermission.length === role.keyPermission.length) throw refusal("permissionNotGranted");
        return { roles: withRole(accounts.roles, { ...role, keyPermission }) };
      });
      return { header: header() };
    },
  };
}

type Range = Pick<Permission, "key" | "rangeEnd">;

const isSameRange = (one: Range, other: Range) => one.key === other.key && one.rangeEnd === other.rangeEnd;

function userOf({ users }: Accounts, name: string): User {
  const user = users.get(name);
  if (!user) throw refusal("userNotFound");
  return user;
}

function roleOf({ roles }: Accounts, name: string): Role {
  const role = roles.get(name);
  if (!role) throw refusal("roleNotFound");
  return role;
}

const withUser = (users: Accounts["users"], user: User) => new Map(users).set(user.name, user);
const withRole = (roles: Accounts["roles"], role: Role) => new Map(roles).set(role.name, role);

function withoutRole(user: User, role: string): User {
  return user.roles.includes(role) ? { ...user, roles: user.roles.filter((other) => other !== role) } : user;
}
