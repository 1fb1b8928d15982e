import type { Logger, Random } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import { allocatedAddress } from "../../api/index.ts";
import type { Client } from "../../api/index.ts";
import { IPAddress } from "../../api/types/networking-v1.ts";
import type { ObjectReader } from "../reader.ts";
import { RangeBook } from "./range-book.ts";
import { addressOf, addressText, candidates, holds, networkAddress } from "./ranges.ts";
import type { AddressRange, Family } from "./ranges.ts";

/** Whose address it is. */
export interface AddressOwner {
  readonly namespace: string;
  readonly name: string;
}

/** How an allocation ended: the address, or upstream's words for why there is none. */
export type Allocated = { readonly address: string } | { readonly problem: string };

/** Hands out addresses for services. */
export interface Addresses {
  /** Takes the address that was asked for. */
  take(address: string, owner: AddressOwner): Promise<Allocated>;
  /** Takes any free address. */
  any(family: Family, owner: AddressOwner): Promise<Allocated>;
  /** Gives an address back; never fails: what is left behind is repaired. */
  release(address: string): Promise<void>;
}

const full: Allocated = { problem: "range is full" };
const mismatched: Allocated = { problem: "the provided network does not match the current range" };
const taken: Allocated = { problem: "provided IP is already allocated" };

/** Allocates by making IPAddress objects, so that every server of a cluster, and its next start, knows what is taken. */
export function createAddresses(options: {
  readonly reader: ObjectReader;
  readonly client: Client;
  readonly random: Random;
  readonly logger: Logger;
}): { readonly real: Addresses; readonly dry: Addresses } {
  const { reader, client, random, logger } = options;
  const book = new RangeBook(reader);
  const claim = async (address: string, owner: AddressOwner): Promise<Allocated> => {
    try {
      await client.create(IPAddress, allocatedAddress(address, owner));
      return { address };
    } catch (error) {
      if (ApiError.is(error, "AlreadyExists")) return taken;
      throw error;
    }
  };
  return {
    dry: dryAddresses(book),
    real: {
      async take(text, owner) {
        const address = addressOf(text);
        if (!address || !book.open(address.family).some(({ range }) => holds(range, address)))
          return mismatched;
        const result = await claim(addressText(address), owner);
        return "address" in result ? { address: text } : result;
      },
      async any(family, owner) {
        for (const { range, usage } of book.open(family)) {
          for (const candidate of candidates(range, { usage, random })) {
            const name = addressText(candidate);
            if (book.isTaken(name)) continue;
            const result = await claim(name, owner);
            if (result !== taken) return result;
          }
        }
        return full;
      },
      async release(text) {
        const address = addressOf(text);
        if (!address) return;
        try {
          await client.delete(IPAddress, { name: addressText(address) });
        } catch (error) {
          if (ApiError.is(error, "NotFound")) return;
          logger.warn("A service's address could not be given back", { address: text, error });
        }
      },
    },
  };
}

/** Says what would be, as far as that can be said without taking anything. */
function dryAddresses(book: RangeBook): Addresses {
  const outside = (text: string, range: AddressRange): Allocated => ({
    problem: `the provided IP (${text}) is not in the valid range. The range of valid IPs is ${range.text}`,
  });
  return {
    take(text) {
      const address = addressOf(text);
      const range = address && book.any(address.family);
      if (!address || !range) return Promise.resolve({ problem: "allocator not ready" });
      return Promise.resolve(holds(range, address) ? { address: text } : outside(text, range));
    },
    any(family) {
      const range = book.any(family);
      return Promise.resolve(range ? { address: networkAddress(range) } : full);
    },
    release: () => Promise.resolve(),
  };
}
