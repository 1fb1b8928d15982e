import type { Random } from "../../base/index.ts";
import { formatCIDR, formatIP, parseCIDR, parseIP } from "../../apimachinery/index.ts";

export type Family = "IPv4" | "IPv6";

/** An address as its family and number, whatever its range. */
export interface Address {
  readonly family: Family;
  readonly number: bigint;
}

/** The addresses of a service network: without the network's own, and in IPv4 without the broadcast address. */
export interface AddressRange {
  readonly text: string;
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
  /** Addresses below are left to those who choose theirs; others get them once the upper ones are taken. */
  readonly upper: bigint;
}

/** How many addresses of the two parts of a range are taken. */
export interface Usage {
  readonly lower: bigint;
  readonly upper: bigint;
}

const byte = 8n;
/** How often a free address is looked for by chance before the range is walked. */
const randomProbes = 32;
const shortestIPv6Prefix = 64;

/** The range that a CIDR stands for; undefined where it is none that services can have addresses of. */
export function addressRange(cidr: string): AddressRange | undefined {
  const parsed = parseCIDR(cidr);
  if (parsed === undefined) return undefined;
  const family = familyOf(parsed.network);
  if (family === "IPv6" && parsed.prefixLength < shortestIPv6Prefix) return undefined;
  const size = 1n << BigInt(parsed.network.length * 8 - parsed.prefixLength);
  const network = numberOf(parsed.network);
  const first = network + 1n;
  const last = network + size - (family === "IPv4" ? 2n : 1n);
  return { text: formatCIDR(parsed), family, first, last, upper: first + bandOf(size) };
}

/** KEP-3070: none of up to 16 addresses, else a sixteenth between 16 and 256. */
function bandOf(size: bigint): bigint {
  if (size <= 16n) return 0n;
  const share = size / 16n;
  if (share < 16n) return 16n;
  return share > 256n ? 256n : share;
}

/** Reads an address; undefined when it is none. */
export function addressOf(text: string): Address | undefined {
  const bytes = parseIP(text);
  return bytes && { family: familyOf(bytes), number: numberOf(bytes) };
}

/** The canonical text of an address. */
export function addressText({ family, number }: Address): string {
  const length = family === "IPv4" ? 4 : 16;
  const bytes = Array.from({ length }, (_, index) =>
    Number((number >> (byte * BigInt(length - 1 - index))) & 0xffn),
  );
  return formatIP(bytes);
}

/** The network's own address, which no service ever has. */
export const networkAddress = (range: AddressRange): string =>
  addressText({ family: range.family, number: range.first - 1n });

/** Whether a service may have the address of this range. */
export function holds(range: AddressRange, { family, number }: Address): boolean {
  return family === range.family && number >= range.first && number <= range.last;
}

/** Addresses to try for someone who did not choose: by chance, then in turn, of the upper part before the lower. */
export function* candidates(
  range: AddressRange,
  { usage, random }: { readonly usage: Usage; readonly random: Random },
): Generator<Address> {
  const { family, first, last, upper } = range;
  const parts = [
    { from: upper, size: last - upper + 1n, used: usage.upper },
    { from: first, size: upper - first, used: usage.lower },
  ];
  for (const { from, size, used } of parts) {
    if (size <= 0n || used >= size) continue;
    for (let probe = 0; probe < randomProbes; probe++) yield { family, number: from + below(size, random) };
    const start = below(size, random);
    for (let step = 0n; step < size; step++) yield { family, number: from + ((start + step) % size) };
  }
}

/** A number below the limit, which may be as large as 2^64. */
function below(limit: bigint, random: Random): bigint {
  const word = 2 ** 32;
  if (limit <= BigInt(word)) return BigInt(Math.floor(random.next() * Number(limit)));
  const [high, low] = [Math.floor(random.next() * word), Math.floor(random.next() * word)];
  return ((BigInt(high) << 32n) | BigInt(low)) % limit;
}

const familyOf = (bytes: readonly number[]): Family => (bytes.length === 4 ? "IPv4" : "IPv6");

const numberOf = (bytes: readonly number[]) =>
  bytes.reduce((sum, value) => (sum << byte) | BigInt(value), 0n);
