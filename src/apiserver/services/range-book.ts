import { ServiceCIDR, IPAddress } from "../../api/types/networking-v1.ts";
import type { ObjectReader } from "../reader.ts";
import { addressOf, addressRange, holds } from "./ranges.ts";
import type { Address, AddressRange, Family, Usage } from "./ranges.ts";

/** A range that services may get addresses of. */
export interface OpenRange {
  readonly range: AddressRange;
  readonly usage: Usage;
}

interface Tracked {
  readonly range: AddressRange;
  readonly open: boolean;
  readonly usage: { lower: bigint; upper: bigint };
}

/** The ranges of all ServiceCIDRs, kept with what is taken of each as the objects change. */
export class RangeBook {
  private readonly reader: ObjectReader;
  private ranges: readonly Tracked[] | undefined;

  constructor(reader: ObjectReader) {
    this.reader = reader;
    reader.subscribe(ServiceCIDR, () => (this.ranges = undefined));
    reader.subscribe(IPAddress, ({ object, old }) => {
      if (object === undefined && old !== undefined) this.count(old.metadata.name, -1n);
      if (object !== undefined && old === undefined) this.count(object.metadata.name, 1n);
    });
  }

  /** Whether the address has an object, so is someone's. */
  isTaken(address: string): boolean {
    return this.reader.get(IPAddress, { name: address }) !== undefined;
  }

  /** The ranges of a family that addresses may be taken of. */
  open(family: Family): readonly OpenRange[] {
    return this.current().filter(({ range, open }) => open && range.family === family);
  }

  /** The first range of the family, usable or not: the one dry runs answer from. */
  any(family: Family): AddressRange | undefined {
    return this.current().find(({ range }) => range.family === family)?.range;
  }

  private current(): readonly Tracked[] {
    if (this.ranges !== undefined) return this.ranges;
    const byText = new Map<string, Tracked>();
    for (const object of this.reader.list(ServiceCIDR)) {
      const open = isOpen(object);
      for (const range of (object.spec?.cidrs ?? []).map(addressRange)) {
        if (range === undefined) continue;
        const same = byText.get(range.text);
        byText.set(range.text, {
          range,
          open: open || same?.open === true,
          usage: { lower: 0n, upper: 0n },
        });
      }
    }
    this.ranges = [...byText.values()];
    for (const { metadata } of this.reader.list(IPAddress)) this.count(metadata.name, 1n);
    return this.ranges;
  }

  private count(name: string, change: bigint): void {
    const address = this.ranges && addressOf(name);
    if (!address) return;
    for (const { range, usage } of this.ranges ?? []) {
      if (!holds(range, address)) continue;
      usage[partOf(range, address)] += change;
    }
  }
}

const partOf = (range: AddressRange, { number }: Address) => (number < range.upper ? "lower" : "upper");

/** Without a condition a range counts as ready: its controller may not run yet. */
function isOpen({ metadata, status }: ServiceCIDR): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready === undefined || ready.status === "True";
}
