import { noProblems, type Problems } from "./text.ts";

/** An IP address: 4 or 16 bytes. */
export type AddressBytes = readonly number[];

/** A range of addresses: its first address, the address as written, and the length of the prefix. */
export interface CIDR {
  readonly network: AddressBytes;
  readonly address: AddressBytes;
  readonly prefixLength: number;
}

const decimalOctet = /^(?:0|[1-9][0-9]{0,2})$/;

/** The bytes of an address in strict notation (no leading zeros); undefined when it is none. */
export function parseIP(text: string): AddressBytes | undefined {
  return text.includes(":") ? parseIPv6(text) : parseIPv4(text);
}

function parseIPv4(text: string): AddressBytes | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => decimalOctet.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseIPv6(text: string): AddressBytes | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groupBytes(halves[0] ?? "", halves.length === 1);
  const tail = groupBytes(halves[1] ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  if (halves.length === 1) return head.length === 16 ? head : undefined;
  const missing = 16 - head.length - tail.length;
  return missing < 2 ? undefined : [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

/** The bytes of colon-separated groups; the last may be an IPv4 address where the text ends there. */
function groupBytes(text: string, endsAddress: boolean): AddressBytes | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const number = Number.parseInt(group, 16);
      bytes.push(number >> 8, number & 255);
      continue;
    }
    const embedded = endsAddress && index === groups.length - 1 ? parseIPv4(group) : undefined;
    if (embedded === undefined) return undefined;
    bytes.push(...embedded);
  }
  return bytes.length <= 16 ? bytes : undefined;
}

/** Reads `10.0.0.0/8` or `2001:db8::/64`; undefined when it is no CIDR. */
export function parseCIDR(text: string): CIDR | undefined {
  const slash = text.indexOf("/");
  const address = slash < 0 ? undefined : parseIP(text.slice(0, slash));
  const prefixText = text.slice(slash + 1);
  const prefixLength = decimalOctet.test(prefixText) ? Number(prefixText) : Number.NaN;
  if (address === undefined || !(prefixLength <= address.length * 8)) return undefined;
  const network = address.map((byte, index) => {
    const bits = Math.min(Math.max(prefixLength - index * 8, 0), 8);
    return byte & (0xff00 >> bits) & 0xff;
  });
  return { network, address, prefixLength };
}

/** The text of an address in the form of RFC 5952; an IPv4-mapped one as IPv4, as Go prints it. */
export function formatIP(bytes: AddressBytes): string {
  const mapped = bytes.length === 16 && isMapped(bytes);
  if (bytes.length === 4 || mapped) return bytes.slice(-4).join(".");
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0),
  );
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

const isMapped = (bytes: AddressBytes) =>
  bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}

/** The text of a range: its first address and the length of its prefix. */
export function formatCIDR(cidr: CIDR): string {
  return `${formatIP(cidr.network)}/${cidr.prefixLength}`;
}

/** Whether the range holds the address. */
export function cidrContains(cidr: CIDR, address: AddressBytes): boolean {
  if (cidr.network.length !== address.length) return false;
  return address.every((byte, index) => {
    const bits = Math.min(Math.max(cidr.prefixLength - index * 8, 0), 8);
    return (byte & (0xff00 >> bits) & 0xff) === cidr.network[index];
  });
}

/** Whether the ranges have an address in common. */
export function cidrsOverlap(one: CIDR, other: CIDR): boolean {
  return cidrContains(one, other.network) || cidrContains(other, one.network);
}

/** Which family an address or a CIDR belongs to; undefined when it is neither. */
export function ipFamilyOf(text: string): "IPv4" | "IPv6" | undefined {
  const address = parseIP(text) ?? parseCIDR(text)?.address;
  if (address === undefined) return undefined;
  return address.length === 4 || isMapped(address) ? "IPv4" : "IPv6";
}

/** An address whose numbers may begin with zeros, as older servers read them; for telling what is wrong only. */
const withoutLeadingZeros = (text: string) =>
  text.length > longestPadded ? text : text.replace(/(^|[.:])0+(?=[0-9]+(?:\.|$))/g, "$1");
/** What is longer is no address, however its numbers are written. */
const longestPadded = 256;

/** An IPv4 or IPv6 address, and not one inside of the other. */
export function isValidIP(value: string): Problems {
  const address = parseIP(value);
  if (address === undefined) {
    return parseIP(withoutLeadingZeros(value)) === undefined
      ? ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
      : ["must not have leading 0s"];
  }
  return address.length === 16 && isMapped(address)
    ? ["must not be an IPv4-mapped IPv6 address"]
    : noProblems;
}

/** An IPv4 or IPv6 range, given by its first address. */
export function isValidCIDR(value: string): Problems {
  const range = parseCIDR(value);
  if (range === undefined) {
    const [address = "", length = ""] = value.split("/");
    return parseCIDR(`${withoutLeadingZeros(address)}/${withoutLeadingZeros(length)}`) === undefined
      ? ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]
      : ["must not have leading 0s in IP or prefix length"];
  }
  if (range.address.length === 16 && isMapped(range.address)) {
    return ["must not have an IPv4-mapped IPv6 address"];
  }
  return range.address.every((byte, index) => byte === range.network[index])
    ? noProblems
    : ["must not have bits set beyond the prefix length"];
}
