import type { Mvcc, Operation, Versioned } from "../../../store/index.ts";
import { etcdCodec, type EtcdOutput } from "../../messages.ts";
import { bucketNames, readMetaNumber, type Snapshot } from "../../snapshot/index.ts";
import { endOfKeys } from "../keys.ts";

export type User = EtcdOutput<"User">;
export type Role = EtcdOutput<"Role">;

/** Who may do what: all that is kept of authentication. */
export interface Accounts {
  readonly isEnabled: boolean;
  /** Counts changes, from 1. */
  readonly revision: number;
  readonly users: ReadonlyMap<string, User>;
  readonly roles: ReadonlyMap<string, Role>;
}

const folder = `${endOfKeys}auth/`;
const stateKey = `${folder}state`;
const userPrefix = `${folder}users/`;
const rolePrefix = `${folder}roles/`;

/** Accounts that are kept in a store, at keys that clients cannot name. */
export class AccountFile {
  private readonly store: Mvcc;
  private accounts: Accounts;
  private writing: Promise<unknown> = Promise.resolve();

  private constructor(store: Mvcc, accounts: Accounts) {
    this.store = store;
    this.accounts = accounts;
  }

  static async open(store: Mvcc): Promise<AccountFile> {
    return new AccountFile(store, await read(store));
  }

  get current(): Accounts {
    return this.accounts;
  }

  /** Makes a change, which sees all changes before it, and settles when it is kept. What it throws keeps all as it is. */
  change(make: (accounts: Accounts) => Partial<Accounts> | undefined): Promise<void> {
    const done = this.writing.then(async () => {
      const before = this.accounts;
      const changed = make(before);
      if (!changed) return;
      const after = { ...before, revision: before.revision + 1, ...changed };
      await this.store.transact({ compare: [], success: differences(before, after), failure: [] });
      this.accounts = after;
    });
    this.writing = done.catch(() => {});
    return done;
  }
}

async function read(store: Mvcc): Promise<Accounts> {
  const { items } = await store.range({ start: folder, end: undefined });
  const users = new Map<string, User>();
  const roles = new Map<string, Role>();
  let state = { isEnabled: false, revision: 1 };
  for (const { key, value } of items) {
    if (key === stateKey) state = JSON.parse(Buffer.from(value).toString()) as typeof state;
    else if (key.startsWith(userPrefix)) {
      users.set(key.slice(userPrefix.length), etcdCodec.decode("User", value));
    } else if (key.startsWith(rolePrefix)) {
      roles.set(key.slice(rolePrefix.length), etcdCodec.decode("Role", value));
    }
  }
  return { ...state, users, roles };
}

/** The accounts of a snapshot, as keys for the store that it is restored to. */
export function accountItems(snapshot: Snapshot): readonly Versioned[] {
  const { revision } = snapshot;
  const place = { createRevision: revision, modRevision: revision, version: 1 };
  const under = (bucket: string, prefix: string) =>
    [...snapshot.entries(bucket)].map(({ key, value }) => ({
      ...place,
      key: prefix + Buffer.from(key).toString(),
      value,
    }));
  const settings = new Map(
    [...snapshot.entries(bucketNames.auth)].map(({ key, value }) => [Buffer.from(key).toString(), value]),
  );
  const state = {
    isEnabled: settings.get("authEnabled")?.[0] === 1,
    revision: readMetaNumber(settings.get("authRevision") ?? new Uint8Array(0)) || 1,
  };
  return [
    { ...place, key: stateKey, value: Buffer.from(JSON.stringify(state)) },
    ...under(bucketNames.authUsers, userPrefix),
    ...under(bucketNames.authRoles, rolePrefix),
  ];
}

function differences(before: Accounts, after: Accounts): readonly Operation[] {
  const { isEnabled, revision } = after;
  const state = Buffer.from(JSON.stringify({ isEnabled, revision }));
  return [
    { type: "put", key: stateKey, value: state },
    ...between(before.users, after.users, userPrefix).map(({ key, value }) =>
      operationOf(key, value && etcdCodec.encode("User", value)),
    ),
    ...between(before.roles, after.roles, rolePrefix).map(({ key, value }) =>
      operationOf(key, value && etcdCodec.encode("Role", value)),
    ),
  ];
}

function between<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  prefix: string,
): { readonly key: string; readonly value: T | undefined }[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => ({ key: `${prefix}${name}`, value: after.get(name) }));
}

function operationOf(key: string, value: Uint8Array | undefined): Operation {
  return value ? { type: "put", key, value } : { type: "delete", range: { start: key, end: `${key}\0` } };
}
