import type { Milliseconds } from "../../base/index.ts";
import { StoreError } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import { decodedOf, encodeObject } from "../registry/entry.ts";
import type { AnyObject } from "../registry/entry.ts";
import { registryRoot } from "../registry/storage-path.ts";

/** Where upstream's servers say that they live, an Endpoints object for each address. */
const prefix = `${registryRoot}masterleases/`;

interface Told {
  readonly subsets?: readonly { readonly addresses?: readonly { readonly ip?: string }[] }[];
}

/** Which API servers of a store live: each renews what it says of itself, and what nobody renews goes. */
export class ServerLeases {
  private readonly store: Store;
  private readonly timeToLive: Milliseconds;

  constructor(store: Store, options: { readonly timeToLive: Milliseconds }) {
    this.store = store;
    this.timeToLive = options.timeToLive;
  }

  /** Says that the server at the address lives. */
  async renew(address: string): Promise<void> {
    const key = prefix + address;
    const current = await this.store.get(key);
    const lease = await this.store.grantLease(this.timeToLive);
    const metadata = {} as AnyObject["metadata"];
    const subsets = [{ addresses: [{ ip: address }] }];
    const value = encodeObject({ kind: "Endpoints", apiVersion: "v1", metadata, subsets });
    try {
      await this.store.commit(
        current
          ? { type: "update", key, value, lease, ifModified: current.modRevision }
          : { type: "create", key, value, lease },
      );
    } catch (error) {
      // It ended at this very moment: the next renewal makes it anew.
      if (!isConflict(error)) throw error;
    }
  }

  /** The addresses of all that live, in order. */
  async addresses(): Promise<readonly string[]> {
    const { items } = await this.store.list(prefix);
    return items
      .flatMap(({ value }) => (decodedOf(value) as Told).subsets?.[0]?.addresses?.[0]?.ip ?? [])
      .toSorted();
  }

  /** Says that the server at the address ends. */
  async end(address: string): Promise<void> {
    const current = await this.store.get(prefix + address);
    if (!current) return;
    try {
      await this.store.commit({ type: "delete", key: current.key, ifModified: current.modRevision });
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}

const isConflict = (error: unknown) => error instanceof StoreError && error.type === "conflict";
