import type { Clock } from "../../../base/index.ts";
import type { Call } from "../../../grpc/index.ts";
import type { Mvcc } from "../../../store/index.ts";
import { refusal } from "../errors.ts";
import { AccountFile, type Accounts } from "./accounts.ts";
import { type Access, covers } from "./permissions.ts";
import { Tokens } from "./tokens.ts";

export const rootName = "root";

/** Who calls, and what they may do. Until authentication is enabled everybody may do everything. */
export class Auth {
  readonly file: AccountFile;
  readonly tokens: Tokens;
  /** Rounds of a password's hash, as a power of two. */
  readonly passwordCost: number;

  private constructor(file: AccountFile, options: { readonly clock: Clock; readonly passwordCost: number }) {
    this.file = file;
    this.tokens = new Tokens(options.clock);
    this.passwordCost = options.passwordCost;
  }

  static async open(
    store: Mvcc,
    options: { readonly clock: Clock; readonly passwordCost: number },
  ): Promise<Auth> {
    return new Auth(await AccountFile.open(store), options);
  }

  get accounts(): Accounts {
    return this.file.current;
  }

  /** Refuses a call that may not do that. */
  require(call: Call, access: Access): void {
    if (!this.accounts.isEnabled) return;
    const user = this.requireUser(call)!;
    if (!this.mayAccess(user, access)) throw refusal("permissionDenied");
  }

  /** Whether the call may do that; one whose token is invalid may not. */
  allows(call: Call, access: Access): boolean {
    if (!this.accounts.isEnabled) return true;
    const user = this.userOf(call);
    return user !== undefined && this.mayAccess(user, access);
  }

  /** The name of the caller, who must have one once authentication is enabled. */
  requireUser(call: Call): string | undefined {
    if (!this.accounts.isEnabled) return undefined;
    if (call.headers.token !== undefined && this.userOf(call) === undefined) throw refusal("invalidToken");
    const user = this.userOf(call);
    if (user === undefined) throw refusal("userEmpty");
    return user;
  }

  /** Refuses all but users with the role root. */
  requireAdministrator(call: Call): void {
    const user = this.requireUser(call);
    if (user !== undefined && !this.isAdministrator(user)) throw refusal("permissionDenied");
  }

  isAdministrator(user: string): boolean {
    return this.accounts.users.get(user)?.roles.includes(rootName) ?? false;
  }

  private userOf({ headers, peerName }: Call): string | undefined {
    return headers.token === undefined ? peerName : this.tokens.userOf(headers.token);
  }

  private mayAccess(name: string, access: Access): boolean {
    const { users, roles } = this.accounts;
    const user = users.get(name);
    if (!user) return false;
    if (this.isAdministrator(name)) return true;
    const permissions = user.roles.flatMap((role) => roles.get(role)?.keyPermission ?? []);
    return covers(permissions, access);
  }
}
