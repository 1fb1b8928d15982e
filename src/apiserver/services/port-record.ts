import { StoreError } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import { decodeBase64, encodeBase64 } from "../../apimachinery/codec/index.ts";
import { decodedOf, encodeObject } from "../registry/entry.ts";
import type { AnyObject } from "../registry/entry.ts";
import { registryRoot } from "../registry/storage-path.ts";
import type { PortRange } from "./node-ports.ts";

/** Where upstream keeps which node ports are taken, as a RangeAllocation. */
const key = `${registryRoot}ranges/servicenodeports`;
/** How often a change is tried when other servers change the record at the same time. */
const attempts = 50;

/** What is read of a RangeAllocation: a number with a bit for each port, big-endian in base64. */
interface Allocation {
  readonly range?: string;
  readonly data?: string;
}

/** Which node ports are taken, for the servers that share a store; those of upstream keep the same record. */
export class PortRecord {
  private readonly store: Store;
  private readonly range: PortRange;
  /** Changes of this server follow one another. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(store: Store, range: PortRange) {
    this.store = store;
    this.range = range;
  }

  /** Takes the ports; answers those that others have, and takes none then. */
  async claim(ports: readonly number[]): Promise<readonly number[]> {
    if (ports.length === 0) return [];
    let foreign: readonly number[] = [];
    await this.change((taken) => {
      foreign = ports.filter((port) => taken.has(port));
      if (foreign.length > 0) return false;
      for (const port of ports) taken.add(port);
      return true;
    });
    return foreign;
  }

  async release(ports: readonly number[]): Promise<void> {
    if (ports.length === 0) return;
    await this.change((taken) => {
      const before = taken.size;
      for (const port of ports) taken.delete(port);
      return taken.size < before;
    });
  }

  /** Makes one pass over the ports that are recorded: takes `missing`, gives `free` back. */
  async mend(
    decide: (taken: ReadonlySet<number>) => {
      readonly missing: readonly number[];
      readonly free: readonly number[];
    },
  ): Promise<void> {
    await this.change((taken) => {
      const { missing, free } = decide(taken);
      for (const port of missing) taken.add(port);
      for (const port of free) taken.delete(port);
      return missing.length + free.length > 0;
    });
  }

  private change(edit: (taken: Set<number>) => boolean): Promise<void> {
    const done = this.last.then(() => this.changeNow(edit));
    this.last = done.catch(() => {});
    return done;
  }

  /** Writes what `edit` makes of the record, unless it says that nothing changes. */
  private async changeNow(edit: (taken: Set<number>) => boolean): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const current = await this.store.get(key);
      const taken = this.portsOf(current ? (decodedOf(current.value) as Allocation) : {});
      if (!edit(taken)) return;
      const value = encodeObject(this.recordOf(taken));
      try {
        await this.store.commit(
          current
            ? { type: "update", key, value, ifModified: current.modRevision }
            : { type: "create", key, value },
        );
        return;
      } catch (error) {
        if (!(error instanceof StoreError) || error.type !== "conflict") throw error;
      }
    }
    throw ApiError.internal(
      "failed to allocate a nodePort: other servers change the record of ports all the time",
    );
  }

  private get text(): string {
    return `${this.range.first}-${this.range.last}`;
  }

  private portsOf({ range, data = "" }: Allocation): Set<number> {
    const ports = new Set<number>();
    if (range !== this.text) return ports;
    const bytes = decodeBase64(data) ?? new Uint8Array(0);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      if ((bytes[bytes.length - 1 - (bit >> 3)]! >> (bit & 7)) & 1) ports.add(this.range.first + bit);
    }
    return ports;
  }

  private recordOf(taken: ReadonlySet<number>): AnyObject {
    const { first, last } = this.range;
    const bytes = new Uint8Array((last - first + 8) >> 3);
    for (const port of taken) {
      const bit = port - first;
      bytes[bytes.length - 1 - (bit >> 3)]! |= 1 << (bit & 7);
    }
    const start = bytes.findIndex((byte) => byte !== 0);
    const data = encodeBase64(start < 0 ? new Uint8Array(0) : bytes.subarray(start));
    const metadata = {} as AnyObject["metadata"];
    return { kind: "RangeAllocation", apiVersion: "v1", metadata, range: this.text, data };
  }
}
