import type { Random } from "../../base/index.ts";
import { invariant } from "../../base/index.ts";
import { formatIP, parseCIDR, parseIP } from "../../apimachinery/names/index.ts";

/** Why an item of a range cannot be had. */
export type RangeProblem = "taken" | "outside" | "full";

/** Numbers that are handed out once each: random ones from the upper band, so that chosen ones find the lower free. */
export class NumberRange {
  readonly size: number;
  private readonly taken = new Set<number>();
  private readonly random: Random;
  /** Numbers below are left to those who choose. */
  private readonly band: number;

  constructor(options: { readonly size: number; readonly band: number; readonly random: Random }) {
    this.size = options.size;
    this.band = options.band;
    this.random = options.random;
  }

  /** Takes the number; answers whether it was free. */
  take(number: number): boolean {
    if (this.taken.has(number)) return false;
    this.taken.add(number);
    return true;
  }

  release(number: number): void {
    this.taken.delete(number);
  }

  /** Takes any free number; undefined when there is none. */
  any(): number | undefined {
    if (this.taken.size >= this.size) return undefined;
    return this.between(this.band, this.size) ?? this.between(0, this.band);
  }

  private between(from: number, to: number): number | undefined {
    const width = to - from;
    const start = Math.floor(this.random.next() * width);
    for (let step = 0; step < width; step++) {
      const number = from + ((start + step) % width);
      if (this.take(number)) return number;
    }
    return undefined;
  }
}

/** The addresses of a service network, but for the first and the last. */
export class AddressRange {
  readonly text: string;
  private readonly first: number;
  private readonly numbers: NumberRange;

  constructor(cidr: string, random: Random) {
    const parsed = parseCIDR(cidr);
    invariant(parsed !== undefined && parsed.network.length === 4, `not an IPv4 range: ${cidr}`);
    this.text = cidr;
    this.first = numberOf(parsed.network) + 1;
    const size = Math.max(2 ** (32 - parsed.prefixLength) - 2, 1);
    this.numbers = new NumberRange({ size, band: addressBand(size), random });
  }

  take(address: string): RangeProblem | undefined {
    const offset = this.offsetOf(address);
    if (offset === undefined) return "outside";
    return this.numbers.take(offset) ? undefined : "taken";
  }

  any(): string | undefined {
    const offset = this.numbers.any();
    if (offset === undefined) return undefined;
    const number = this.first + offset;
    return formatIP([24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff));
  }

  release(address: string): void {
    const offset = this.offsetOf(address);
    if (offset !== undefined) this.numbers.release(offset);
  }

  private offsetOf(address: string): number | undefined {
    const bytes = parseIP(address);
    if (bytes?.length !== 4) return undefined;
    const offset = numberOf(bytes) - this.first;
    return offset >= 0 && offset < this.numbers.size ? offset : undefined;
  }
}

const numberOf = (bytes: readonly number[]) => bytes.reduce((sum, byte) => sum * 256 + byte, 0);

/** KEP-3070: min(max(16, size / 16), 256). */
const addressBand = (size: number) => (size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 16)), 256));

/** Ports of nodes. */
export class PortRange {
  readonly text: string;
  private readonly first: number;
  private readonly numbers: NumberRange;

  constructor(range: { readonly first: number; readonly last: number }, random: Random) {
    const size = range.last - range.first + 1;
    this.text = `${range.first}-${range.last}`;
    this.first = range.first;
    this.numbers = new NumberRange({ size, band: portBand(size), random });
  }

  take(port: number): RangeProblem | undefined {
    const offset = port - this.first;
    if (offset < 0 || offset >= this.numbers.size) return "outside";
    return this.numbers.take(offset) ? undefined : "taken";
  }

  any(): number | undefined {
    const offset = this.numbers.any();
    return offset === undefined ? undefined : this.first + offset;
  }

  release(port: number): void {
    this.numbers.release(port - this.first);
  }
}

/** KEP-3668: min(max(16, size / 32), 128). */
const portBand = (size: number) => (size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128));
